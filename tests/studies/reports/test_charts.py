"""The charts of a report: what is drawn and where, that it holds in print, and that no condition's name breaks it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from xml.etree import ElementTree

import pytest

from studies.reports import charts_scores
from studies.reports.build import build, report_store
from studies.reports.charts import Chart, charts_of, render_chart, report_chart_rows, report_charts
from studies.reports.charts_marks import BLUE, VERMILLION, Rows, labels_of, reference, stacked, x
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.reports.report_values import FIVE, HOSTILE, a_condition, a_report, an_alpha
from tests.studies.test_stylesheet import colours_of, contrast

SVG = "{http://www.w3.org/2000/svg}"
ALL = ["accuracy", "alpha", "split", "confidence", "calibration", "helpful", "drop-off"]
PALETTE = {"currentColor", "none", "transparent", "#0072b2", "#d55e00"}


@pytest.fixture(scope="module")
def five() -> dict[str, Chart]:
    """Charts of five conditions with twenty annotators each."""
    return {chart.name: chart for chart in report_charts(a_report())}


def read(chart: Chart) -> ElementTree.Element:
    """The drawing as a tree: raises where it is not well-formed."""
    return ElementTree.fromstring(chart.svg)  # noqa: S314 - our own drawing


def drawn(chart: Chart, mark: str) -> list[tuple[float, float]]:
    """Where a kind of mark (symbol, text, rule, rect) is placed, among those that stand for data."""
    groups = [g for g in read(chart).iter(f"{SVG}g") if f"mark-{mark} role-mark" in g.get("class", "")]
    places = [re.match(r"translate\(([-\d.]+),([-\d.]+)\)", str(m.get("transform"))) for g in groups for m in g]
    return [(float(found[1]), float(found[2])) for found in places if found]


def texts(chart: Chart) -> list[str]:
    """All words of a drawing, line by line."""
    root = read(chart)
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_everything_that_was_asked_for_is_drawn(five: dict[str, Chart]) -> None:
    assert list(five) == ALL


def test_what_was_not_asked_for_is_left_out() -> None:
    nothing = {"accuracy": None, "confidence": None, "calibration": None, "helpful": None, "split": None}
    report = a_report(["U"], conditions=[a_condition("U", [0.5, 0.6], **nothing)])
    assert [chart.name for chart in report_charts(report)] == ["alpha", "drop-off"]


def test_a_study_without_answers_has_no_charts() -> None:
    empty = {"assigned": 0, "finished": 0, "unfinished": 0, "withdrawn": 0, "late": 0, "reached": []}
    nothing = dict.fromkeys(("accuracy", "confidence", "calibration", "helpful", "split"))
    arm = a_condition("U", [0.5], alpha=an_alpha(None, "no_overlap"), drop_off=empty, **nothing)
    assert report_charts(a_report(["U"], conditions=[arm])) == []


def test_a_dot_stands_where_its_accuracy_is_on_the_scale() -> None:
    arm = a_condition("U", [0.25, 0.5, 0.5, 1.0])
    chart = {c.name: c for c in report_charts(a_report(["U"], conditions=[arm]))}["accuracy"]
    dots = drawn(chart, "symbol")
    assert len(dots) == 5  # four annotators, one mean
    # The fourth dot lies at 1, the right end: the others at a quarter and at half of its distance from 0.
    end = dots[3][0]
    assert [place for place, _ in dots] == pytest.approx([end / 4, end / 2, end / 2, end, end * 0.5625])
    assert dots[1][1] != dots[2][1], "equal ones are drawn above each other"


def test_guessing_is_drawn_where_it_is_and_named() -> None:
    arm = a_condition("U", [0.5, 1.0])
    chart = {c.name: c for c in report_charts(a_report(["U"], chance=0.3, conditions=[arm]))}["accuracy"]
    end = max(place for place, _ in drawn(chart, "symbol"))
    assert drawn(chart, "text")[0][0] == drawn(chart, "rule")[0][0] == pytest.approx(0.3 * end)
    assert "guessing 0.300" in texts(chart)


def test_an_undefined_alpha_says_why(five: dict[str, Chart]) -> None:
    arms = [a_condition("U", [0.5]), a_condition("U+C", [0.5], alpha=an_alpha(None, "no_variation"))]
    chart = {c.name: c for c in report_charts(a_report(FIVE[:2], conditions=arms))}["alpha"]
    assert "undefined: all answers are the same" in texts(chart)
    # From the left end of the row, where the sentence has the whole width
    assert drawn(chart, "text")[-1][0] == 6
    assert not [text for text in texts(five["alpha"]) if "undefined" in text]


def test_alpha_has_a_thin_bar_for_new_annotators_and_a_thick_one_for_these() -> None:
    found = an_alpha(0.5) | {"interval": [-1.0, 1.0], "interval_items": [0.0, 0.75]}
    report = a_report(["U"], conditions=[a_condition("U", [0.5], alpha=found)])
    chart = {c.name: c for c in report_charts(report)}["alpha"]
    groups = [g for g in read(chart).iter(f"{SVG}g") if "mark-rule role-mark" in g.get("class", "")]
    lengths = {line.get("stroke-width"): abs(float(line.get("x2", "0"))) for group in groups for line in group}
    # 2 and .75 on the same scale
    assert lengths["5"] / lengths["1.5"] == pytest.approx(0.75 / 2, abs=0.01)
    assert (
        "thin bar is its 95 % interval for new annotators and new items, the thick one that for these annotators and"
        " new items" in chart.description
    )
    assert "95 %, these annotators and new items" in json.dumps(chart.vega)


def test_numbers_of_answers_and_people_are_written_out(five: dict[str, Chart]) -> None:
    assert {"12", "48 (80%)"} <= set(texts(five["helpful"]))
    assert texts(five["drop-off"]).count("21 of 24, 1 withdrew") == 5
    assert {"n = 20", "n = 100"} <= set(texts(five["calibration"]))


def test_beside_calibrations_scale_is_room_for_the_number_of_answers_at_every_width(five: dict[str, Chart]) -> None:
    ends = {scale["name"]: scale for scale in five["calibration"].vega["scales"]}["x"]
    assert ends["domainMin"] == -0.08
    assert ends["domainMax"] == {"signal": "1.08 * width / max(1, width - 54) + -0.08"}
    # 1.0 lies 1.08 / (max + 0.08) of the width from the left, which leaves 54 pixels, whatever the width.
    for width in (480, 185):
        most = 1.08 * width / (width - 54) - 0.08
        assert width - 1.08 / (most + 0.08) * width == pytest.approx(54)
    # Drawn 480 wide: the first condition's answers of confidence 5 lie at .8 of the scale, their number at its edge.
    dot, count = drawn(five["calibration"], "symbol")[4], drawn(five["calibration"], "text")[-1]
    assert count[0] == pytest.approx(dot[0] + 54 + 0.2 / 1.08 * (count[0] - 54), abs=0.5)


def test_every_condition_is_named_in_order_in_every_chart(five: dict[str, Chart]) -> None:
    for chart in five.values():
        assert [text for text in texts(chart) if text in FIVE] == list(FIVE), chart.name


def test_a_drawing_is_an_image_with_a_title_and_a_description(five: dict[str, Chart]) -> None:
    for chart in five.values():
        root = read(chart)
        ids = {element.get("id"): element.text for element in root.iter() if element.get("id")}
        assert root.get("role") == "img"
        assert [ids[name] for name in root.get("aria-labelledby", "").split()] == [chart.title, chart.description]


def test_drawings_need_neither_styles_nor_anything_from_elsewhere(five: dict[str, Chart]) -> None:
    for chart in five.values():
        assert not re.search(r"style=|<style|<image|<a |href|url\(|@|<script|<foreignObject| on\w+=", chart.svg), (
            chart.name
        )
        addresses = set(re.findall(r"https?://[^\"]+", chart.svg))
        assert addresses == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        assert not re.search(r'"url"|"href"', json.dumps(chart.vega))


def test_colours_are_the_pages_ink_and_two_that_all_eyes_tell_apart(five: dict[str, Chart]) -> None:
    for chart in five.values():
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', chart.svg))
        assert used <= PALETTE, chart.name


@pytest.mark.parametrize("colour", [BLUE, VERMILLION])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_the_card_that_they_are_drawn_on(colour: str, mode: str) -> None:
    # WCAG 2.2, 1.4.11: graphics need 3 to 1
    assert contrast(colour, colours_of(mode)["surface"]) >= 3


def test_no_two_kinds_of_marks_differ_by_colour_alone(five: dict[str, Chart]) -> None:
    outlines: dict[str, set[str]] = {}
    for path in read(five["split"]).iter(f"{SVG}path"):
        if str(path.get("stroke")).startswith("#"):
            outlines.setdefault(str(path.get("stroke")), set()).add("circle" if "A" in str(path.get("d")) else "square")
    assert outlines == {"#0072b2": {"circle"}, "#d55e00": {"square"}}


def test_names_of_conditions_are_words_and_never_markup() -> None:
    for chart in report_charts(a_report(HOSTILE, annotators=3)):
        root = read(chart)  # well-formed, also with a control character in a name
        assert not list(root.iter(f"{SVG}script"))
        words = " ".join(texts(chart))
        assert all(part in words for part in ("quotes ' \" &", "日本語の条件", "currentColor", "arm 5")), chart.name
        assert "<script>alert(1)</scri" in words


def test_long_names_are_broken_into_lines_and_stay_apart() -> None:
    long = "the same forty letters at the start of every name, and then the end"
    labels = labels_of([f"{long} a", f"{long} b", "U", "x" * 50])
    assert all(len(line) <= 26 for label in labels.values() for line in label.split("\n"))
    assert len(set(labels.values())) == 4
    assert labels["U"] == "U"


def test_equal_values_are_stacked_around_the_middle() -> None:
    # Three at .5 with a step of .22; two at .75, half a step to each side.
    assert stacked([0.5, 0.75, 0.5, 0.75, 0.5]) == pytest.approx([-0.22, -0.11, 0, 0.11, 0.22])
    assert max(stacked([0.5] * 40)) == pytest.approx(0.5), "never outside the row"


def test_five_conditions_with_twenty_annotators_stay_small(five: dict[str, Chart]) -> None:
    # 209 kB when this was written; the page carries all of it.
    assert sum(len(json.dumps(vars(chart))) for chart in five.values()) < 300_000


def test_a_chart_of_something_else_is_drawn_in_the_same_way() -> None:
    rows = Rows(["a", "b"], 30)
    points = rows.data([{"condition": "a", "value": 3}]).mark_point().encode(y=rows.y, x=x("value", "Hours", (0, 10)))
    chart = render_chart("hours", "Hours <b>", 'needed "& more"', rows.chart(*reference(5, "limit"), points))
    assert read(chart).findtext(f"{SVG}title") == "Hours <b>"
    assert {"name": "picked", "value": ""} in chart.vega["signals"]


@pytest.mark.django_db
def test_charts_are_stored_with_the_report_that_they_show() -> None:
    version = make_version()
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), kind="simulated")
    row = report_store(version_pk=version.pk)
    charts, failure = charts_of(row.charts)
    assert failure == ""
    assert [chart.svg for chart in charts] == [chart.svg for chart in report_charts(build(version))]


@pytest.mark.django_db
def test_a_report_whose_charts_fail_is_stored_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    version = make_version()
    make_sheet(version, "U", right(8), kind="simulated")
    monkeypatch.setattr(charts_scores, "accuracy_chart", lambda report: 1 // 0)
    row = report_store(version_pk=version.pk)
    assert charts_of(row.charts) == ([], "ZeroDivisionError: integer division or modulo by zero")
    assert row.body["conditions"][0]["accuracy"]["mean"] == 0.4


def test_a_fork_of_a_process_that_has_drawn_refuses_instead_of_waiting_for_ever(five: dict[str, Chart]) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os.write(writing, json.dumps(report_chart_rows(a_report(["U"], annotators=2))).encode())
        os._exit(0)
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0
    with os.fdopen(reading) as answer:
        assert "start it fresh" in json.load(answer)[0]["failed"]


def test_without_the_drawing_library_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    (row,) = report_chart_rows(a_report(["U"]))
    assert "vl_convert" in row["failed"]
