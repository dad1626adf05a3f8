"""Tabs, devices, the back button and withdrawal; and how long an item's page was looked at."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from studies.models import ExposureEvent, Sheet, Study
from tests import cast
from tests.browser.at_an_item import FAILED, chosen, fill_in, open_sheet, ready, says, send

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
WORDS = "Ein längerer Satz — mit 🙂 und „Zeichen“."
LAST = cast.PRACTICE + cast.COUNT - 1
#: A draft of this page's item, from a browser whose clock is an hour ahead.
ANOTHER_DEVICE = """async () => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const fields = { position: 0, sequence: Date.now() + 3_600_000, comment: "elsewhere" };
  const options = { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": token } };
  return (await (await fetch("/t/draft/", options)).json()).sequence > Date.now();
}"""


def at_the_last_item(sheet: Sheet) -> cast.Annotator:
    """Another browser of the sheet's person, at the last item."""
    ann = cast.Annotator(Client())
    ann.sit_at(sheet)
    for _ in range(LAST):
        ann.answer()
    return ann


def finish_in(page: Any, resume: str, *buttons: str) -> None:
    """Fill in an item in one tab, go to the end in another, and send the first."""
    open_sheet(page, resume)
    fill_in(page, WORDS)
    says(page, "Saved")
    other = page.context.new_page()
    open_sheet(other, resume)
    send(other)
    for button in buttons:
        other.get_by_role("button", name=button).click()
    other.wait_for_load_state("networkidle")
    other.close()
    page.get_by_label("Anything to add?").fill("one word more")
    send(page)


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
        link = other.get_by_role("link", name="Go to where you are")
        link.wait_for()
        assert other.get_by_role("button", name="Save as a change").is_visible()
        link.click()
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


def test_a_tab_whose_sheet_was_finished_elsewhere_reads_on_the_last_page_that_its_answer_was_not_stored(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    at_the_last_item(sheet)

    def visit(page: Any) -> None:
        finish_in(page, resume, "These are my answers")
        page.get_by_role("heading", name="Almost done").wait_for()
        page.get_by_role("status").filter(has_text="Your last answer was not stored").wait_for()
        # The notice comes along from the item's page; what this page sends once more must not be cut off by the reload.
        page.wait_for_load_state("networkidle")
        page.reload()
        page.get_by_role("heading", name="Almost done").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.get_by_role("status").inner_text() == ""

    in_browser(visit, expects=FAILED)
    assert not sheet.answers.exclude(revision=0).exists()


def test_a_late_answer_is_told_about_after_the_end_too_and_nothing_is_kept(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    at_the_last_item(sheet)

    def visit(page: Any) -> None:
        finish_in(page, resume, "These are my answers", "Finish")
        page.get_by_role("heading", name="Thank you").wait_for()
        page.get_by_role("status").filter(has_text="Your last answer was not stored").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("Object.keys(localStorage).filter(key => /^(draft|outbox|exposure):/.test(key))") == []

    in_browser(visit, expects=FAILED)
    assert not sheet.answers.exclude(revision=0).exists()


def test_the_review_says_that_an_answer_which_waited_was_refused(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    ann = at_the_last_item(sheet)
    ann.answer()
    waiting = {"submission": str(uuid.uuid4()), "position": LAST, "sequence": 9e15, "fields": {"choice": "none"}}
    key = f"'outbox:' + document.querySelector('meta[name=sheet]').content + ':{LAST}'"

    def visit(page: Any) -> None:
        page.goto(resume)
        page.evaluate(f"entry => localStorage.setItem({key}, entry)", json.dumps(waiting))
        page.reload()
        notice = page.get_by_role("status").filter(has_text="could not be stored")
        notice.get_by_role("link", name="Look at it").click()
        page.get_by_role("button", name="Leave as it is").wait_for()

    in_browser(visit, expects=FAILED)
    assert not sheet.answers.exclude(revision=0).exists()


def test_an_item_that_is_filled_in_on_another_device_too_is_not_called_saved(
    in_browser: InBrowser, resume: str
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        assert page.evaluate(ANOTHER_DEVICE)
        page.keyboard.press("1")
        says(page, "Not saved: this item is being filled in elsewhere too")
        assert page.evaluate("Object.keys(localStorage).some(key => key.startsWith('draft:'))")
        # From now on this device is the one where somebody fills in, however far ahead the other's clock is.
        page.keyboard.press("2")
        page.locator("[data-save-state]").filter(has_text=re.compile("^Saved")).wait_for()
        assert not page.evaluate("Object.keys(localStorage).some(key => key.startsWith('draft:'))")

    in_browser(visit)


def test_what_was_sent_offline_does_not_replace_what_another_device_answered_since(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def phone(page: Any) -> None:
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page, "from the phone")
        send(page)
        says(page, "Offline, will be sent")
        laptop = page.context.browser.new_context()
        other = laptop.new_page()
        open_sheet(other, resume)
        fill_in(other, "from the laptop")
        send(other)
        other.get_by_text("Item 2 of").first.wait_for()
        other.wait_for_load_state("networkidle")
        laptop.close()
        page.context.set_offline(False)
        page.get_by_text("Your last answer was not stored").wait_for()

    # Practice cannot be answered anew: at the items themselves the phone's answer would be a change.
    ann = cast.Annotator(Client())
    ann.sit_at(sheet)
    for _ in range(cast.PRACTICE):
        ann.answer()
    in_browser(phone, expects=FAILED)
    assert sheet.answers.get(question="comment", item=sheet.item_order[cast.PRACTICE]).value == "from the laptop"


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
