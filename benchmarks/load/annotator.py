"""What annotators do at a browser: start from a link, read, look at every picture, answer. No scripts needed."""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.load.browser import Browser, Reply


class Unexpected(Exception):
    """A page that an annotator should not have met."""

    def __init__(self, doing: str, reply: Reply) -> None:
        super().__init__(f"{doing}: {reply.status} at {reply.path}")


def start(browser: Browser, link: str) -> Reply:
    """From an invite's address (its path) to the instructions; or to the page that says why not."""
    welcome = expect(browser.get(link), "the link")
    asked = welcome.seen.form("csrfmiddlewaretoken")
    if asked is None:
        return welcome
    page = browser.post(link, asked.values)
    form = page.seen.form("agree")
    if page.status != 200 or form is None:
        return page
    return browser.post(page.path, {**form.values, "agree": "yes"})


def begin(browser: Browser, instructions: Reply) -> Reply:
    """From the instructions to the first item."""
    return expect(browser.post(instructions.path, _values(instructions, "csrfmiddlewaretoken")), "begin")


def filled_in(page: Reply, choose: random.Random) -> dict[str, str] | None:
    """The item's form with something chosen in every field; None where the page asks nothing (feedback, review)."""
    form = page.seen.form("submission")
    if form is None or "choice" not in form.options:
        return None
    return {**form.values, **{name: choose.choice(options) for name, options in form.options.items()}}


def look(browser: Browser, page: Reply, fetched: Callable[[Reply], None] = lambda reply: None) -> None:
    """Load every picture of a page."""
    for address in page.seen.pictures:
        reply = browser.get(address)
        fetched(reply)
        expect(reply, "a picture")


def _values(page: Reply, name: str) -> dict[str, str]:
    form = page.seen.form(name)
    if form is None:
        raise Unexpected(f"a page without the form that asks for {name}", page)
    return form.values


def expect(reply: Reply, doing: str, status: int = 200) -> Reply:
    """The reply itself. raises: Unexpected where it has another status"""
    if reply.status != status:
        raise Unexpected(doing, reply)
    return reply
