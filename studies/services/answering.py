"""Storing answers: append-only, once per submission, and the sheet's front moves on only here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from studies import pages
from studies.models import Answer, Item, Sheet
from studies.selectors import current_answers

MAX_TEXT = 10_000
TOO_LONG = f"This text is longer than {MAX_TEXT:,} characters; please shorten it."


class AnswerRefused(Exception):
    """An answer that cannot be stored; `problems` maps form fields to sentences. Nothing was changed."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems.values()))


@transaction.atomic
def answer_submit(*, sheet: Sheet, position: int, submission: uuid.UUID, values: Mapping[str, str]) -> Sheet:
    """Store one item's answers and, at the front, move the sheet on.

    values: the form's fields (choice, confidence, helpful, own questions) as text
    raises: AnswerRefused
    """
    # Two open tabs may post the same item: the lock lets one in, the other finds its answer stored or makes a revision.
    Sheet.objects.select_for_update().get(pk=sheet.pk)
    sheet = Sheet.objects.select_related("version__study", "condition", "annotator").get(pk=sheet.pk)
    is_answering = sheet.step in (Sheet.Step.ITEM, Sheet.Step.REVIEW) and not sheet.is_cut_off
    if not is_answering or not sheet.has_reached(position):
        return sheet
    item = Item.objects.get(pk=sheet.item_order[position], version=sheet.version)
    checked = _checked(sheet, item, values)
    if position < sheet.position and item.is_practice:
        return sheet
    # The same form with the values that stand already is the same submission (a double click, a resend); with other
    # values it is a revision, also when these values stood once before.
    stored = sheet.answers.filter(item=item).count()
    _store(sheet, item, uuid.uuid5(submission, f"{stored} {json.dumps(checked, sort_keys=True)}"), checked)
    if position == sheet.position:
        sheet.position += 1
        if sheet.position >= len(sheet.item_order):
            sheet.step = Sheet.Step.REVIEW
    sheet.seen = timezone.now()
    sheet.save()
    return sheet


def _checked(sheet: Sheet, item: Item, values: Mapping[str, str]) -> dict[str, Any]:
    problems: dict[str, str] = {}
    checked: dict[str, Any] = {}
    by_id = {pages.choice_id(sheet, item, choice["letter"]): choice for choice in item.choices}
    chosen = by_id.get(values.get("choice", ""))
    if chosen is None:
        problems["choice"] = "Please choose one of the answers."
    else:
        checked["choice"] = {"letter": chosen["letter"], "classes": chosen["classes"]}
    for name, is_required in pages.question_names(sheet).items():
        text = values.get(name, "").replace("\x00", "").strip()
        if not text and is_required:
            problems[name] = "Please answer this question too."
        if not text:
            # Kept as "": a text that was written before and is empty now must not come back.
            checked[name] = ""
            continue
        problem, checked[name] = _read(sheet, name, text)
        if problem:
            problems[name] = problem
    if problems:
        raise AnswerRefused(problems)
    return checked


def _read(sheet: Sheet, name: str, text: str) -> tuple[str, Any]:
    """One question's value from its text: (problem or "", value)."""
    if name == "helpful":
        return ("", text) if text in ("overview", "features") else ("Please choose one of the two.", None)
    is_scale = name == "confidence" or any(
        getattr(q, "id", None) == name and getattr(q, "type", None) == "scale" for q in sheet.version.config.questions
    )
    if is_scale:
        return ("", int(text)) if text in {"1", "2", "3", "4", "5"} else ("Please choose 1 to 5.", None)
    if len(text) > MAX_TEXT:
        return TOO_LONG, None
    return "", text


def _store(sheet: Sheet, item: Item, submission: uuid.UUID, checked: dict[str, Any]) -> None:
    """One row per question whose value is new; a changed value names the answer it replaces."""
    before = {answer.question: answer for answer in current_answers(sheet, item)}
    for question, value in checked.items():
        replaced = before.get(question)
        if value == (replaced.value if replaced else ""):
            continue
        Answer.objects.create(
            sheet=sheet,
            item=item,
            question=question,
            revision=replaced.revision + 1 if replaced else 0,
            replaces=replaced,
            submission=submission,
            value=value,
        )
