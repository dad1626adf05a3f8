"""Storing answers: append-only, once per submission, and the sheet's front moves on only here."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from studies import pages
from studies.faults import fault_point
from studies.models import Answer, Item, Sheet, Submission
from studies.selectors import current_answers
from studies.services.drafting import draft_clear, is_overtaken, sequence_of, takes_answers
from studies.services.locking import SheetElsewhere, sheet_locked

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

    submission: the id of the page's form (sent with other values, it is a revision), or one that a script made for
                this one action: that is carried out once, whatever was answered since
    values:     the form's fields (choice, confidence, helpful, own questions) as text; `sequence` as for drafts
    raises: AnswerRefused, SheetElsewhere
    """
    # Two open tabs may post the same item: the lock lets one in, the other finds its answer stored or makes a revision.
    sheet = sheet_locked(sheet)
    if is_submitted(sheet, submission):
        return sheet
    if sheet.step not in (Sheet.Step.ITEM, Sheet.Step.REVIEW) or sheet.is_cut_off or not sheet.has_reached(position):
        raise SheetElsewhere
    item = Item.objects.get(pk=sheet.item_order[position], version=sheet.version)
    checked = _checked(sheet, item, values)
    if not takes_answers(sheet, position):
        return sheet
    is_scripted = submission not in pages.form_ids(sheet, item)
    sequence = sequence_of(values.get("sequence", ""))
    # A device that was offline sends late: what was answered elsewhere in the meantime is newer.
    if is_scripted and position < sheet.position and is_overtaken(sheet, item, sequence):
        raise SheetElsewhere
    if is_scripted:
        Submission.objects.create(sheet=sheet, submission=submission)
    # The same form with the values that stand already is the same submission (a double click, a resend); with other
    # values it is a revision, also when these values stood once before.
    stored = sheet.answers.filter(item=item).count()
    _store(sheet, item, uuid.uuid5(submission, f"{stored} {json.dumps(checked, sort_keys=True)}"), checked)
    draft_clear(sheet=sheet, item=item, sequence=sequence, is_scripted=is_scripted)
    if position == sheet.position:
        sheet.position += 1
        if sheet.position >= len(sheet.item_order):
            sheet.step = Sheet.Step.REVIEW
    sheet.seen = timezone.now()
    sheet.save()
    fault_point("submit_before_commit")
    transaction.on_commit(partial(fault_point, "submit_after_commit"))
    return sheet


def is_submitted(sheet: Sheet, submission: uuid.UUID) -> bool:
    """Whether this action of a script was carried out before."""
    return Submission.objects.filter(sheet=sheet, submission=submission).exists()


def as_written(text: str) -> str:
    """A text as somebody wrote it, to the character; "" where nothing but blanks was written."""
    # PostgreSQL's JSON refuses NUL characters. Every other character is kept, in its place and direction.
    text = text.replace("\x00", "")
    return text if text.strip() else ""


def is_too_long(text: str) -> bool:
    """Whether a text is longer than the form allows, where a line break counts once."""
    return len(text.replace("\r\n", "\n")) > MAX_TEXT


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
        text = as_written(values.get(name, ""))
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
    if is_too_long(text):
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
