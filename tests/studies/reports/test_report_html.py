"""The report as one HTML file, and as the part that the page shows."""

from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string

from studies.reports.build import build, report_store
from studies.reports.export import render
from studies.reports.html import as_html, report_context
from tests.studies.reports.answers import make_sheet, make_version, right
from tests.studies.reports.report_values import FIVE, HOSTILE, a_condition, a_report, an_accuracy, an_alpha

LOADING = r"<script|<link|<img|src=|href=|url\(|@import"


@pytest.fixture
def version(db):
    """Three simulated sheets in one of two arms."""
    version = make_version()
    for count in (8, 8, 13):
        make_sheet(version, "U", right(count), kind="simulated")
    return version


def page(report, **context):
    """The part of the page, without its frame."""
    return render_to_string("researcher/_report.html", {**report_context(report), **context})


def test_the_file_loads_nothing_runs_nothing_and_has_the_charts(version):
    row = report_store(version_pk=version.pk)
    file = render(build(version), "html", row.charts)
    assert file.startswith("<!doctype html>")
    assert not re.search(LOADING, file)
    assert file.count('<svg xmlns="http://www.w3.org/2000/svg"') == len(row.charts) > 1


def test_a_simulated_report_is_watermarked(version):
    file = render(build(version), "html")
    assert "SIMULATED: answers of simulated annotators" in file[: file.index("<main")]


def test_the_tables_hold_the_figures(version):
    file = render(build(version), "html")
    # (.40 + .40 + .65) / 3 = .48333; squares of -.08333, -.08333, .16667 sum to .041667, / 2, root .14434
    assert "0.483 ± 0.144" in file
    assert "Model right (20 items)" in file


def test_text_from_the_study_file_is_escaped():
    shown = as_html(a_report(HOSTILE, annotators=2, title="<b>Who</b> & why", methods="<i>We</i> asked"))
    assert "&lt;b&gt;Who&lt;/b&gt; &amp; why" in shown
    assert "&lt;i&gt;We&lt;/i&gt; asked" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_the_declared_result_and_the_warnings_come_before_every_figure():
    shown = page(a_report())
    assert shown.index("It rises.") < shown.index("With so few annotators nothing is certain.") < shown.index("<table")


def test_coefficients_beside_alpha_stand_in_a_table_of_their_own():
    shown = page(a_report(["U"]))
    own = shown[shown.index("More about agreement") :]
    cells = re.findall(r'<td class="number">(.*?)</td>', own[: own.index("</table>")])
    # alpha of this arm, then what report_values gives: kappa .4, AC1 undefined, percent agreement .6
    # Its interval lies .15 to each side, and there is none for these annotators
    assert cells[2:] == ["0.400", "undefined", "0.600"]


def test_both_intervals_of_alpha_stand_side_by_side_under_their_populations():
    found = an_alpha(0.5) | {"interval": [-1.0, 0.9], "interval_items": [0.25, 0.75]}
    shown = page(a_report(["U"], conditions=[a_condition("U", [0.5, 0.6], alpha=found)]))
    own = shown[shown.index("More about agreement") :]
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', own[: own.index("</table>")])
    assert heads[2:4] == [
        "95 % interval of alpha, new annotators and new items",
        "95 % interval of alpha, these annotators and new items",
    ]
    assert '<td class="number">[-1.000, 0.900]</td><td class="number">[0.250, 0.750]</td>' in own


def test_what_rounds_to_nothing_has_no_minus():
    arm = a_condition("U", [0.5, 0.6], alpha=an_alpha(-0.0004) | {"interval": [-0.2, -0.0001]})
    shown = page(a_report(["U"], conditions=[arm]))
    assert '<td class="number">0.000</td><td class="number">[-0.200, 0.000]</td>' in shown


def test_comparisons_stand_below_the_statistic_that_they_test():
    pair = {"a": "U", "b": "U+C", "unit": "annotator", "p": 0.1, "p_adjusted": 0.3, "smallest_possible_p": 0.1}
    pairs = [
        pair | {"statistic": name, "difference": d, "exact": True} for name, d in (("alpha", 0.2), ("accuracy", -0.0))
    ]
    trend = {"p": 0.0004, "order": ["U", "U+C"], "statistic": "accuracy", "correlation": 0.5, "unit": "annotator"}
    trends = [trend | {"smallest_possible_p": 0.0004, "exact": True}]
    shown = page(a_report(comparisons=pairs, trends=trends))
    accuracy, alpha = shown.index("report-tests-accuracy"), shown.index("report-tests-alpha")
    assert (
        accuracy
        < shown.index("correlation +0.500, p &lt; 0.001")
        < shown.index("+0.000")
        < alpha
        < shown.index("+0.200")
    )
    assert "report-tests-confidence" not in shown


def test_exclusions_are_shown_with_and_without():
    rule = {"rule": "failed_checks", "meaning": "those who missed a check", "excluded": {"U": 2}}
    everybody = {"name": "U", "annotators": 22, "accuracy": an_accuracy(0.125, [0.125]), "alpha": an_alpha(0.375)}
    shown = page(a_report(["U"], exclusions={"rules": [rule], "without": [everybody]}))
    rules = shown[shown.index("What the plan leaves out") :]
    assert "those who missed a check (U: 2)" in rules
    cells = re.findall(r'<td class="number">(.*?)</td>', rules[: rules.index("</table>")])
    assert (cells[:2], cells[3], cells[5]) == (["20", "22"], "0.125 ± 0.100", "0.375")


def test_people_who_started_are_accounted_for():
    assert (
        "54 of 60 who started were given a condition; 3 screened out by the quiz, 1 withdrew before,"
        " 2 did not come that far." in page(a_report())
    )


def test_calibration_is_said_in_words_and_in_a_table():
    shown = page(a_report(["U"]))
    assert "<strong>U</strong>: Sure people are right." in shown
    # confidence 5: 0.3 + 0.1 * 5, 20 * 5 answers; then what report_values gives for the separation
    assert '<td class="number">0.800 (100)</td><td class="number">0.700</td>' in shown


def test_a_column_that_nobody_has_a_figure_for_is_left_out():
    without = {"confidence": None, "calibration": None, "helpful": None, "split": None}
    shown = page(a_report(FIVE, conditions=[a_condition(name, [0.5, 0.6], **without) for name in FIVE]))
    assert not re.search(r"Confidence ± std|Overview / Features|Accuracy at each confidence|Model right", shown)


def test_a_report_without_charts_or_whose_charts_failed_has_its_tables():
    assert "Charts" not in page(a_report())
    failed = render_to_string(
        "researcher/_report.html", report_context(a_report(), [{"failed": "OSError: <no> engine"}])
    )
    assert "The charts could not be drawn" in failed
    assert "OSError: &lt;no&gt; engine" in failed
    assert "Per condition" in failed
