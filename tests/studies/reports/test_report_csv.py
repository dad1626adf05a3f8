"""The report as a tidy CSV: every figure in a row of its own, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest

from studies.reports.build import build
from studies.reports.csv_tables import COLUMNS
from studies.reports.export import render
from studies.reports.shape import Report
from tests.studies.reports.answers import make_sheet, make_version, right

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> Report:
    version = make_version(wrong_items=(3, 4))
    for count in (8, 10, 13):
        make_sheet(version, "U", right(count), confidence=4)
        make_sheet(version, "U+Rl", right(count + 5), confidence=3, helpful="ooof" * 5)
    return build(version)


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report, "csv"))))


def row(report: Report, statistic: str, condition: str = "") -> dict[str, str]:
    (found,) = [r for r in rows(report) if (r["statistic"], r["condition"]) == (statistic, condition)]
    return found


def test_every_row_has_the_columns(report: Report) -> None:
    lines = list(csv.reader(io.StringIO(render(report, "csv"))))
    assert tuple(lines[0]) == COLUMNS
    assert {len(line) for line in lines} == {len(COLUMNS)}


def test_accuracy_stands_at_full_precision_with_its_interval(report: Report) -> None:
    found, figures = row(report, "accuracy", "U"), report.conditions[0].accuracy
    assert figures is not None
    assert figures.interval is not None
    # .40, .50 and .65
    assert float(found["value"]) == pytest.approx(31 / 60)
    assert (float(found["low"]), float(found["high"])) == figures.interval
    assert (found["over"], found["n"]) == ("both", "3")
    assert row(report, "accuracy_std", "U")["value"].startswith("0.12583")
    assert [
        r["value"] for r in rows(report) if r["statistic"] == "accuracy_of_annotator" and r["condition"] == "U"
    ] == [
        "0.4",
        "0.5",
        "0.65",
    ]


def test_the_interval_over_items_has_a_row_of_its_own(report: Report) -> None:
    found, figures = row(report, "alpha_over_items", "U"), report.conditions[0].alpha
    assert figures.interval_items is not None
    assert (float(found["low"]), float(found["high"])) == figures.interval_items
    assert (found["over"], found["value"]) == ("items", row(report, "alpha", "U")["value"])
    assert "these annotators and new items" in found["note"]
    assert row(report, "alpha", "U")["over"] == "both"


def test_helpfulness_split_and_tests_have_rows(report: Report) -> None:
    # Three annotators, twenty items each, every fourth answer for the Features
    assert row(report, "helpful_overview", "U+Rl")["value"] == "45"
    assert row(report, "accuracy_model_wrong", "U")["n"] == "2"
    difference = row(report, "difference_of_accuracy", "U+Rl")
    assert (difference["compared_with"], float(difference["value"])) == ("U", pytest.approx(0.25))
    # All answers of a condition have the same confidence, one less in the second
    assert float(row(report, "difference_of_confidence", "U+Rl")["value"]) == -1


def test_an_undefined_figure_is_empty_and_says_why() -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA")
    make_sheet(version, "U", "AAAA")
    found = row(build(version), "alpha", "U")
    assert (found["value"], found["low"], found["note"]) == ("", "", "undefined: all answers are the same")


def test_the_watermark_comes_first() -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA", kind="simulated")
    first = rows(build(version))[0]
    assert first["statistic"] == "mark"
    assert first["note"].startswith("SIMULATED")


def test_nothing_begins_a_formula(report: Report) -> None:
    hostile = report.conditions[0].model_copy(update={"name": "=HYPERLINK(1)"})
    found = rows(report.model_copy(update={"conditions": (hostile,), "warnings": ("+1", "@x", "-2", "\t=1")}))
    cells = [cell for each in found for cell in each.values()]
    texts = [cell for cell in cells if cell[:1] in "=+-@\t" and cell and not is_number(cell)]
    assert not texts
    assert "'=HYPERLINK(1)" in cells


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
