"""Overview and Features as pages within an item, the graph as their way in, and pictures: enlarged, plain, failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from studies.models import Sheet
from tests.browser.at_an_item import FAILED, fill_in, open_sheet, ready, send

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]


def _shown(page: Any) -> list[str]:
    return [card.get_attribute("id") for card in page.locator("#overview:visible, .feature:visible").all()]


def test_a_feature_of_the_graph_opens_and_takes_the_focus(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.get_by_role("tab", name="Features").click()
        assert _shown(page) == ["e1f1"]
        link = page.get_by_role("link", name="Feature 3, weight +0.162")
        link.press("Enter")
        assert _shown(page) == ["e1f3"]
        assert page.evaluate("document.activeElement.textContent") == "Feature 3"
        assert link.get_attribute("aria-current") == "true"
        page.get_by_label("All features at once").check()
        assert _shown(page) == ["e1f1", "e1f2", "e1f3"]

    in_browser(visit)


def test_the_links_lie_on_the_nodes_of_the_graph(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> list[dict[str, float]]:
        open_sheet(page, f"{resume}#features")
        page.get_by_role("tab", name="Features").click()
        graph = page.locator(".graph").bounding_box()
        boxes = [link.bounding_box() for link in page.locator(".graph-links a").all()]
        scale = graph["width"] / 640
        return [
            {"left": (box["x"] - graph["x"]) / scale, "middle": (box["y"] + box["height"] / 2 - graph["y"]) / scale}
            for box in boxes
        ]

    found = in_browser(visit)
    # A node begins at 24 and its middle is 24 + 46 (row + 1/2)
    assert [round(box["middle"]) for box in found] == pytest.approx([47, 93, 139], abs=3)
    assert [box["left"] for box in found] == pytest.approx([24, 24, 24], abs=3)


def test_the_address_names_the_page_and_the_next_item_opens_where_the_last_one_was_left(
    in_browser: InBrowser, resume: str
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.goto(f"{page.url}#features")
        assert _shown(page) == ["e1f1"]
        page.goto(f"{page.url.partition('#')[0]}#e1f2")
        assert _shown(page) == ["e1f2"]
        fill_in(page)
        send(page)
        page.locator("[data-continue]").wait_for()
        ready(page)
        assert _shown(page) == ["e1f1"]

    in_browser(visit)


def test_a_picture_is_enlarged_with_its_colours_and_the_focus_returns(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.get_by_label("Colours").fill("25")
        button = page.get_by_role("button", name="Enlarge: What matters in the picture")
        button.press("Enter")
        dialog = page.get_by_role("dialog", name="What matters in the picture")
        overlay = dialog.locator(".overlay")
        assert overlay.evaluate("element => getComputedStyle(element).opacity") == "0.25"
        wide = overlay.bounding_box()["width"]
        page.keyboard.press("+")
        assert overlay.bounding_box()["width"] == pytest.approx(wide * 1.25, rel=0.02)
        dialog.get_by_role("button", name="Smaller").click()
        assert overlay.bounding_box()["width"] == pytest.approx(wide, rel=0.02)
        overlay.hover()
        page.mouse.wheel(0, -100)
        assert overlay.bounding_box()["width"] == pytest.approx(wide * 1.25, rel=0.02)
        page.keyboard.press("o")
        assert overlay.evaluate("element => getComputedStyle(element).opacity") == "0"
        page.keyboard.press("Escape")
        assert button.evaluate("element => element === document.activeElement")
        assert not page.locator("[name=choice]:checked").count()

    in_browser(visit)


def test_zooming_keeps_the_middle_in_the_middle(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.keyboard.press("z")
        for _ in range(6):
            page.keyboard.press("+")
        stage, picture = (page.locator(name).bounding_box() for name in ("[data-stage]", "[data-stage] .picture"))
        for start, length in (("x", "width"), ("y", "height")):
            middle = stage[start] + stage[length] / 2
            assert picture[start] + picture[length] / 2 == pytest.approx(middle, abs=12)
        assert picture["width"] / picture["height"] == pytest.approx(12 / 8, rel=0.01)

    in_browser(visit)


def test_a_click_on_a_picture_enlarges_it(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.locator(".datapoint .picture img").click()
        assert page.get_by_role("dialog", name="The picture").is_visible()
        page.get_by_role("button", name="Close").click()
        assert not page.get_by_role("dialog").is_visible()

    in_browser(visit)


def test_a_picture_that_does_not_load_can_be_asked_for_again(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        broken = []

        def break_the_first(route: Any) -> None:
            if not broken:
                broken.append(route.request.url)
                route.abort()
            else:
                route.continue_()

        page.route("**/m/*", break_the_first)
        open_sheet(page, resume)
        notice = page.get_by_text("A picture did not load.")
        notice.wait_for()
        page.get_by_role("button", name="Try again").click()
        notice.wait_for(state="detached")
        page.wait_for_load_state("networkidle")
        path = broken[0].partition("/m/")[2]
        assert page.locator(f'img[src$="{path}"]').first.evaluate("image => image.naturalWidth") > 0
        assert not notice.is_visible()

    in_browser(visit, expects=FAILED)


def test_small_screens_are_told_once_that_the_study_was_made_for_larger_ones(
    in_browser: InBrowser, resume: str
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        notice = page.get_by_text("made for larger screens")
        assert notice.is_visible()
        page.get_by_role("button", name="Understood").click()
        page.reload()
        ready(page)
        assert not notice.is_visible()

    in_browser(visit, viewport={"width": 700, "height": 900})


def test_large_screens_are_not_told(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        assert not page.get_by_text("made for larger screens").is_visible()

    in_browser(visit)


@pytest.mark.parametrize("viewport", [(683, 384), (320, 640)], ids=["200 %", "320 px"])
def test_enlarged_pages_reflow_and_no_bar_hides_what_has_the_focus(
    in_browser: InBrowser, resume: str, viewport: tuple[int, int]
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        for tab in ("Overview", "Features"):
            page.get_by_role("tab", name=tab).click()
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        hidden = []
        for _ in range(60):
            page.keyboard.press("Tab")
            hidden += page.evaluate(HIDDEN)
        assert hidden == []

    # Without motion, what takes the focus is in view at once.
    in_browser(visit, viewport=dict(zip(("width", "height"), viewport, strict=True)), reduced_motion="reduce")


HIDDEN = """() => {
  const element = document.activeElement;
  if (element === document.body) return [];
  const { left, top, width, height } = element.getBoundingClientRect();
  const at = document.elementFromPoint(left + width / 2, top + height / 2);
  const isSeen = at && (element.contains(at) || at.contains(element) || at.closest("label, .picture"));
  return isSeen ? [] : [element.outerHTML.slice(0, 120) + " under " + (at ? at.outerHTML.slice(0, 60) : "nothing")];
}"""


def test_a_page_from_the_browsers_cache_gives_way_to_the_present_item(
    in_browser: InBrowser, resume: str, sheet: Sheet
) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        other = page.context.new_page()
        open_sheet(other, resume)
        fill_in(other)
        send(other)
        other.locator("[data-continue]").click()
        other.get_by_text("Practice 2 of 2").first.wait_for()
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        page.get_by_text("Practice 2 of 2").first.wait_for()

    in_browser(visit)
