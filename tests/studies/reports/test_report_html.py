"""The report as one HTML file, and where its plot puts things."""

from __future__ import annotations

import re

import pytest

from studies.reports.build import build
from studies.reports.export import render
from studies.reports.plots import place, strips
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db


@pytest.fixture
def report():
    version = make_version()
    for count in (8, 8, 13):
        make_sheet(version, "U", right(count), kind="simulated")
    return build(version)


def test_the_file_loads_nothing_and_runs_nothing(report):
    page = render(report, "html")
    assert page.startswith("<!doctype html>")
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", page)


def test_a_simulated_report_is_watermarked(report):
    page = render(report, "html")
    assert "SIMULATED: answers of simulated annotators" in page[: page.index("<main")]


def test_the_tables_hold_the_figures(report):
    page = render(report, "html")
    # (.40 + .40 + .65) / 3 = .48333; squares of -.08333, -.08333, .16667 sum to .041667, / 2, root .14434
    assert "0.483 ± 0.144" in page
    assert "Model right (20 items)" in page


def test_text_from_the_study_file_is_escaped():
    version = make_version(count=4)
    version.definition["title"] = "<b>Who</b> & why"
    assert "&lt;b&gt;Who&lt;/b&gt; &amp; why" in render(build(version), "html")


def test_dots_lie_on_a_common_scale_and_equal_ones_are_stacked(report):
    strip, empty = strips(report)
    # 3 % + 94 % of .4, .4, .65
    assert [dot.x for dot in strip.dots] == pytest.approx([40.6, 40.6, 64.1])
    assert [dot.y for dot in strip.dots] == [0, 10, 0]
    assert strip.chance == place(0.25) == 26.5
    assert (empty.dots, empty.mean, empty.low) == ((), None, None)
