"""Simulated annotators: they fill real sheets through the same services as people, and are marked for ever."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from studies import pages
from studies.models import Condition, Item, Sheet, StudyVersion
from studies.models.sheet import Kind
from studies.services.answering import answer_submit
from studies.services.sheets import sheet_assign, sheet_begin, sheet_create, sheet_finish, sheet_review_done


@dataclass(frozen=True)
class Policy:
    """How a simulated annotator answers: knows the prediction with probability `knows`, else guesses."""

    name: str
    knows: float


def parse_policy(text: str) -> Policy:
    """`guesser` or `competent:0.8`. raises: ValueError"""
    if text == "guesser":
        return Policy(text, 0.0)
    name, _, share = text.partition(":")
    try:
        knows = float(share)
    except ValueError:
        knows = -1.0
    if name != "competent" or not 0 <= knows <= 1:
        raise ValueError(f"{text!r} is no policy: write guesser, or competent:k with k from 0 to 1")
    return Policy(text, knows)


def sheets_simulate(
    *,
    version: StudyVersion,
    policy: Policy,
    per_condition: int,
    seed: int,
    conditions: Sequence[Condition] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Sheet]:
    """Fill sheets up to `per_condition` simulated annotators in each condition; again = nothing more to do.

    conditions: these only; None = all
    """
    conditions = list(version.conditions.all()) if conditions is None else conditions
    sheets: list[Sheet] = []
    total = len(conditions) * per_condition
    for number in range(per_condition):
        for place, condition in enumerate(conditions, start=1):
            finished = condition.sheets.filter(kind=Kind.SIMULATED, step=Sheet.Step.DONE).count()
            if finished <= number:
                generator = random.Random(f"{seed}/{condition.position}/{number}/{policy.name}")
                sheets.append(_simulate(version, condition, policy, generator))
            if progress:
                progress(number * len(conditions) + place, total)
    return sheets


@transaction.atomic
def _simulate(version: StudyVersion, condition: Condition, policy: Policy, generator: random.Random) -> Sheet:
    """One whole sheet or none: an interrupted run leaves no half-filled one behind."""
    sheet = sheet_create(study=version.study, kind=Kind.SIMULATED)
    sheet = sheet_begin(sheet=sheet_assign(sheet=sheet, condition=condition))
    items = {item.pk: item for item in version.items.all()}
    # One fixed order of drawing, so that the answers do not depend on the study's secret.
    drawn = {item.pk: _answer(sheet, item, policy, generator) for item in sorted(items.values(), key=_position)}
    for position, pk in enumerate(sheet.item_order):
        sheet = answer_submit(sheet=sheet, position=position, submission=uuid.uuid4(), values=drawn[pk])
    return sheet_finish(sheet=sheet_review_done(sheet=sheet), post={})


def _position(item: Item) -> int:
    return item.position


def _answer(sheet: Sheet, item: Item, policy: Policy, generator: random.Random) -> dict[str, str]:
    choices = sorted(item.choices, key=lambda choice: choice["classes"])
    knows = generator.random() < policy.knows
    guess = generator.choice(choices)
    # An attention check says what to choose; whoever is simulated reads it.
    letter = item.expected or (item.letter_of(item.prediction) if knows else guess["letter"])
    values = {"choice": pages.choice_id(sheet, item, str(letter))}
    # Drawn even where not asked, so that conditions with fewer questions draw the same answers.
    confidence, helpful = generator.choice("45" if knows else "123"), generator.choice(("overview", "features"))
    scale = generator.choice("12345")
    for name, is_required in pages.question_names(sheet).items():
        if is_required:
            values[name] = {"confidence": confidence, "helpful": helpful}.get(name, scale)
    return values
