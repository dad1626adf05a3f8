"""Looking changes nothing: no GET or HEAD of any page consumes a link, an attempt, an item or a draft."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core import serializers

from studies import models
from studies.models import Answer, Draft, Invite, Sheet, Study
from tests import cast
from tests.cast import PRACTICE, Annotator

pytestmark = pytest.mark.django_db

STEPS = ("consent", "quiz", "instructions", "item", "review", "post", "done", "screened_out", "full", "withdrawn")
PAGES = (*(f"/t/{step}/" for step in STEPS[:7]), "/t/", "/t/withdraw/", "/t/item/?at=0", "/t/item/?at=99")


def everything() -> str:
    """All rows of the study's tables but the last sign of life, which a look may give."""
    tables = [Invite, Sheet, models.Annotator, Answer, Draft, models.Submission, models.ExposureEvent]
    tables += [models.ConsentText, models.PlatformIdentity, models.Withdrawal]
    rows: list[Any] = [row for table in tables for row in serializers.serialize("python", table.objects.order_by("pk"))]
    for row in rows:
        row["fields"].pop("seen", None)
    return repr(rows)


@pytest.mark.parametrize("step", STEPS)
def test_no_page_changes_anything_by_being_looked_at(ann: Annotator, step: str, db: None) -> None:
    study = cast.study(text=cast.with_quiz(cast.recruiting("open: true")))
    sheet = cast.sheet_at_items(study, "U+C")
    ann.sit_at(sheet)
    for _ in range(PRACTICE + 1):
        ann.answer(submission=str(uuid.uuid4()))
    ann.client.post("/t/draft/", {"position": PRACTICE + 1, "sequence": "5", "comment": "half"})
    if step in ("review", "post", "done"):
        while ann.client.get("/t/item/").status_code == 200:
            ann.answer()
    Sheet.objects.filter(pk=sheet.pk).update(step=step)
    link = cast.invite(study)
    before = everything()
    for url in (*PAGES, f"/s/scenes/{link.token}/", "/s/scenes/", f"/r/{sheet.resume_token}/"):
        looked, asked = ann.client.get(url), ann.client.head(url)
        assert looked.status_code == asked.status_code, url
        assert looked.status_code in (200, 302), url
        assert not asked.content
    assert everything() == before


def test_a_form_that_the_back_button_brings_back_answers_its_own_item_again(scenes: Study, ann: Annotator) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    ann.sit_at(sheet)
    for _ in range(PRACTICE):
        ann.answer()
    stale = ann.form()
    ann.answer(confidence="2")
    ann.answer(confidence="3")
    ann.client.post("/t/item/", {**stale, "confidence": "5"})
    front = Sheet.objects.get(pk=sheet.pk).position
    assert front == PRACTICE + 2
    newest = Answer.objects.filter(question="confidence", item=sheet.item_order[PRACTICE]).latest("revision")
    assert (newest.revision, newest.value) == (1, 5)
    assert not Answer.objects.filter(item=sheet.item_order[front]).exists()


def test_pages_are_asked_for_anew_when_the_back_button_brings_them_back(scenes: Study, ann: Annotator) -> None:
    ann.sit_at(cast.sheet_at_items(scenes, "U"))
    assert "no-store" in ann.client.get("/t/item/").headers["Cache-Control"]
