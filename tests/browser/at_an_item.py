"""What browser tests do at an item's page, and what they read from it."""

from __future__ import annotations

from typing import Any

#: What a browser's console says of requests that fail: offline, or refused by the server as the test wants it.
FAILED = "Failed to load resource"


def open_sheet(page: Any, link: str) -> None:
    """Go to a sheet's item by its personal link, and wait for the scripts."""
    page.goto(link)
    ready(page)


def ready(page: Any) -> None:
    """Wait until the page's scripts have begun."""
    page.locator("body.is-ready").wait_for()


def fill_in(page: Any, comment: str = "") -> None:
    """Everything that the item asks, with the first choice."""
    page.keyboard.press("1")
    page.keyboard.press("Shift+Digit3")
    if page.locator("[name=helpful]").count():
        page.get_by_role("radio", name="Features").check()
    page.get_by_role("group", name="How clear was it?").get_by_label("4").check()
    if comment:
        page.get_by_label("Anything to add?").fill(comment)


def send(page: Any) -> None:
    """Press the button that submits."""
    page.locator(".answer .submit .primary").click()


def says(page: Any, text: str) -> None:
    """Wait until the state of saving reads so."""
    page.locator("[data-save-state]").filter(has_text=text).wait_for()


def chosen(page: Any) -> list[str]:
    """The labels of the checked options."""
    return [text.strip() for text in page.locator(".option:has(:checked) > span:last-of-type").all_inner_texts()]
