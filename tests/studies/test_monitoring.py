"""The run monitor's numbers, worked out by hand."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.models import Artefact, ExposureEvent, Sheet, Study, StudyVersion
from studies.monitoring import Unassigned, drop_off, fill, median_minutes, phases, unassigned
from studies.services.sheets import sheet_create
from tests.studies.reports.answers import counted, make_sheet, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> StudyVersion:
    """Two arms of 3, 4 items and 1 for practice."""
    return make_version(count=4)


def at(version: StudyVersion, arm: str, step: str, position: int, **values: object) -> Sheet:
    """A live sheet at some place."""
    sheet = make_sheet(version, arm, "", step=step)
    Sheet.objects.filter(pk=sheet.pk).update(position=position, **values)
    return sheet


def test_the_phases_are_those_that_have_rows_in_the_order_of_work(scenes: Study) -> None:
    version = scenes.version
    names = [phase.stage for phase in phases(version)]
    assert names == ["input", "U", "C", "Rl", "Rg", "P"]
    # 6 items with one explained class and 3 features each.
    assert {phase.stage: phase.total for phase in phases(version)} == {
        "input": 6, "U": 6, "C": 6, "Rl": 18, "Rg": 3, "P": 6,
    }  # fmt: skip


def test_a_phase_counts_ready_and_failed_and_says_what_is_in_hand(scenes: Study) -> None:
    rows = scenes.version.artefacts.filter(stage="C").order_by("pk")
    Artefact.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(state="failed", reason="no memory")
    Artefact.objects.filter(pk=rows[2].pk).update(state="leased", sha256="", done=30, total=200)
    (phase,) = [phase for phase in phases(scenes.version) if phase.stage == "C"]
    assert (phase.ready, phase.failed, phase.total) == (3, 2, 6)
    assert phase.inside == f"{rows[2].subject}: 30 of 200"


def test_fill_tells_finished_under_way_silent_late_and_withdrawn_apart(version: StudyVersion) -> None:
    long_ago = timezone.now() - timedelta(minutes=61)
    at(version, "U", "done", 5)
    at(version, "U", "item", 2)
    at(version, "U", "item", 2, is_late=True)
    at(version, "U", "review", 5, seen=long_ago)
    at(version, "U+Rl", "withdrawn", 3)
    make_sheet(version, "U+Rl", "AAAA", kind="simulated")
    first, second = fill(version)
    assert (first.finished, first.under_way, first.away, first.late, first.withdrawn) == (1, 2, 1, 1, 0)
    assert (second.finished, second.under_way, second.away, second.late, second.withdrawn) == (0, 0, 0, 0, 1)
    assert (first.quota, first.is_full, first.is_open) == (3, False, True)


def test_sheets_without_an_arm_are_counted_by_where_they_ended(scenes: Study) -> None:
    for step in ("consent", "quiz", "quiz", "screened_out", "full"):
        sheet = sheet_create(study=scenes, kind="live")
        Sheet.objects.filter(pk=sheet.pk).update(step=step)
    assert unassigned(scenes.version) == Unassigned(consent=1, quiz=2, screened_out=1, full=1, withdrawn=0)


def test_drop_off_counts_who_answered_each_place_of_the_own_sheet(version: StudyVersion) -> None:
    at(version, "U", "instructions", 0)
    at(version, "U", "item", 0)
    at(version, "U", "item", 3)
    at(version, "U", "done", 5)
    first, second = drop_off(version)
    assert [(name, n) for name, n, _ in first.reached] == [
        ("Began", 3), ("Practice 1", 2), ("Item 1", 2), ("Item 2", 2), ("Item 3", 1), ("Item 4", 1),
        ("Reviewed", 1), ("Finished", 1),
    ]  # fmt: skip
    assert first.reached[0][2] == 0.75
    assert (second.assigned, {n for _, n, _ in second.reached}) == (0, {0})


def test_the_median_time_adds_up_what_one_person_spent_on_one_item(version: StudyVersion) -> None:
    sheet, items = at(version, "U", "item", 3), counted(version)
    spent = [(items[0], 30_000), (items[0], 60_000), (items[1], 30_000), (items[2], 120_000)]
    for item, milliseconds in spent:
        ExposureEvent.objects.create(
            sheet=sheet, item=item, what="active", milliseconds=milliseconds, batch=uuid.uuid4()
        )
    ExposureEvent.objects.create(sheet=sheet, item=items[0], what="away", milliseconds=999_999, batch=uuid.uuid4())
    # 90 s, 30 s, 120 s: the median is 90 s.
    assert median_minutes(version) == {"U": 1.5}
    assert [arm.minutes for arm in fill(version)] == [1.5, None]
