"""The report page in a real browser: charts that answer the pointer under the page's policy, on paper and as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from pytest_django.live_server_helper import LiveServer

from studies.reports.build import report_store
from studies.reports.charts import as_rows, report_charts
from tests import cast
from tests.browser import axe
from tests.browser.test_researcher_desk_in_a_browser import PHONE, enter
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.reports.report_values import FIVE, HOSTILE, a_report

pytestmark = [pytest.mark.django_db(transaction=True)]
InBrowser = Callable[..., Any]
CHARTS = 7
FAINT = '.chart-live [opacity="0.15"]'


@pytest.fixture
def shown(live_server: LiveServer) -> Callable[..., str]:
    """`shown(names)` puts a report with every chart in the place of a small study's: the address of its page."""
    version = make_version(owner=cast.researcher())
    make_sheet(version, "U", right(8), kind="simulated")

    def show(names: tuple[str, ...]) -> str:
        report, row = a_report(names, annotators=5, study="shapes"), report_store(version_pk=version.pk)
        row.body, row.charts = report.model_dump(mode="json"), as_rows(report_charts(report))
        row.save()
        return f"{live_server.url}/studies/shapes/report/"

    return show


def opened(page: Any, live_server: LiveServer, url: str) -> None:
    """Log in and wait until all charts answer."""
    enter(page, live_server.url)
    page.goto(url)
    page.locator("figure.is-live").nth(CHARTS - 1).wait_for()


def faint(page: Any) -> list[str]:
    """The charts in which something is dimmed."""
    return page.evaluate("""() => [...document.querySelectorAll('figure.is-live')].filter(
        (figure) => figure.querySelector('.chart-live [opacity="0.15"]')).map((figure) => figure.dataset.chart)""")


def test_charts_run_under_the_pages_policy_and_all_point_at_the_same_condition(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]
) -> None:
    def visit(page: Any) -> None:
        opened(page, live_server, shown_at)
        assert faint(page) == []
        page.locator("#chart-accuracy .chart-live .mark-symbol path").first.hover(force=True)
        page.locator(".chart-tip:not([hidden])").wait_for()
        assert page.locator(".chart-tip").inner_text().split() == [
            "Condition",
            "U",
            "Annotator",
            "1",
            "Accuracy",
            score,
        ]
        page.locator(FAINT).first.wait_for()
        assert len(faint(page)) == CHARTS
        page.mouse.move(1, 1)
        page.locator(FAINT).first.wait_for(state="detached")

    shown_at = shown(FIVE)
    first = a_report(FIVE, annotators=5).conditions[0].accuracy
    assert first is not None
    score = f"{first.per_annotator[0]:.3f}"
    in_browser(visit)


def test_a_condition_is_picked_by_keyboard(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]
) -> None:
    def visit(page: Any) -> None:
        opened(page, live_server, shown_at)
        button = page.get_by_role("button", name="U+C+Rl", exact=True)
        button.focus()
        page.keyboard.press("Enter")
        page.locator(FAINT).first.wait_for()
        assert button.get_attribute("aria-pressed") == "true"
        page.keyboard.press("Enter")
        page.locator(FAINT).first.wait_for(state="detached")
        assert button.get_attribute("aria-pressed") == "false"

    shown_at = shown(FIVE)
    in_browser(visit)


def test_charts_are_saved_for_papers_in_black(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str], tmp_path: Path
) -> None:
    def visit(page: Any) -> None:
        opened(page, live_server, shown_at)
        for kind in ("SVG", "PNG"):
            with page.expect_download() as download:
                page.locator("#chart-accuracy").get_by_role("button", name=f"Save this chart as {kind}").click()
            assert download.value.suggested_filename == f"shapes-accuracy.{kind.lower()}"
            download.value.save_as(tmp_path / kind)

    shown_at = shown(HOSTILE)
    in_browser(visit, color_scheme="dark")
    drawing = (tmp_path / "SVG").read_text(encoding="utf-8")
    words = " ".join(ElementTree.fromstring(drawing).itertext())  # noqa: S314 - our own drawing
    assert '="currentColor"' not in drawing
    assert "currentColor" in words, "the condition of that name keeps it"
    picture = Image.open(tmp_path / "PNG").convert("RGB")
    assert picture.width == 4 * 480
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert picture.convert("L").getextrema() == (0, 255)


def test_hostile_and_many_names_fit_and_every_finding_of_axe_is_absent(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]
) -> None:
    def visit(page: Any) -> list[str]:
        opened(page, live_server, shown_at)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.get_by_role("button", name=HOSTILE[0], exact=True).count() == 1
        return axe.violations(page)

    shown_at = shown(HOSTILE)
    assert in_browser(visit) == []
    assert in_browser(visit, **PHONE) == []


def test_paper_gets_the_drawings_and_the_screen_the_answering_ones(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]
) -> None:
    def visit(page: Any) -> None:
        opened(page, live_server, shown_at)
        drawn, live = page.locator("#chart-alpha .chart-drawn"), page.locator("#chart-alpha .chart-live")
        assert (drawn.is_visible(), live.is_visible()) == (False, True)
        page.emulate_media(media="print")
        assert (drawn.is_visible(), live.is_visible()) == (True, False)
        page.set_viewport_size({"width": 800, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") <= 800
        folded = page.locator("details:not([open]) table")
        assert folded.count() > 0
        assert all(table.bounding_box()["height"] > 20 for table in folded.all()), "what is folded is printed"

    shown_at = shown(HOSTILE)
    in_browser(visit)


def test_without_scripts_the_drawings_stay(
    in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]
) -> None:
    def visit(page: Any) -> None:
        enter(page, live_server.url)
        page.goto(shown_at)
        assert page.get_by_role("img", name="Accuracy").first.is_visible()
        assert page.locator("figure svg:visible").count() == CHARTS
        assert not page.locator("[data-chart-picker], [data-copy]").first.is_visible()

    shown_at = shown(FIVE)
    in_browser(visit, java_script_enabled=False)


def test_the_methods_are_copied(in_browser: InBrowser, live_server: LiveServer, shown: Callable[..., str]) -> None:
    def visit(page: Any) -> None:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened(page, live_server, shown_at)
        page.get_by_role("button", name="Copy").click()
        page.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == "We asked people."

    shown_at = shown(FIVE)
    in_browser(visit)
