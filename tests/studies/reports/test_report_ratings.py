"""Which answers count, and in which order they come."""

from __future__ import annotations

import pytest

from studies.models import Study
from studies.reports.ratings import RatingTable, data_sha256, ratings_of, sheet_kind
from studies.services.withdrawing import sheet_withdraw
from tests.studies.reports.answers import answer, counted, make_sheet, make_version

pytestmark = pytest.mark.django_db


def table(version, condition="U", kind="live") -> RatingTable:
    return next(t for t in ratings_of(version, kind).tables if t.condition == condition)


def test_letters_identities_and_correctness_of_one_sheet():
    version = make_version(count=3)
    make_sheet(version, "U", "AB-", confidence=4, helpful="of-")
    found = table(version)
    # Item 0 lists red blue green gray, item 1 blue green gray red: B of item 1 is green.
    assert found.letters == (("A", "B", None),)
    assert found.labels == (("red", "green", None),)
    assert found.correct == ((True, False, None),)
    assert found.confidence == ((4, 4, None),)
    assert found.helpful == (("overview", "features", None),)


def test_the_practice_item_never_counts():
    version = make_version(count=3)
    sheet = make_sheet(version, "U", "BBB")
    answer(sheet, version.items.get(is_practice=True), "confidence", 5)
    assert table(version).correct == ((False, False, False),)
    assert table(version).confidence == ((None, None, None),)
    assert len(ratings_of(version, "live").items) == 3


def test_a_revised_answer_counts_once_with_its_newest_value():
    version = make_version(count=2)
    sheet = make_sheet(version, "U", "AA")
    answer(sheet, counted(version)[1], "choice", "C")
    answer(sheet, counted(version)[1], "choice", "D")
    assert table(version).letters == (("A", "D"),)


@pytest.mark.parametrize("step", ["consent", "item", "review", "post", "screened_out", "full", "withdrawn"])
def test_only_finished_sheets_count(step):
    version = make_version(count=2)
    make_sheet(version, "U", "AA", step=step)
    assert table(version).annotators == ()


def test_a_withdrawn_sheet_leaves_the_tables_and_is_counted_as_withdrawn():
    version = make_version(count=2)
    make_sheet(version, "U", "AA")
    sheet_withdraw(sheet=make_sheet(version, "U", "BB"))
    assert table(version).letters == (("A", "A"),)
    assert table(version).drop_off.withdrawn == 1


def test_kinds_of_sheets_never_mix():
    version = make_version(count=2)
    make_sheet(version, "U", "AA", kind="live")
    make_sheet(version, "U", "BB", kind="pilot")
    make_sheet(version, "U", "CC", kind="simulated")
    assert [table(version, kind=kind).letters for kind in ("live", "pilot", "simulated")] == [
        (("A", "A"),),
        (("B", "B"),),
        (("C", "C"),),
    ]


def test_a_study_is_about_its_live_sheets_as_soon_as_there_is_one():
    version = make_version(count=2)
    study = Study.objects.get()
    make_sheet(version, "U", "AA", kind="simulated")
    assert sheet_kind(study) == "simulated"
    make_sheet(version, "U", "", kind="live", step="consent")
    assert sheet_kind(study) == "live"


def test_annotators_come_in_order_of_pseudonym_and_items_in_order_of_position():
    version = make_version(count=2)
    late, early = make_sheet(version, "U", "AB"), make_sheet(version, "U", "BA")
    for sheet, pseudonym in ((late, "z"), (early, "a")):
        sheet.annotator.pseudonym = pseudonym
        sheet.annotator.save()
    assert table(version).annotators == ("a", "z")
    assert table(version).letters == (("B", "A"), ("A", "B"))


def test_the_data_hash_changes_with_answers_and_state_and_with_nothing_else():
    version = make_version(count=2)
    sheet = make_sheet(version, "U", "AA")
    first = data_sha256(version, "live")
    make_sheet(version, "U", "AA", kind="simulated")
    assert data_sha256(version, "live") == first
    answer(sheet, counted(version)[0], "choice", "B")
    second = data_sha256(version, "live")
    assert second != first
    version.study.state = "closed"
    assert data_sha256(version, "live") not in (first, second)
