"""A study with answered sheets, written through the ORM, so that every expected figure can be worked out by hand."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User

from studies.config import StudyConfig, read
from studies.models import Annotator, Answer, Condition, Item, Sheet, Study, StudyVersion

LETTERS = "ABCDEFGHIJ"
FILE = """
study: {slug}
kind: simulation
title: Can people predict the model?
dataset: {{name: clevr, root: fixtures/clevr_demo, split: val, train: train}}
model: {{name: cnn_lstm_sa, checkpoint: fixtures/checkpoints/clevr_cnn_lstm_sa}}
items: {{count: {count}, practice: 1}}
answers: {{choices: 4}}
target_class_policy: predicted
conditions: {conditions}
annotators: {{per_condition: 3}}
questions: [{questions}]
"""
TWO_ARMS = "[{name: U, stages: [U]}, {name: U+Rl, stages: [U, Rl]}]"


def make_config(
    *, slug: str = "shapes", count: int = 20, conditions: str = TWO_ARMS, questions: str = "confidence, helpful_page"
) -> StudyConfig:
    """A valid study file."""
    return read(FILE.format(slug=slug, count=count, conditions=conditions, questions=questions))


def make_version(
    *, owner: User | None = None, wrong_items: Sequence[int] = (), choices: Sequence[int] = (), **options: Any
) -> StudyVersion:
    """A study with its items: the model predicts letter A everywhere and is right except at `wrong_items`.

    choices: the number of choices of each item, 4 where not given
    Classes of item i are 10 i, 10 i + 1, ...; labels repeat over items ("red", "blue", ...) and start at item i's own
    place, so that one letter stands for different labels.
    """
    config = make_config(**options)
    study = Study.objects.create(slug=config.study, owner=owner)
    version = StudyVersion.objects.create(
        study=study, number=1, definition=json.loads(config.canonical()), sha256=config.sha256
    )
    for position, arm in enumerate(config.arms):
        Condition.objects.create(
            version=version, name=arm.name, position=position, stages=list(arm.stages), quota=arm.annotators
        )
    for i in range(config.items.count + 1):
        k = choices[i] if i < len(choices) else 4
        Item.objects.create(
            version=version,
            # The practice item comes first, as on every sheet.
            position=0 if i == config.items.count else i + 1,
            is_practice=i == config.items.count,
            split="val",
            index=i,
            datapoint=f"datapoint {i}",
            prediction=10 * i,
            truth=10 * i + (1 if i in wrong_items else 0),
            choices=[{"letter": LETTERS[j], "label": colour(i, j), "classes": [10 * i + j]} for j in range(k)],
        )
    return version


def colour(item: int, letter: int) -> str:
    """What a letter stands for at an item: odd items list the same colours, shifted by one."""
    return ["red", "blue", "green", "gray"][(item + letter) % 4] if letter < 4 else f"colour {letter}"


def make_sheet(
    version: StudyVersion,
    condition: str,
    letters: str,
    *,
    kind: str = "live",
    step: str = "done",
    confidence: int | None = None,
    helpful: str = "",
) -> Sheet:
    """A sheet that answers items 0, 1, ... with these letters ("-" leaves one out), and the practice item with A.

    helpful: one letter per item, o (overview) or f (features)
    """
    number = Annotator.objects.filter(study=version.study).count()
    sheet = Sheet.objects.create(
        version=version,
        annotator=Annotator.objects.create(study=version.study, pseudonym=f"p{number:03d}"),
        kind=kind,
        condition=version.conditions.get(name=condition),
        step=step,
        resume_token=uuid.uuid4().hex,
    )
    answer(sheet, version.items.get(is_practice=True), "choice", "A")
    for i, (item, letter) in enumerate(zip(counted(version), letters, strict=False)):
        if letter == "-":
            continue
        answer(sheet, item, "choice", letter)
        if confidence:
            answer(sheet, item, "confidence", confidence)
        if helpful:
            answer(sheet, item, "helpful", {"o": "overview", "f": "features"}[helpful[i]])
    return sheet


def counted(version: StudyVersion) -> list[Item]:
    """The items that count, in order."""
    return list(version.items.filter(is_practice=False).order_by("position"))


def answer(sheet: Sheet, item: Item, question: str, value: Any) -> Answer:
    """Store an answer, or a new revision of it."""
    before = sheet.answers.filter(item=item, question=question).order_by("revision").last()
    if question == "choice":
        value = {"letter": value, "classes": next(c["classes"] for c in item.choices if c["letter"] == value)}
    return Answer.objects.create(
        sheet=sheet,
        item=item,
        question=question,
        revision=before.revision + 1 if before else 0,
        replaces=before,
        submission=uuid.uuid4(),
        value=value,
    )


def right(count: int, of: int = 20) -> str:
    """Letters of an annotator who is right (A) at the first `count` items and else chooses B."""
    return "A" * count + "B" * (of - count)
