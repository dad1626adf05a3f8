"""Nothing moves when pictures come in or scripts begin, and the graph's links can be used before.

Requests of pictures, or of the page's script, are held back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.at_an_item import FAILED, open_sheet, ready

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
WIDTHS = {"laptop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
#: Every element's place on the page, hidden ones without extent.
PLACES = """() => [...document.querySelectorAll("main *")].map(element => {
  const { x, y, width, height } = element.getBoundingClientRect();
  return [element.outerHTML.slice(0, 80), ...[x, y + scrollY, width, height].map(length => Math.round(length * 10))];
})"""
WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver(list => shifts.push(...list.getEntries().map(entry => entry.value)))
    .observe({ type: "layout-shift", buffered: true });
"""
STYLED = """() => [...document.querySelectorAll("link[rel=stylesheet]")].every(link => link.sheet)"""
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def _hold_back(page: Any) -> list[Any]:
    """The requests of pictures from now on, which wait."""
    held: list[Any] = []
    page.route("**/m/*", lambda route: held.append(route))  # playwright writes to the function: no bound method
    return held


def _release(page: Any, held: list[Any]) -> None:
    for route in held:
        route.continue_()
    page.unroute("**/m/*")
    page.wait_for_function("() => [...document.images].every(image => image.complete && image.naturalWidth)")
    page.evaluate(FRAMES)


@pytest.mark.parametrize("tab", ["overview", "features"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_when_the_pictures_come_in(in_browser: InBrowser, resume: str, width: str, tab: str) -> None:
    def visit(page: Any) -> None:
        page.add_init_script(WATCH_SHIFTS)
        held = _hold_back(page)
        page.goto(resume, wait_until="domcontentloaded")
        ready(page)
        page.get_by_role("tab", name=tab.capitalize()).click()
        page.evaluate(FRAMES)
        before = page.evaluate(PLACES)
        page.evaluate("shifts.length = 0")
        _release(page, held)
        assert len(held) > 10
        assert page.evaluate(PLACES) == before
        assert page.evaluate("shifts") == []

    in_browser(visit, viewport=WIDTHS[width])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_graphs_links_are_as_tall_before_their_picture_is_there(
    in_browser: InBrowser, resume: str, width: str
) -> None:
    def visit(page: Any) -> None:
        held = _hold_back(page)
        page.goto(resume, wait_until="domcontentloaded")
        ready(page)
        page.get_by_role("tab", name="Features").click()
        links = page.locator(".graph-links a")
        assert all(link.bounding_box()["height"] >= 24 for link in links.all())
        links.nth(2).click()
        assert [card.get_attribute("id") for card in page.locator(".feature:visible").all()] == ["e1f3"]
        _release(page, held)

    in_browser(visit, viewport=WIDTHS[width])


def test_a_picture_enlarged_before_it_is_there_has_its_shape(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        held = _hold_back(page)
        page.goto(resume, wait_until="domcontentloaded")
        ready(page)
        page.keyboard.press("z")
        picture = page.locator("[data-stage] .picture")
        before = picture.bounding_box()
        # All of it is in view, as large as the window allows: the cast's pictures are 12 by 8.
        assert before["width"] / before["height"] == pytest.approx(12 / 8, rel=0.01)
        stage = page.locator("[data-stage]").bounding_box()
        assert before["width"] == pytest.approx(min(stage["width"], stage["height"] * 12 / 8), rel=0.02)
        _release(page, held)
        assert picture.bounding_box() == pytest.approx(before, rel=0.01)

    in_browser(visit)


@pytest.mark.parametrize("tab", ["overview", "features"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_moves_when_the_scripts_begin(in_browser: InBrowser, resume: str, width: str, tab: str) -> None:
    def places(page: Any) -> list[Any]:
        shown = (".datapoint", ".bar", ".layers", "[data-opacity]", f"#{tab} .card >> nth=0")
        assert not page.locator(f"#{'overview' if tab == 'features' else 'features'}").is_visible()
        assert not page.get_by_text("made for larger screens").is_visible()
        # On a phone the answer is far below, and comes up where further features fold.
        key = page.locator(".submit .primary kbd").bounding_box()["x"]
        return [key, *(page.locator(name).bounding_box() for name in shown)]

    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.get_by_role("tab", name=tab.capitalize()).click()
        if width == "phone":
            page.get_by_role("button", name="Understood").click()
        page.goto(page.url.partition("#")[0])  # as after an answer: what was open is not in the address
        held: list[Any] = []
        page.route("**/item.js", lambda route: held.append(route))
        page.reload(wait_until="commit")
        page.locator("[data-zoom]").wait_for(state="attached")
        page.wait_for_function(STYLED)
        before = places(page)
        assert page.locator("body.is-ready").count() == 0
        for route in held:
            route.continue_()
        ready(page)
        assert places(page) == before

    in_browser(visit, viewport=WIDTHS[width])


def test_an_item_whose_scripts_never_come_shows_both_pages_by_their_links(in_browser: InBrowser, resume: str) -> None:
    def visit(page: Any) -> None:
        open_sheet(page, resume)
        page.get_by_role("tab", name="Features").click()
        page.goto(page.url.partition("#")[0])
        page.route("**/item.js", lambda route: route.abort())
        page.reload()
        for name in ("Overview", "Features"):
            page.get_by_role("link", name=name, exact=True).click()
            assert page.locator(f"#{name.lower()}").is_visible()

    in_browser(visit, expects=FAILED)
