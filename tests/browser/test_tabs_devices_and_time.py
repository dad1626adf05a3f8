"""Tabs, devices, the back button and withdrawal; and how long an item's page was looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from studies.models import ExposureEvent, Sheet, Study
from tests import cast
from tests.browser.at_an_item import FAILED, chosen, fill_in, open_sheet, ready, says, send

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
WORDS = "Ein längerer Satz — mit 🙂 und „Zeichen“."


def test_a_draft_is_there_on_a_second_browser_through_the_personal_link(in_browser: InBrowser, resume: str) -> None:
    def first(page: Any) -> list[str]:
        open_sheet(page, resume)
        fill_in(page, WORDS)
        says(page, "Saved")
        page.wait_for_load_state("networkidle")
        return chosen(page)

    def second(page: Any) -> list[str]:
        open_sheet(page, resume)
        assert page.get_by_label("Anything to add?").input_value() == WORDS
        return chosen(page)

    assert in_browser(first) == in_browser(second)


def test_a_second_tab_is_told_that_its_item_is_answered(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        other = page.context.new_page()
        open_sheet(other, resume)
        fill_in(page)
        send(page)
        page.locator("[data-continue]").wait_for()
        other.get_by_role("link", name="Go to where you are").click()
        other.get_by_text("Practice 2 of 2").first.wait_for()

    in_browser(visit)
    assert sheet.answers.filter(question="choice").count() == 1


def test_a_tab_of_another_study_keeps_its_answer_until_its_own_sheet_is_back(
    in_browser: InBrowser, resume: str, sheet: Sheet, live_server: LiveServer, scenes: Study
) -> None:
    other = cast.sheet_at_items(scenes, "U")

    def visit(page: Any) -> None:
        open_sheet(page, resume)
        fill_in(page, WORDS)
        second = page.context.new_page()
        open_sheet(second, f"{live_server.url}/r/{other.resume_token}/")
        send(page)
        page.get_by_text("Your last answer was not stored").wait_for()
        page.goto(resume)
        page.locator("[data-continue]").wait_for()

    in_browser(visit, expects=FAILED)
    assert sheet.answers.get(question="comment").value == WORDS
    assert not other.answers.exists()


def test_the_back_button_leads_to_the_present_item(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        fill_in(page)
        send(page)
        page.locator("[data-continue]").click()
        page.get_by_text("Practice 2 of 2").first.wait_for()
        page.go_back()
        page.get_by_text("Practice 1 of 2").first.wait_for()
        page.go_back()
        page.get_by_text("Practice 2 of 2").first.wait_for()
        ready(page)
        assert chosen(page) == []

    in_browser(visit)
    assert sheet.answers.filter(question="choice").count() == 1


def test_after_withdrawal_this_browser_keeps_nothing(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> list[str]:
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page, WORDS)
        says(page, "Offline, will be sent")
        kept = "Object.keys(localStorage).filter(key => /^(draft|outbox|exposure):/.test(key))"
        assert page.evaluate(kept)
        page.context.set_offline(False)
        page.goto(f"{page.url.partition('/t/')[0]}/t/withdraw/")
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("Your answers have been deleted").wait_for()
        page.wait_for_load_state("networkidle")
        return page.evaluate(kept)

    assert in_browser(visit, expects=FAILED) == []


def test_how_long_each_panel_was_open_is_stored(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.wait_for_timeout(200)
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
        fill_in(page)
        send(page)
        page.locator("[data-continue]").wait_for()
        page.wait_for_load_state("networkidle")

    in_browser(visit)
    kinds = set(ExposureEvent.objects.filter(sheet=sheet).values_list("what", flat=True))
    assert {"active", "overview", "features", "feature-1", "feature-2"} <= kinds


def test_time_is_active_then_idle_and_away_while_the_window_is_left(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def visit(page: Any) -> None:
        page.clock.install()
        open_sheet(page, resume)
        page.clock.run_for(45_000)
        page.evaluate("Document.prototype.hasFocus = () => false; dispatchEvent(new Event('blur'))")
        page.clock.run_for(15_000)
        page.wait_for_load_state("networkidle")

    in_browser(visit)
    rows = ExposureEvent.objects.filter(sheet=sheet).values_list("what", "milliseconds")
    spent = {what: sum(ms for name, ms in rows if name == what) for what, _ in rows}
    # The clock is the test's own: 30 s until idle, 15 s idle, 15 s away; the ticks are a second apart.
    assert spent["active"] == pytest.approx(30_000, abs=2_000)
    assert spent["idle"] == pytest.approx(15_000, abs=2_000)
    assert spent["away"] == pytest.approx(15_000, abs=2_000)
    assert spent["overview"] == pytest.approx(spent["active"] + spent["idle"], abs=10)
