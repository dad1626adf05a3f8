"""The report as text and as JSON."""

from __future__ import annotations

import json

import pytest

from studies.reports.build import build
from studies.reports.export import UnknownFormat, render
from studies.reports.shape import Report
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> Report:
    version = make_version()
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), confidence=4, kind="simulated")
        make_sheet(version, "U+Rl", right(count + 5), confidence=3, helpful="of" * 10, kind="simulated")
    return build(version)


def test_the_text_has_one_line_per_condition_with_its_name_first(report):
    lines = render(report, "text").splitlines()
    for name, accuracy in (("U", "0.517 ± 0.126"), ("U+Rl", "0.767 ± 0.126")):
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert accuracy in line
        condition = next(c for c in report.conditions if c.name == name)
        assert f"{condition.alpha.value:.3f}" in line


def test_8_10_and_13_of_20_are_51_7_plus_minus_12_6_points():
    version = make_version()
    for count in (13, 8, 10):
        make_sheet(version, "U", right(count))
    # 31 of 60; deviations from .51667: .11667, .01667, .13333; squares sum to .031667; / 2; root .12583
    (line,) = (line for line in render(build(version), "text").splitlines() if line.split()[:1] == ["U"])
    assert "0.517 ± 0.126" in line


def test_further_figures_have_a_row_each_and_a_column_per_condition(report):
    lines = render(report, "text").splitlines()
    head = next(line for line in lines if line.startswith("further figures"))
    assert head.split()[2:] == ["U", "U+Rl"]
    (percent,) = (line for line in lines if line.startswith("percent agreement"))
    # 8, 10 and 13 right of 20, the others B: items 0-7 and 13-19 agree, 8-9 and 10-12 in one pair of three:
    # (15 + 5 / 3) / 20; in the second condition the same, five items later: (13 + 2 + 5 / 3) / 20
    assert percent.split()[2:] == ["0.833", "0.833"]


def test_the_second_interval_of_alpha_names_its_population(report):
    lines = render(report, "text").splitlines()
    (row,) = (line for line in lines if line.startswith("alpha, these annotators and new items"))
    for condition in report.conditions:
        low, high = condition.alpha.interval_items
        assert f"[{low:.3f}, {high:.3f}]" in row
        # The first one, for new annotators too, stays in the condition's own line
        assert condition.alpha.over == "both"
        assert condition.alpha.interval[0] < low
        (own,) = (line for line in lines if line.split()[:1] == [condition.name])
        assert f"[{condition.alpha.interval[0]:.3f}, " in own
    assert any("Intervals hold for new annotators and new items, unless their row names others." in x for x in lines)


def test_the_text_ends_with_the_methods(report):
    lines = render(report, "text").splitlines()
    assert lines[lines.index("Methods") + 1].startswith("6 simulated annotators took part")
    assert lines[-1].startswith("References: ")


def test_every_statistic_has_its_own_tests(report):
    text = render(report, "text")
    for statistic in ("accuracy", "alpha", "confidence"):
        assert f"Differences of {statistic}, annotators permuted" in text
        assert f"Trend of {statistic} over U, U+Rl" in text


def test_a_test_of_alpha_says_what_a_small_p_means(report):
    lines = render(report, "text").splitlines()
    (heading,) = (i for i, line in enumerate(lines) if line.startswith("Differences of alpha"))
    assert lines[heading + 1].startswith("A small p for alpha says that people agree more, or less")
    assert "not merely on other answers" in render(report, "html")


def test_columns_are_aligned_and_lines_are_not_wrapped(report):
    lines = render(report, "text").splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("condition"))
    starts = [line.index("3 ", 4) for line in lines[header + 1 : header + 3]]
    assert starts == [lines[header].index("annotators")] * 2
    assert len(lines[header]) > 80


def test_a_simulated_report_says_so_first(report):
    assert render(report, "text").startswith("SIMULATED")


def test_the_text_names_chance_differences_trend_and_warnings(report):
    text = render(report, "text")
    assert "guessing reaches 0.250" in text
    assert "- U+Rl minus U: +0.250, p = 0." in text
    assert "Trend of accuracy over U, U+Rl:" in text
    assert "cannot go below p = 0.10" in text


def test_undefined_alpha_is_named_and_never_nan():
    version = make_version(count=4)
    for _ in range(2):
        make_sheet(version, "U", "AAAA")
    text = render(build(version), "text")
    assert "undefined" in text
    assert "nan" not in text.lower()


def test_the_json_has_the_shape_of_the_interfaces(report):
    body = json.loads(render(report, "json"))
    assert {
        "study", "version", "matches_plan", "simulated", "kind", "chance",
        "conditions", "comparisons", "trend", "warnings",
    } <= set(body)  # fmt: skip
    assert (body["study"], body["simulated"], body["kind"], body["chance"]) == ("shapes", True, "simulation", 0.25)
    assert len(body["version"]) == 64
    condition = body["conditions"][1]
    assert (condition["name"], condition["stages"]) == ("U+Rl", ["U", "Rl"])
    assert (condition["annotators"], condition["items"]) == (3, 20)
    assert {"mean", "std", "interval", "over", "per_annotator"} == set(condition["accuracy"])
    assert (
        {"value", "interval", "over", "level", "undefined", "interval_items"}
        == set(condition["alpha"])
        == set(condition["alpha_identity"])
    )
    assert (condition["confidence"]["mean"], condition["confidence"]["std"]) == (3.0, 0.0)
    assert condition["helpful"] == {"overview": 30, "features": 30}
    assert {"a", "b", "statistic", "difference", "unit", "p", "p_adjusted", "smallest_possible_p"} <= set(
        body["comparisons"][0]
    )
    assert body["trend"]["order"] == ["U", "U+Rl"]


def test_the_json_keeps_full_precision_and_reads_back(report):
    body = json.loads(render(report, "json"))
    assert body["conditions"][0]["accuracy"]["std"] == report.conditions[0].accuracy.std
    assert Report.model_validate(body) == report


def test_an_unknown_format_is_named_with_the_known_ones(report):
    with pytest.raises(UnknownFormat, match="unknown format 'pdf'; a report can be text, json"):
        render(report, "pdf")
