"""Exclusion rules as filters: which sheets they leave out, and the figures with and without them."""

from __future__ import annotations

import pytest

from studies.models import Item, StudyVersion
from studies.reports.archive_tables import sheet_rows
from studies.reports.build import build
from studies.reports.ratings import data_sha256
from tests.studies.reports.answers import answer, make_sheet, make_version, right

pytestmark = pytest.mark.django_db
QUIZ = {"questions": [{"text": "What?", "options": ["a", "b"], "correct": "a"}], "attempts": 2}


def version_with_checks(*rules: str, count: int = 20, checks: int = 2) -> StudyVersion:
    """A study with attention checks that ask for letter C, whose plan has these rules."""
    version = make_version(count=count)
    version.definition["items"]["checks"] = checks
    version.definition["plan"]["exclude"] = list(rules)
    version.definition["pages"]["quiz"] = QUIZ
    for number in range(checks):
        place = count + 1 + number
        Item.objects.create(
            version=version,
            position=place,
            split="val",
            index=place,
            datapoint=f"check {number}",
            prediction=10 * place,
            truth=10 * place,
            choices=[{"letter": c, "label": c, "classes": [10 * place + i]} for i, c in enumerate("ABCD")],
            expected="C",
        )
    return version


def checked_sheet(version: StudyVersion, letters: str, checks: str, condition: str = "U"):
    """A finished sheet that also answers the attention checks with these letters."""
    sheet = make_sheet(version, condition, letters)
    for item, letter in zip(version.items.exclude(expected="").order_by("position"), checks, strict=True):
        answer(sheet, item, "choice", letter)
    return sheet


def test_one_failed_check_leaves_a_sheet_out_of_every_figure():
    version = version_with_checks("failed_checks")
    checked_sheet(version, right(8), "CC")
    checked_sheet(version, right(10), "CC")
    checked_sheet(version, right(20), "CA")
    report = build(version)
    found = report.conditions[0]
    assert (found.annotators, found.excluded) == (2, 1)
    # .40 and .50; with the third, who is always right, (.4 + .5 + 1) / 3
    assert found.accuracy.per_annotator == (0.4, 0.5)
    without = report.exclusions.without[0]
    assert (without.name, without.annotators) == ("U", 3)
    assert without.accuracy.mean == pytest.approx(1.9 / 3)
    assert without.alpha.value < found.alpha.value
    (rule,) = report.exclusions.rules
    assert (rule.rule, rule.excluded) == ("failed_checks", {"U": 1, "U+Rl": 0})
    assert (
        "Left out as the plan declares (failed_checks): 1 sheet; the figures with them stand apart." in report.warnings
    )


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), [False, False, False, False, False]),
        (("failed_checks",), [False, True, False, False, False]),
        (("failed_quiz", "failed_checks"), [False, True, False, True, False]),
    ],
)
def test_the_export_marks_the_sheets_that_the_report_leaves_out(rules: tuple[str, ...], expected: list[bool]):
    version = version_with_checks(*rules)
    checked_sheet(version, right(8), "CC")
    checked_sheet(version, right(9), "CA")
    corrected = checked_sheet(version, right(10), "AC")
    answer(corrected, version.items.get(datapoint="check 0"), "choice", "C")
    tried = checked_sheet(version, right(11), "CC")
    unfinished = checked_sheet(version, right(12), "AA")
    tried.quiz_attempts, unfinished.step = QUIZ["attempts"], "item"
    tried.save()
    unfinished.save()
    found = [row["excluded"] for row in sheet_rows(version)]
    assert found == expected
    assert sum(found) == build(version).conditions[0].excluded


def test_where_nobody_is_left_out_both_figures_are_the_same():
    version = version_with_checks("failed_checks")
    checked_sheet(version, right(8), "CC")
    checked_sheet(version, right(10), "CC")
    report = build(version)
    assert report.conditions[0].excluded == 0
    assert report.exclusions.without[0].accuracy == report.conditions[0].accuracy
    assert report.exclusions.without[0].alpha == report.conditions[0].alpha
    assert not [warning for warning in report.warnings if "Left out" in warning]


def test_the_newest_answer_to_a_check_counts():
    version = version_with_checks("failed_checks", checks=1)
    corrected, spoilt = checked_sheet(version, right(8), "A"), checked_sheet(version, right(9), "C")
    check = version.items.get(expected="C")
    answer(corrected, check, "choice", "C")
    answer(spoilt, check, "choice", "B")
    assert build(version).conditions[0].accuracy.per_annotator == (0.4,)


def test_an_undeclared_rule_leaves_nobody_out_and_failed_checks_are_named():
    version = version_with_checks()
    checked_sheet(version, right(8), "AA")
    report = build(version)
    assert (report.conditions[0].annotators, report.conditions[0].excluded) == (1, 0)
    assert report.exclusions is None
    assert (
        "Counted although an attention check was failed: 1 sheet (U 1, U+Rl 0); the plan does not exclude them."
        in report.warnings
    )


def test_failing_the_quiz_once_and_passing_is_no_failed_quiz():
    version = version_with_checks("failed_quiz")
    sheet = checked_sheet(version, right(8), "CC")
    sheet.quiz_attempts = 1
    sheet.save()
    out = make_sheet(version, "U", "", step="screened_out")
    out.quiz_attempts, out.condition = 2, None
    out.save()
    report = build(version)
    assert report.conditions[0].annotators == 1
    assert report.exclusions.rules[0].excluded == {"U": 0, "U+Rl": 0}
    assert report.drop_off.screened_out == 1


def test_a_finished_sheet_whose_attempts_were_used_up_is_left_out():
    version = version_with_checks("failed_quiz", "failed_checks")
    sheet = checked_sheet(version, right(8), "AA")
    sheet.quiz_attempts = 2
    sheet.save()
    report = build(version)
    # It breaks both rules: each counts it, the condition once
    assert [rule.excluded["U"] for rule in report.exclusions.rules] == [1, 1]
    assert (report.conditions[0].annotators, report.conditions[0].excluded) == (0, 1)
    assert "Condition U has no annotator left: the plan excludes all of its finished sheets." in report.warnings


def test_an_answered_check_changes_the_hash_of_the_data():
    version = version_with_checks("failed_checks", checks=1)
    sheet = checked_sheet(version, right(8), "C")
    before = data_sha256(version, "live")
    answer(sheet, version.items.get(expected="C"), "choice", "A")
    assert data_sha256(version, "live") != before
