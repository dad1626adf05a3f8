"""What somebody types is kept: saved while they work, sent once after an outage, there again on another device."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from studies.models import Draft, Sheet
from tests import cast
from tests.browser.at_an_item import FAILED, chosen, fill_in, open_sheet, ready, says, send

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
WORDS = "Ein längerer Satz — mit 🙂 und „Zeichen“."
KEPT = "Object.keys(localStorage).some(key => key.startsWith('{}:'))"
PORTAL = "<!doctype html><title>Wi-Fi</title><p>Please agree to the terms of this network."


def _comment(page: Any) -> Any:
    return page.get_by_label("Anything to add?")


def test_every_change_is_saved_and_the_page_says_when(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        fill_in(page, WORDS)
        says(page, "Saved")
        page.wait_for_load_state("networkidle")
        page.reload()
        ready(page)
        assert _comment(page).input_value() == WORDS
        says(page, "Saved")

    in_browser(visit)
    draft = Draft.objects.get()
    assert draft.values["comment"] == WORDS
    assert draft.values["confidence"] == "3"


def test_what_is_typed_and_sent_offline_is_stored_once_after_reconnecting(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page, WORDS)
        says(page, "Offline, will be sent")
        send(page)
        page.get_by_text("Your answer is kept in this browser").wait_for()
        page.context.set_offline(False)
        page.locator("[data-continue]").wait_for()

    in_browser(visit, expects=FAILED)
    assert sheet.answers.get(question="comment").value == WORDS
    assert sheet.answers.filter(question="choice").count() == 1
    assert not sheet.answers.exclude(revision=0).exists()


def test_what_was_sent_offline_survives_closing_the_page(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page, WORDS)
        send(page)
        says(page, "Offline, will be sent")
        address = page.url
        page.goto("about:blank")
        page.context.set_offline(False)
        page.goto(address)
        # The page that was left may have had its last breath with the network: then the next item is open already.
        page.locator("[data-continue], [data-notices]:has-text('has been sent')").first.wait_for()
        assert page.evaluate("Object.keys(localStorage).filter(key => /^(outbox|draft)/.test(key))") == []

    in_browser(visit, expects=FAILED)
    assert sheet.answers.get(question="comment").value == WORDS
    assert sheet.answers.filter(question="choice").count() == 1


def test_what_was_typed_offline_and_not_sent_is_in_the_form_again(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page, WORDS)
        says(page, "Offline, will be sent")
        page.goto("about:blank")
        page.context.set_offline(False)
        page.goto(resume)
        ready(page)
        assert _comment(page).input_value() == WORDS
        says(page, "Saved")

    in_browser(visit, expects=FAILED)
    assert Draft.objects.get().values["comment"] == WORDS


def test_an_acknowledgement_that_is_lost_does_not_store_the_answer_twice(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def visit(page: Any) -> None:
        lost = []

        def lose_the_first(route: Any) -> None:
            if route.request.method == "POST" and not lost:
                lost.append(route.fetch())
                route.abort()
            else:
                route.continue_()

        open_sheet(page, resume)
        page.route("**/t/item/", lose_the_first)
        fill_in(page)
        send(page)
        page.locator("[data-continue]").wait_for()
        assert lost

    in_browser(visit, expects=FAILED)
    assert sheet.answers.filter(question="choice").count() == 1
    assert not sheet.answers.exclude(revision=0).exists()


def test_problems_stand_at_their_fields_and_the_first_has_the_focus(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.keyboard.press("1")
        send(page)
        problem = page.locator("fieldset:has([name=confidence]) .problem")
        problem.wait_for()
        assert problem.inner_text() == "Please answer this question too."
        assert page.locator("[name=confidence]:focus").count() == 1
        assert page.locator(".choices .problem").count() == 0
        page.keyboard.press("Shift+Digit2")
        assert problem.count() == 0

    in_browser(visit, expects=FAILED)


def test_a_changed_security_token_costs_nobody_their_answer(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.context.clear_cookies(name="csrftoken")
        fill_in(page, WORDS)
        send(page)
        page.locator("[data-continue]").wait_for()

    in_browser(visit, expects=FAILED)
    assert sheet.answers.get(question="comment").value == WORDS


def test_a_plain_http_network_has_no_locks_and_no_ready_made_ids_and_works_all_the_same(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def visit(page: Any) -> None:
        page.add_init_script("delete Crypto.prototype.randomUUID; delete Navigator.prototype.locks")
        open_sheet(page, resume)
        fill_in(page, WORDS)
        send(page)
        page.locator("[data-continue]").wait_for()

    in_browser(visit)
    assert sheet.answers.get(question="comment").value == WORDS


def test_pressing_next_again_while_offline_is_the_same_action(in_browser: InBrowser, resume: str, sheet: Sheet) -> None:
    def visit(page: Any) -> list[str]:
        ids = "Object.keys(localStorage).filter(key => key.startsWith('outbox')).map(key => localStorage[key])"
        open_sheet(page, resume)
        page.context.set_offline(True)
        fill_in(page)
        found = []
        for _ in range(2):
            send(page)
            says(page, "Offline, will be sent")
            found.append(page.evaluate(f"JSON.parse({ids}[0]).submission"))
        page.context.set_offline(False)
        page.locator("[data-continue]").wait_for()
        return found

    first, second = in_browser(visit, expects=FAILED)
    assert first == second
    assert sheet.answers.filter(question="choice").count() == 1


@pytest.mark.parametrize(("status", "body"), [(200, PORTAL), (422, PORTAL), (409, PORTAL), (200, "null")])
def test_a_portal_that_answers_in_the_servers_place_acknowledges_nothing(
    in_browser: InBrowser, resume: str, sheet: Sheet, status: int, body: str
) -> None:
    def visit(page: Any) -> None:
        is_open = {"draft": False, "item": False}
        caught = []

        def portal(route: Any) -> None:
            what = route.request.url.rstrip("/").rsplit("/", 1)[-1]
            if route.request.method != "POST" or is_open[what]:
                route.continue_()
            else:
                caught.append(what)
                route.fulfill(status=status, body=body, content_type="text/html")

        open_sheet(page, resume)
        page.route(re.compile("/t/(draft|item)/$"), portal)
        fill_in(page, WORDS)
        says(page, "Not sent yet")
        assert page.evaluate(KEPT.format("draft"))
        is_open["draft"] = True
        says(page, "Saved")
        send(page)
        says(page, "Not sent yet")
        assert page.evaluate(KEPT.format("outbox"))
        is_open["item"] = True
        page.locator("[data-continue]").wait_for()
        assert not page.evaluate(KEPT.format("outbox"))
        assert {"draft", "item"} <= set(caught)

    in_browser(visit, expects=FAILED)
    assert sheet.answers.get(question="comment").value == WORDS
    assert sheet.answers.filter(question="choice").count() == 1
    assert not sheet.answers.exclude(revision=0).exists()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_leaving_an_answer_as_it_is_forgets_the_change_that_was_begun(
    in_browser: InBrowser, resume: str, sheet: Sheet, has_scripts: bool
) -> None:
    ann = cast.Annotator(Client())
    ann.sit_at(sheet)
    ann.answer_all()
    stored = sheet.answers.filter(question="choice").count()

    def visit(page: Any) -> None:
        def reopen() -> None:
            page.goto(resume)
            page.get_by_role("link", name=f"Change item {cast.COUNT}").click()
            page.get_by_role("button", name="Leave as it is").wait_for()
            if has_scripts:
                ready(page)

        reopen()
        before = chosen(page)
        page.locator("[name=choice]:not(:checked)").first.check()
        if has_scripts:
            says(page, "Change kept")
            reopen()
            page.get_by_text("have not saved the change").wait_for()
            assert chosen(page) != before
            page.context.set_offline(True)
            page.locator("[name=choice]:not(:checked)").last.check()
            says(page, "Offline")
            page.context.set_offline(False)
        page.get_by_role("button", name="Leave as it is").click()
        page.get_by_role("heading", name="Your answers").wait_for()
        assert not page.evaluate(KEPT.format("draft"))
        reopen()
        assert chosen(page) == before
        page.get_by_text("You have answered this item").wait_for()
        assert not page.get_by_text("have not saved the change").is_visible()

    in_browser(visit, expects=FAILED, java_script_enabled=has_scripts)
    assert sheet.answers.filter(question="choice").count() == stored
    assert not any(draft.values for draft in Draft.objects.all())


def test_a_change_that_waited_is_sent_from_the_review_which_then_shows_it(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    ann = cast.Annotator(Client())
    ann.sit_at(sheet)
    ann.answer_all()
    last = cast.PRACTICE + cast.COUNT - 1

    def visit(page: Any) -> None:
        page.goto(resume)
        page.get_by_role("link", name=f"Change item {cast.COUNT}").click()
        ready(page)
        page.context.set_offline(True)
        page.locator("[name=choice]:not(:checked)").first.check()
        wanted = chosen(page)[0]
        page.get_by_role("button", name="Save the change").click()
        says(page, "Offline, will be sent")
        page.goto("about:blank")
        page.context.set_offline(False)
        page.goto(resume)
        page.locator("tbody tr").last.filter(has_text=wanted).wait_for()

    in_browser(visit, expects=FAILED)
    item = sheet.item_order[last]
    assert sheet.answers.filter(item=item, question="choice").count() == 2
