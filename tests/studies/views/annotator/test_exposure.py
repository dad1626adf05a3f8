"""Exposure: reports of a browser about how long a page was looked at are counted once, and lie apart from answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from studies.models import ExposureEvent, Sheet, Study
from studies.selectors import exposure_sums
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet at its first item."""
    made = cast.sheet_at_items(scenes, "U+C+Rl")
    ann.sit_at(made)
    return made


def report(ann: Annotator, batch: str = "", position: str = "0", **lengths: object) -> int:
    """What a page sends as it is left; the status of the answer."""
    named = {name.replace("_", "-"): str(length) for name, length in lengths.items()}
    form = {"batch": batch or str(uuid.uuid4()), "position": position, **named}
    return ann.client.post("/t/exposure/", form).status_code


def test_times_add_up_per_sheet_and_item(sheet: Sheet, ann: Annotator) -> None:
    assert report(ann, active=1200, idle=300, overview=1000, feature_2=250) == 204
    report(ann, active=800, away=50)
    ann.answer()
    report(ann, position="1", active=70)
    first, second = sheet.item_order[:2]
    assert exposure_sums(sheet.version, "live") == {
        (sheet.pk, first): {"active": 2000, "away": 50, "feature-2": 250, "idle": 300, "overview": 1000},
        (sheet.pk, second): {"active": 70},
    }
    assert exposure_sums(sheet.version, "pilot") == {}


def test_a_report_that_is_sent_twice_is_counted_once(sheet: Sheet, ann: Annotator) -> None:
    batch = str(uuid.uuid4())
    assert [report(ann, batch, active=500) for _ in range(2)] == [204, 204]
    assert ExposureEvent.objects.get().milliseconds == 500


@pytest.mark.parametrize("length", ["0", "-5", "1.5", "x", "", str(24 * 60 * 60 * 1000 + 1), "9" * 40, "\u0661"])
def test_lengths_that_make_no_sense_are_left_out(sheet: Sheet, ann: Annotator, length: str) -> None:
    assert report(ann, active=length, idle=7) == 204
    assert ExposureEvent.objects.get().what == "idle"


def test_unknown_names_positions_and_batches_are_left_out(sheet: Sheet, ann: Annotator) -> None:
    assert report(ann, prediction=5, feature_0=5, feature_21=5, features_1=5) == 204
    assert report(ann, position="1", active=5) == 204
    assert report(ann, "no uuid", active=5) == 204
    assert not ExposureEvent.objects.exists()


def test_a_report_on_the_last_item_may_come_after_the_end_but_not_after_a_withdrawal(
    sheet: Sheet, ann: Annotator
) -> None:
    while ann.client.get("/t/item/").status_code == 200:
        ann.answer()
    ann.client.post("/t/review/")
    ann.client.post("/t/post/")
    report(ann, position="5", active=5)
    assert ExposureEvent.objects.count() == 1
    ann.client.post("/t/withdraw/")
    assert report(ann, position="5", active=5) == 204
    assert not ExposureEvent.objects.exists()


def test_without_a_sheet_there_is_nothing_to_report_on(sheet: Sheet, newcomer: Callable[[], Annotator]) -> None:
    assert report(newcomer(), active=5) == 404
