"""A whole sheet without a pointer, and what keys must not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from studies import pages
from studies.models import Answer, Sheet, Study
from tests import cast
from tests.browser.at_an_item import FAILED, chosen, fill_in, open_sheet, ready
from tests.cast import COUNT, PRACTICE

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]


def _tab_to(page: Any, selector: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector} on {page.url}")


def _go_on(page: Any, heading: str) -> None:
    page.keyboard.press("Enter")
    page.get_by_text(heading).first.wait_for()


def _answer(page: Any, heading: str) -> None:
    page.get_by_text(heading).first.wait_for()
    ready(page)
    page.keyboard.press("2")
    page.keyboard.press("Shift+Digit4")
    for name in ("helpful", "clarity"):
        _tab_to(page, f"[name={name}]")
        page.keyboard.press("Space")
    page.keyboard.press("Enter")


def _walk(page: Any, link: str) -> str:
    page.goto(link)
    _tab_to(page, "main button")
    _go_on(page, "I have read this")
    _tab_to(page, "[name=agree]")
    page.keyboard.press("Space")
    _tab_to(page, "main button")
    _go_on(page, "How it works")
    _tab_to(page, "main button")
    page.keyboard.press("Enter")
    for number in range(1, PRACTICE + 1):
        _answer(page, f"Practice {number} of {PRACTICE}")
        page.locator("[data-continue]").wait_for()
        ready(page)
        page.keyboard.press("Enter")
    for number in range(1, COUNT + 1):
        _answer(page, f"Item {number} of {COUNT}")
    page.get_by_text("Your answers").first.wait_for()
    _tab_to(page, "main button")
    _go_on(page, "Is there anything")
    _tab_to(page, "textarea")
    page.keyboard.type("No mouse was moved. 1 2 3?")
    _tab_to(page, "main button")
    page.keyboard.press("Enter")
    return page.locator(".code-value").inner_text()


def test_a_whole_sheet_by_keyboard_only(in_browser: InBrowser, live_server: LiveServer, scenes: Study) -> None:
    scenes.version.conditions.exclude(name="U+C+Rl+Rg+P").delete()
    link = f"{live_server.url}/s/scenes/{cast.invite(scenes).token}/"
    # A draft that arrives after its practice item was answered is refused, and the console says so.
    code = in_browser(lambda page: _walk(page, link), expects=FAILED)
    sheet = Sheet.objects.get()
    assert code == pages.completion_code(sheet)
    assert sheet.post == {"comment": "No mouse was moved. 1 2 3?"}
    assert sheet.answers.filter(question="choice").count() == PRACTICE + COUNT
    assert set(sheet.answers.filter(question="confidence").values_list("value", flat=True)) == {4}


def test_digits_choose_by_their_place_on_the_keyboard(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> tuple[list[bool], str]:
        open_sheet(page, resume)
        # As a French keyboard has it: the key of 3 writes a quotation mark, and 4 with Shift.
        for code, key, shift in (("Digit3", '"', False), ("Digit4", "4", True), ("Numpad2", "ArrowDown", False)):
            init = {"code": code, "key": key, "shiftKey": shift, "bubbles": True, "cancelable": True}
            page.evaluate("init => document.body.dispatchEvent(new KeyboardEvent('keydown', init))", init)
        boxes = [box.is_checked() for box in page.locator("[name=choice]").all()]
        return boxes, page.locator("[name=confidence]:checked").get_attribute("value")

    assert in_browser(visit) == ([False, False, True, False], "4")


@pytest.mark.parametrize(("labels", "key", "label"), [("3021", "2", "2"), (["3", "10", "yes", "no"], "b", None)])
def test_numbers_are_chosen_by_themselves_or_by_letters(
    in_browser: InBrowser, resume: str, sheet: Sheet, labels: list[str], key: str, label: str | None
) -> None:
    choices = [{"letter": "ABCD"[i], "label": text, "classes": [i]} for i, text in enumerate(labels)]
    sheet.version.items.update(choices=choices)

    def visit(page: Any) -> tuple[list[bool], str]:
        open_sheet(page, resume)
        page.keyboard.press(key)
        boxes = page.locator("[name=choice]").all()
        return [box.is_checked() for box in boxes], page.locator(".option:has([name=choice]:checked) span").inner_text()

    boxes, chosen_label = in_browser(visit)
    assert chosen_label == label if label else boxes == [False, True, False, False]


def test_keys_do_nothing_in_text_fields_with_modifiers_or_while_composing(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> tuple[list[str], str]:
        open_sheet(page, resume)
        field = page.get_by_label("Anything to add?")
        field.focus()
        page.keyboard.type("3uo?")
        field.blur()
        page.keyboard.press("Alt+2")
        init = {"code": "Digit1", "key": "1", "isComposing": True, "bubbles": True}
        page.evaluate("init => document.body.dispatchEvent(new KeyboardEvent('keydown', init))", init)
        return chosen(page), field.input_value()

    assert in_browser(visit) == ([], "3uo?")


def test_arrows_turn_the_pages_also_after_a_digit_and_do_not_change_the_choice(
    in_browser: InBrowser, resume: str
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.keyboard.press("2")
        shown = []
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(key)
            shown.append(page.locator(".feature:visible, #overview:visible").evaluate("element => element.id"))
        assert shown == ["e1f1", "e1f2", "e1f1", "overview"]
        assert page.locator("[name=choice]").nth(1).is_checked()

    in_browser(visit)


def test_undo_takes_back_choices_scales_and_text_one_at_a_time(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.keyboard.press("1")
        page.keyboard.press("2")
        page.keyboard.press("Shift+Digit5")
        field = page.get_by_label("Anything to add?")
        field.press_sequentially("some words")
        field.blur()
        page.keyboard.press("u")
        assert field.input_value() == ""
        page.keyboard.press("Control+z")
        assert page.locator("[name=confidence]:checked").count() == 0
        page.keyboard.press("u")
        assert page.locator("[name=choice]").nth(0).is_checked()
        page.get_by_role("button", name="Undo").press("Enter")
        assert page.locator("[name=choice]:checked").count() == 0
        assert not page.get_by_role("button", name="Undo").is_visible()

    in_browser(visit)


def test_in_a_text_field_the_browsers_own_undo_works(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.keyboard.press("1")
        field = page.get_by_label("Anything to add?")
        field.press_sequentially("word")
        page.keyboard.press("Control+z")
        assert field.input_value() != "word"
        assert page.locator("[name=choice]").nth(0).is_checked()

    in_browser(visit)


def test_single_keys_can_be_turned_off_and_stay_off(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        hint = page.locator(".choices .key").first
        assert hint.is_visible()
        page.keyboard.press("?")
        assert page.get_by_role("dialog", name="Keys").is_visible()
        page.get_by_label("Use single-key shortcuts").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        ready(page)
        page.keyboard.press("1")
        page.keyboard.press("Shift+Digit3")
        page.keyboard.press("?")
        assert page.locator(":checked:not(option)").count() == 0
        assert not page.get_by_role("dialog").is_visible()
        assert not hint.is_visible()
        page.get_by_role("button", name="Keys").click()
        assert not page.get_by_label("Use single-key shortcuts").is_checked()

    in_browser(visit)


def test_what_a_key_did_is_announced(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> list[str]:
        open_sheet(page, resume)
        said = []
        for key in ("2", "Shift+Digit5", "ArrowRight", "ArrowLeft", "u"):
            page.keyboard.press(key)
            said.append(page.locator("[data-ear]").inner_text())
        second = page.locator(".choices .option > span").nth(1).inner_text()
        assert said[0] == f"Chosen: {second}"
        return said[1:]

    assert in_browser(visit) == ["Chosen: Certain", "Feature 1", "Overview", "Taken back"]


def test_enter_held_down_sends_one_item(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        fill_in(page)
        page.locator("#main").focus()
        page.keyboard.down("Enter")
        page.locator("[data-continue]").wait_for()
        ready(page)
        for _ in range(5):
            page.keyboard.down("Enter")
        page.keyboard.up("Enter")
        assert page.locator("[data-continue]").is_visible()

    in_browser(visit)
    assert Answer.objects.filter(question="choice").count() == 1
