"""An annotator goes from the link to the code by clicking, with scripts and without, on a laptop and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from studies import pages
from studies.models import Answer, Sheet, Study
from tests import cast
from tests.cast import COUNT, PRACTICE

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def link(live_server: LiveServer, scenes: Study) -> str:
    """A live link to the study, of which only the condition with all stages is open."""
    scenes.version.conditions.exclude(name="U+C+Rl+Rg+P").delete()
    return f"{live_server.url}/s/scenes/{cast.invite(scenes).token}/"


def _enter(page: Any, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Start").click()
    page.get_by_label("I have read this").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Begin").click()


def _enter_with_scripts(page: Any, link: str) -> None:
    _enter(page, link)
    page.locator("body.has-keys.has-tabs").wait_for()


def _answer(page: Any) -> None:
    page.locator("[name=choice]").first.check()
    page.get_by_label("Somewhat sure").check()
    page.get_by_role("radio", name="Features").check()
    page.get_by_role("group", name="How clear was it?").get_by_label("4").check()
    page.get_by_role("button", name="Next").click()


def _finish(page: Any) -> str:
    page.get_by_role("button", name="These are my answers").click()
    page.get_by_label("Is there anything").fill("The graph helped.")
    page.get_by_role("button", name="Finish").click()
    return page.locator(".code-value").inner_text()


def _walk(page: Any, link: str) -> str:
    _enter(page, link)
    for number in range(1, PRACTICE + 1):
        page.get_by_text(f"Practice {number} of {PRACTICE}").first.wait_for()
        _answer(page)
        page.get_by_role("link", name="Continue").click()
    for number in range(1, COUNT + 1):
        page.get_by_text(f"Item {number} of {COUNT}").first.wait_for()
        _answer(page)
    page.get_by_role("link", name="Change item 2").click()
    page.get_by_label("Certain").check()
    page.get_by_role("button", name="Save the change").click()
    return _finish(page)


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}, PHONE], ids=["scripts", "no scripts", "phone"])
def test_from_the_link_to_the_code_by_clicking(in_browser: InBrowser, link: str, options: dict[str, Any]) -> None:
    code = in_browser(lambda page: _walk(page, link), **options)
    sheet = Sheet.objects.get()
    assert code == pages.completion_code(sheet)
    assert sheet.post == {"comment": "The graph helped."}
    assert sheet.answers.filter(question="choice").count() == PRACTICE + COUNT
    assert sorted(Answer.objects.filter(question="confidence", revision=1).values_list("value", flat=True)) == [5]


def test_digits_choose_and_enter_sends(in_browser: InBrowser, link: str) -> None:
    def visit(page: Any) -> None:
        _enter_with_scripts(page, link)
        page.keyboard.press("2")
        assert page.locator("[name=choice]").nth(1).is_checked()
        page.get_by_label("Somewhat sure").check()
        page.get_by_label("Anything to add?").fill("3 or 4")
        assert page.locator("[name=choice]").nth(1).is_checked()
        page.get_by_role("radio", name="Overview").check()
        page.get_by_role("group", name="How clear was it?").get_by_label("4").check()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Continue").wait_for()
        page.keyboard.press("Enter")
        page.get_by_text(f"Practice 2 of {PRACTICE}").first.wait_for()

    in_browser(visit)
    assert Answer.objects.get(question="comment").value == "3 or 4"


def test_tabs_show_one_page_at_a_time_and_arrows_move_between_them(in_browser: InBrowser, link: str) -> None:
    def visit(page: Any) -> None:
        _enter_with_scripts(page, link)
        overview, features = page.locator("#overview"), page.locator("#features")
        assert overview.is_visible()
        assert not features.is_visible()
        page.get_by_role("tab", name="Overview").press("ArrowRight")
        assert features.is_visible()
        assert not overview.is_visible()

    in_browser(visit)


def test_the_colours_over_a_picture_can_be_faded_and_taken_off(in_browser: InBrowser, link: str) -> None:
    def opacity(page: Any) -> str:
        return page.locator(".overlay").first.evaluate("element => getComputedStyle(element).opacity")

    def visit(page: Any) -> None:
        _enter_with_scripts(page, link)
        assert opacity(page) == "0.6"
        page.get_by_label("Colours").fill("25")
        assert opacity(page) == "0.25"
        page.get_by_label("Show original").check()
        assert opacity(page) == "0"

    in_browser(visit)


@pytest.mark.parametrize("width", [1366, 1024, 390])
def test_no_page_scrolls_sideways_and_the_answer_stays_in_view_beside_the_pictures(
    in_browser: InBrowser, link: str, width: int
) -> None:
    def visit(page: Any) -> None:
        page.goto(link)
        assert _overflow(page) <= 0
        _enter_with_scripts(page, link)
        assert _overflow(page) <= 0
        assert page.locator(".datapoint .picture").bounding_box()["width"] >= 300
        if width > 1000:
            page.mouse.wheel(0, 4000)
            assert page.locator(".answer").bounding_box()["y"] >= 0
            button = page.get_by_role("button", name="Next")
            button.scroll_into_view_if_needed()
            assert button.bounding_box()["y"] < 768

    in_browser(visit, viewport={"width": width, "height": 768})


def _overflow(page: Any) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
