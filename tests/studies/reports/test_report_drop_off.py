"""What became of everybody who started."""

from __future__ import annotations

import pytest

from studies.models import Sheet
from studies.reports.build import build
from tests.studies.reports.answers import make_sheet, make_version

pytestmark = pytest.mark.django_db


def sheet_at(version, step, condition="U", position=0, is_late=False) -> Sheet:
    """A sheet of which only this is known."""
    sheet = make_sheet(version, condition or "U", "AAAA" if step == "done" else "", step=step)
    sheet.position, sheet.is_late = position, is_late
    if condition is None:
        sheet.condition = None
    sheet.save()
    return sheet


def test_everybody_is_counted_once_up_to_the_assignment():
    version = make_version(count=4)
    for step in ("consent", "quiz", "screened_out", "screened_out", "full", "withdrawn"):
        sheet_at(version, step, condition=None)
    for step in ("done", "item", "withdrawn"):
        sheet_at(version, step)
    found = build(version).drop_off
    assert found.model_dump() == {
        "started": 9, "unassigned": 2, "screened_out": 2, "no_place": 1, "left": 1, "assigned": 3,
    }  # fmt: skip


def test_a_condition_says_how_far_its_sheets_came():
    version = make_version(count=4)
    version.study.state = "closed"
    version.study.save()
    sheet_at(version, "done", is_late=True)
    sheet_at(version, "done")
    sheet_at(version, "item", position=2)
    sheet_at(version, "withdrawn", position=3)
    found = build(version).conditions[0].drop_off
    assert (found.assigned, found.finished, found.unfinished, found.withdrawn, found.late) == (4, 2, 1, 1, 1)
    # Five pages: the practice item and four. Two came to the end, one to 2, one to 3.
    assert found.reached == (4, 4, 4, 3, 2, 2)


def test_sheets_under_way_are_no_loss_while_the_study_runs():
    version = make_version(count=4)
    version.study.state = "open"
    version.study.save()
    sheet_at(version, "done")
    sheet_at(version, "item", position=2)
    report = build(version)
    assert report.conditions[0].drop_off.reached == (1,) * 6
    assert "Not counted: 1 sheet under way." in report.warnings
    assert not [warning for warning in report.warnings if warning.startswith("Drop-off")]


def test_drop_off_that_differs_between_conditions_is_named():
    version = make_version(count=4)
    version.study.state = "closed"
    version.study.save()
    for _ in range(4):
        sheet_at(version, "done", "U")
        sheet_at(version, "done", "U+Rl")
    sheet_at(version, "item", "U+Rl")
    # 0 of 4 and 1 of 5: .20 apart
    said = (
        "Drop-off differs between conditions (U 0 of 4, U+Rl 1 of 5): those who stayed may differ from those who left."
    )
    assert said in build(version).warnings
    assert "Not counted: 1 sheet not finished." in build(version).warnings


def test_a_small_gap_in_drop_off_is_not_named():
    version = make_version(count=4)
    version.study.state = "closed"
    version.study.save()
    for _ in range(5):
        sheet_at(version, "done", "U")
        sheet_at(version, "done", "U+Rl")
    sheet_at(version, "withdrawn", "U+Rl")
    # 0 of 5 and 1 of 6: .17 apart
    assert not [warning for warning in build(version).warnings if warning.startswith("Drop-off")]


def test_late_returners_are_named():
    version = make_version(count=4)
    sheet_at(version, "done", is_late=True)
    assert "Came back after the time-out and kept their places: 1 sheet." in build(version).warnings
