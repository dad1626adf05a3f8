"""An item of which something is being computed once more is not shown by halves."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.conf import settings

from studies.models import Answer, Artefact, Sheet, Study
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet(scenes: Study, ann: Annotator) -> Sheet:
    """Ann's sheet in a condition with the overview."""
    made = cast.sheet_at_items(scenes, "U+C")
    ann.sit_at(made)
    return made


def of_first_item(sheet: Sheet, stage: str) -> int:
    """Put the first item's artefacts of a stage back to be computed."""
    subject = sheet.version.items.get(pk=sheet.item_order[0]).subject
    return sheet.version.artefacts.filter(subject=subject, stage=stage).update(state=Artefact.State.WANTED)


@pytest.mark.parametrize("stage", ["input", "U", "C"])
def test_the_page_says_so_and_looks_again_by_itself(sheet: Sheet, ann: Annotator, stage: str) -> None:
    assert of_first_item(sheet, stage) == 1
    page = ann.client.get("/t/item/")
    assert page.status_code == 503
    assert page.headers["Refresh"] == page.headers["Retry-After"] == "10"
    assert b"is being prepared" in page.content
    assert b"<img" not in page.content
    assert ann.client.get("/m/0-" + "a" * 20).status_code == 404
    sheet.version.artefacts.update(state=Artefact.State.READY)
    assert ann.client.get("/t/item/").status_code == 200


def test_what_the_condition_hides_delays_nothing(sheet: Sheet, ann: Annotator) -> None:
    sheet.version.artefacts.filter(stage__in=("Rl", "Rg", "P")).update(state=Artefact.State.WANTED)
    assert ann.client.get("/t/item/").status_code == 200


def test_examples_of_a_feature_are_waited_for_where_they_are_shown(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U+C+Rl+Rg"))
    scenes.version.artefacts.filter(stage="Rg", subject="41").update(state=Artefact.State.FAILED)
    assert ann.client.get("/t/item/").status_code == 503


def test_an_answer_given_before_the_damage_was_seen_is_stored(sheet: Sheet, ann: Annotator) -> None:
    form = {**ann.form(), "submission": str(uuid.uuid4())}
    of_first_item(sheet, "U")
    assert ann.client.post("/t/item/", form, headers={"accept": "application/json"}).status_code == 200
    assert Answer.objects.filter(question="choice").count() == 1


def test_a_picture_found_damaged_is_prepared_anew_before_the_item_is_shown_again(sheet: Sheet, ann: Annotator) -> None:
    shown = ann.client.get("/t/item/").context["page"].explanations[0].unimodal.picture.overlay
    for file in Path(settings.MEDIA_ROOT, "artefacts").rglob("*.png"):
        file.write_bytes(b"")
    assert ann.client.get(shown).status_code == 404
    assert ann.client.get("/t/item/").status_code == 503
