"""The first half of a methods paragraph: who answered what, and what they were shown."""

from __future__ import annotations

from collections.abc import Iterator

from studies.config import StudyConfig
from studies.reports.figures import counted
from studies.reports.methods_stages import stages
from studies.reports.ratings import Ratings
from studies.reports.shape import Report

TOWARDS = {
    "predicted": "Explanations pointed towards the predicted class, whose name was hidden.",
    "all_candidates": "Explanations were shown for each of the choices.",
    "true_class": "Explanations pointed towards the true class.",
}


def design(config: StudyConfig, ratings: Ratings, report: Report) -> Iterator[str]:
    """Annotators and conditions, stages, items, the task."""
    yield from _annotators(config, report)
    yield from stages(config, ratings, [condition for condition in report.conditions if condition.annotators])
    yield TOWARDS[config.target_class_policy]
    yield from _items(config, report)
    yield from _task(config, ratings, report)


def _annotators(config: StudyConfig, report: Report) -> Iterator[str]:
    answered = [condition for condition in report.conditions if condition.annotators]
    number = sum(condition.annotators for condition in answered)
    who = counted(number, "simulated annotator" if report.simulated else "annotator")
    groups = ", ".join(f"{condition.name}: {condition.annotators}" for condition in answered)
    if len(report.conditions) == 1:
        yield f"{who} took part in a study with one condition ({report.conditions[0].name})."
    else:
        each = "" if number == 1 else "each "
        yield f"{who} took part, {each}in one of {len(report.conditions)} conditions ({groups})."
    if report.simulated:
        yield "Their answers were made by a program and say nothing about people."
        return
    if report.sheets == "pilot":
        yield "These are pilot answers, which do not count."
    if config.pages.quiz:
        attempts = counted(config.pages.quiz.attempts, "attempt")
        yield f"Before the assignment they passed a quiz about the task within {attempts}."
    if len(report.conditions) > 1:
        yield (
            "The server assigned each person on arrival to the condition of whose places the smallest share was taken,"
            " ties at random."
        )
    if isinstance(config.conditions, str):
        yield "The conditions are those of Liang et al., 2023."


def _items(config: StudyConfig, report: Report) -> Iterator[str]:
    count = counted(report.conditions[0].items, "item")
    how = "chosen by name" if config.items.ids else f"drawn with seed {config.seed}"
    after = f" after {counted(config.items.practice, 'practice item')}" if config.items.practice else ""
    yield (
        f"Each answered the same {count} of the split {config.dataset.split} of {config.dataset.name}, {how}{after},"
        " in an order of their own."
    )
    split = report.conditions[0].split
    if split:
        right, wrong = split.model_right.items, split.model_wrong.items
        yield f"The model ({config.model.name}) is right at {right} of the items and wrong at {wrong}."
    if config.items.checks:
        checks = counted(config.items.checks, "attention check")
        yield f"Among them stood {checks}, which no figure counts."


def _task(config: StudyConfig, ratings: Ratings, report: Report) -> Iterator[str]:
    numbers = {item.choices for item in ratings.items}
    if not numbers or report.chance is None:
        return
    least, most = min(numbers), max(numbers)
    how_many = f"{most}" if least == most else f"{least} to {most}"
    which = (
        "which were the same at every item"
        if config.answers.fixed
        else "namely the model's prediction, the true answer and the model's next best answers of the same type"
    )
    yield (
        f"At each item they chose what the model predicts among {how_many} choices, {which}; guessing reaches"
        f" {report.chance:.3f}."
    )
