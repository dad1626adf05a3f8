"""2,000 sheets drawn by the real assignment: where the prediction stands on screen says nothing about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from scipy.stats import chisquare

from studies.models import Annotator, Item, Sheet, Study, StudyVersion
from studies.secret_ids import public_id
from studies.services import drawing
from studies.services.assignment import condition_assign
from tests import cast

pytestmark = pytest.mark.django_db
SHEETS, SMALLEST_P = 2000, 0.001
Drawn = tuple[list[int], dict[str, list[str]]]


@pytest.fixture
def version(db: None) -> StudyVersion:
    """A small study with a fixed secret, so that the draws are the same on every run."""
    made = cast.study()
    Study.objects.filter(pk=made.pk).update(secret=bytes(range(32)))
    return Study.objects.get(pk=made.pk).version


def drawn(version: StudyVersion, count: int) -> list[Drawn]:
    """The orders of `count` sheets. They are not stored: what is drawn depends on the pseudonym alone."""
    condition = version.conditions.get(name="U")
    orders = []
    for number in range(count):
        person = Annotator(
            study=version.study, pseudonym="p" + public_id(version.study.secret, "annotator", number, length=9)
        )
        sheet = Sheet(version=version, annotator=person)
        assert condition_assign(sheet=sheet, condition=condition)
        orders.append((sheet.item_order, sheet.choice_orders))
    return orders


def test_prediction_truth_and_first_item_are_uniform_over_2000_sheets(version: StudyVersion) -> None:
    orders = drawn(version, SHEETS)
    items = {item.pk: item for item in version.items.all()}
    counted = [pk for pk, item in items.items() if not item.is_practice]
    for pk in counted:
        for key in (items[pk].prediction, items[pk].truth):
            letter = items[pk].letter_of(key)
            assert_uniform([choices[str(pk)].index(letter) for _, choices in orders], range(4))
    places = [
        choices[str(pk)].index(items[pk].letter_of(items[pk].prediction)) for pk in counted for _, choices in orders
    ]
    assert_uniform(places, range(4))
    assert_uniform([order[cast.PRACTICE] for order, _ in orders], counted)
    assert {tuple(order[: cast.PRACTICE]) for order, _ in orders} == {
        tuple(pk for pk, item in items.items() if item.is_practice)
    }


def test_orders_of_different_items_of_one_sheet_are_independent(version: StudyVersion) -> None:
    first, second = [str(pk) for pk in version.items.filter(is_practice=False).values_list("pk", flat=True)[:2]]
    pairs = [(choices[first][0], choices[second][0]) for _, choices in drawn(version, SHEETS)]
    assert_uniform(pairs, [(a, b) for a in "ABCD" for b in "ABCD"])


def test_the_canonical_letter_of_the_prediction_is_uniform_over_items(version: StudyVersion) -> None:
    # 2,000 places of one study, each with its prediction as the alphabetically first of four choices
    letters = [
        next(
            choice["letter"] for choice in drawing._lettered(version, place, choices(), {}) if choice["classes"] == [0]
        )
        for place in range(SHEETS)
    ]
    assert_uniform(letters, "ABCD")


def test_another_secret_gives_other_orders_and_letters(version: StudyVersion) -> None:
    before, letters = drawn(version, 20), [drawing._lettered(version, place, choices(), {}) for place in range(20)]
    version.study.secret = bytes(range(1, 33))
    version.study.save()
    after = drawn(version, 20)
    assert sum(a[1] == b[1] for a, b in zip(before, after, strict=True)) == 0
    assert [a[0] for a in before] != [a[0] for a in after]
    assert letters != [drawing._lettered(version, place, choices(), {}) for place in range(20)]


def test_the_test_of_uniformity_sees_a_slight_preference(version: StudyVersion) -> None:
    letters = {str(item.pk): item.letter_of(item.prediction) for item in version.items.all()}
    one = str(Item.objects.filter(version=version, is_practice=False)[0].pk)
    places = [choices[one].index(letters[one]) for _, choices in drawn(version, SHEETS)]
    # Every tenth sheet has the prediction first.
    places[::10] = [0] * len(places[::10])
    with pytest.raises(AssertionError):
        assert_uniform(places, range(4))


def assert_uniform(values: Sequence[object], possible: Sequence[object]) -> None:
    """A chi-square test against equal counts does not reject."""
    counts = Counter(values)
    assert counts.keys() <= set(possible)
    assert chisquare([counts[value] for value in possible]).pvalue > SMALLEST_P, counts


def choices() -> list[tuple[str, list[int]]]:
    """Four choices in canonical order."""
    return [(label, [k]) for k, label in enumerate(sorted(cast.LABELS))]
