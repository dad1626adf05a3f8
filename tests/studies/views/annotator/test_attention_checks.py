"""Attention checks: among the items and shown like them, with a text that says what to choose; never counted."""

from __future__ import annotations

import pytest

from studies.models import Sheet, Study
from studies.reports.ratings import ratings_of
from studies.selectors import status_facts
from studies.services.simulation import parse_policy, sheets_simulate
from tests import cast
from tests.cast import COUNT, PRACTICE, Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(db: None) -> Study:
    """A study with two checks among its four items."""
    return cast.study(text=cast.with_checks(2))


def places(sheet: Sheet) -> list[int]:
    """Where on the sheet the checks are."""
    checks = set(sheet.version.items.exclude(expected="").values_list("pk", flat=True))
    return [position for position, pk in enumerate(sheet.item_order) if pk in checks]


def test_a_check_says_what_to_choose_and_stands_among_the_items(study: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(study, "U")
    ann.sit_at(sheet)
    texts, counts = [], set()
    for _ in range(PRACTICE + COUNT + 2):
        page = ann.client.get("/t/item/").context["page"]
        texts.append(page.check_text)
        counts.add((page.is_practice, page.count))
        ann.answer()
    asked = "To show that you are reading, please choose “green” for this item."
    assert [position for position, text in enumerate(texts) if text] == places(sheet)
    assert set(texts) == {"", asked}
    assert counts == {(True, PRACTICE), (False, COUNT + 2)}
    assert "Your answers" in ann.get("/t/")
    assert len(ann.client.get("/t/review/").context["page"].rows) == COUNT + 2


def test_checks_stand_elsewhere_on_every_sheet_and_never_in_practice(study: Study) -> None:
    found = [places(cast.sheet_at_items(study, name)) for name in ("U", "U+C", "U+C+Rl") for _ in range(3)]
    assert len({tuple(sorted(place)) for place in found}) > 1
    assert min(min(place) for place in found) >= PRACTICE


def test_the_instructions_and_the_last_page_count_what_there_is(study: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(study, "U")
    ann.sit_at(sheet)
    Sheet.objects.update(step="instructions")
    assert ann.client.get("/t/instructions/").context["page"].items == COUNT + 2
    Sheet.objects.update(step="item")
    for _ in range(PRACTICE + COUNT + 2):
        ann.answer()
    ann.client.post("/t/review/")
    ann.client.post("/t/post/")
    assert ann.client.get("/t/done/").context["page"].answered == COUNT + 2


def test_no_table_figure_or_count_knows_the_checks(study: Study) -> None:
    version = study.version
    sheets_simulate(version=version, policy=parse_policy("competent:1"), per_condition=2, seed=0)
    ratings = ratings_of(version, "simulated")
    checks = set(version.items.exclude(expected="").values_list("position", flat=True))
    assert len(ratings.items) == COUNT == status_facts(study)["items"]
    assert not {item.position for item in ratings.items} & checks
    for table in ratings.tables:
        assert {len(row) for field in (table.letters, table.correct, table.confidence) for row in field} == {COUNT}
    # The checks were answered all the same: they are in the raw answers.
    assert version.sheets.first().answers.filter(question="choice", item__position__in=checks).count() == 2
