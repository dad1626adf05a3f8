"""Every page that an annotator can meet has no serious violation of WCAG 2.2 AA, in light and dark."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from studies.models import Sheet, Study
from studies.services.sheets import sheet_create
from tests import cast
from tests.browser import axe
from tests.browser.at_an_item import FAILED, fill_in, open_sheet, ready, send

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
EVERYTHING = "U+C+Rl+Rg+P"


def _at_step(scenes: Study, step: str) -> str:
    """The personal link of a sheet at a step, with as many answers as it has by then."""
    if step in (Sheet.Step.CONSENT, Sheet.Step.QUIZ):
        sheet = sheet_create(study=scenes, kind="live")
    else:
        sheet = cast.sheet_at_items(scenes, EVERYTHING)
    ann = cast.Annotator(Client())
    ann.sit_at(sheet)
    if step in (Sheet.Step.REVIEW, Sheet.Step.POST, Sheet.Step.DONE):
        ann.answer_all()
    Sheet.objects.filter(pk=sheet.pk).update(step=step)
    return f"/r/{sheet.resume_token}/"


def _used_link(scenes: Study) -> str:
    invite = cast.invite(scenes)
    cast.Annotator(Client()).enter(invite)
    return f"/s/scenes/{invite.token}/"


def _closed(scenes: Study) -> str:
    link = _at_step(scenes, Sheet.Step.ITEM)
    Study.objects.filter(pk=scenes.pk).update(state=Study.State.CLOSED)
    return link


PAGES: dict[str, Callable[[Study], str]] = {
    "welcome": lambda scenes: f"/s/scenes/{cast.invite(scenes).token}/",
    "a used link": _used_link,
    "closed in mid-sheet": _closed,
    "not found": lambda scenes: "/s/scenes/nobody/",
    **{step.label: partial(_at_step, step=step) for step in Sheet.Step if step != Sheet.Step.QUIZ},
}


def test_axe_finds_what_is_wrong(in_browser: InBrowser) -> None:
    def visit(page: Any) -> list[str]:
        page.set_content('<html lang="en"><title>A page</title><main><h1>A page</h1><input></main></html>')
        return axe.violations(page)

    found = in_browser(visit)
    assert len(found) == len(axe.SCHEMES)
    assert "label: <input>" in found[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_violations(
    in_browser: InBrowser, live_server: LiveServer, scenes: Study, name: str
) -> None:
    link = PAGES[name](scenes)

    def visit(page: Any) -> list[str]:
        page.goto(f"{live_server.url}{link}")
        return axe.violations(page)

    assert in_browser(visit, expects=FAILED if name == "not found" else None) == []


def test_the_page_that_asks_before_it_deletes_has_no_serious_violations(
    in_browser: InBrowser, live_server: LiveServer, scenes: Study
) -> None:
    link = _at_step(scenes, Sheet.Step.ITEM)

    def visit(page: Any) -> list[str]:
        page.goto(f"{live_server.url}{link}")
        page.get_by_role("link", name="Stop and delete").click()
        page.wait_for_url("**/t/withdraw/")
        return axe.violations(page)

    assert in_browser(visit) == []


def test_the_quiz_has_no_serious_violations(in_browser: InBrowser, live_server: LiveServer) -> None:
    link = _at_step(cast.study(owner=cast.researcher(), text=cast.with_quiz()), Sheet.Step.QUIZ)

    def visit(page: Any) -> list[str]:
        page.goto(f"{live_server.url}{link}")
        page.get_by_role("button").last.click()
        page.locator(".problem").first.wait_for()
        return axe.violations(page)

    assert in_browser(visit, expects=FAILED) == []


@pytest.mark.parametrize("viewport", [(1366, 768), (390, 844)], ids=["laptop", "phone"])
def test_an_item_has_no_serious_violations_in_any_of_its_states(
    in_browser: InBrowser, live_server: LiveServer, scenes: Study, viewport: tuple[int, int]
) -> None:
    link = f"{live_server.url}{_at_step(scenes, Sheet.Step.ITEM)}"

    def visit(page: Any) -> list[str]:
        open_sheet(page, link)
        found = axe.violations(page)
        page.keyboard.press("ArrowRight")
        page.get_by_role("link", name="Feature 2").click()
        send(page)
        page.locator(".problem").first.wait_for()
        found += axe.violations(page)
        for key in ("?", "z"):
            page.locator("#main").focus()
            page.keyboard.press(key)
            found += axe.violations(page)
            page.keyboard.press("Escape")
        page.get_by_label("All features at once").check()
        fill_in(page)
        send(page)
        page.locator("[data-continue]").wait_for()
        ready(page)
        return found + axe.violations(page)

    assert in_browser(visit, expects=FAILED, viewport=dict(zip(("width", "height"), viewport, strict=True))) == []
