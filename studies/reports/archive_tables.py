"""The tables of a study's export: every column with its explanation, and the rows, read in portions.

What identifies somebody or opens anything (links, tokens, recruitment ids, the study's secret) is in none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from studies.models import Answer, ExposureEvent, Item, Sheet, StudyVersion
from studies.reports.exclusions import sheets_excluded

PORTION = 2000
Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """One table: columns with their explanations, in order, and its rows.

    exact: fields that rows have in JSON Lines only
    """

    name: str
    about: str
    columns: dict[str, str]
    rows: Callable[[StudyVersion], Iterator[Row]]
    exact: dict[str, str] | None = None


def answer_rows(version: StudyVersion) -> Iterator[Row]:
    """Every stored answer with all its revisions, oldest first per sheet."""
    items = {item.pk: item for item in version.items.all()}
    is_replaced = Exists(Answer.objects.filter(replaces=OuterRef("pk")))
    # Sorted by what an annotator and an item are called, so that the same data give the same bytes on any database.
    order = ("sheet__annotator__pseudonym", "item__position", "question", "revision")
    answers = (
        Answer.objects.filter(sheet__version=version)
        .select_related("sheet__annotator", "sheet__condition")
        .annotate(is_replaced=is_replaced)
        .order_by(*order)
    )
    for answer in answers.iterator(chunk_size=PORTION):
        yield _answer(answer, items[answer.item_id])


def _answer(answer: Any, item: Item) -> Row:
    sheet, value = answer.sheet, answer.value
    letter = value["letter"] if answer.question == "choice" else None
    order = sheet.choice_orders.get(str(item.pk), [])
    return {
        "pseudonym": sheet.annotator.pseudonym,
        "kind": sheet.kind,
        "condition": _condition(sheet),
        "item": item.position,
        "place": sheet.item_order.index(item.pk) + 1 if item.pk in sheet.item_order else None,
        "is_practice": item.is_practice,
        "is_check": item.is_check,
        "question": answer.question,
        "value": letter if letter is not None else value,
        "letter": letter,
        "label": _label(item, letter),
        "screen_position": order.index(letter) + 1 if letter in order else None,
        "revision": answer.revision,
        "is_current": not answer.is_replaced,
        "created": _time(answer.created),
        **_key(item),
        "stored": value,
    }


def sheet_rows(version: StudyVersion) -> Iterator[Row]:
    """Every sheet, the unfinished ones too; of a withdrawn one only that it was."""
    excluded = sheets_excluded(version)
    sheets = version.sheets.select_related("annotator", "condition").order_by("annotator__pseudonym")
    for sheet in sheets.iterator(chunk_size=PORTION):
        yield {
            "pseudonym": sheet.annotator.pseudonym,
            "kind": sheet.kind,
            "condition": _condition(sheet),
            "step": sheet.step,
            "position": sheet.position,
            "is_late": sheet.is_late,
            "quiz_attempts": sheet.quiz_attempts,
            "excluded": sheet.pk in excluded,
            "consent_sha256": sheet.annotator.consent_sha256,
            "consented": _time(sheet.annotator.consented),
            "started": _time(sheet.created),
            "finished": _time(sheet.finished),
            **{f"post: {question}": sheet.post.get(question) for question in version.config.pages.last_questions},
        }


def item_rows(version: StudyVersion) -> Iterator[Row]:
    """Every item in its written order, with what was offered."""
    for item in version.items.order_by("position"):
        yield {
            "item": item.position,
            "datapoint": item.datapoint,
            "split": item.split,
            "index": item.index,
            "is_practice": item.is_practice,
            "is_check": item.is_check,
            "expected": item.expected,
            "choices": "; ".join(f"{choice['letter']}: {choice['label']}" for choice in item.choices),
            **_key(item),
        }


def exposure_rows(version: StudyVersion) -> Iterator[Row]:
    """How long each thing lasted on each item's page, as the browsers reported it."""
    order = ("sheet__annotator__pseudonym", "item__position", "created", "what", "batch")
    events = (
        ExposureEvent.objects.filter(sheet__version=version)
        .select_related("sheet__annotator", "sheet__condition", "item")
        .order_by(*order)
    )
    for event in events.iterator(chunk_size=PORTION):
        yield {
            "pseudonym": event.sheet.annotator.pseudonym,
            "kind": event.sheet.kind,
            "condition": _condition(event.sheet),
            "item": event.item.position,
            "what": event.what,
            "milliseconds": event.milliseconds,
            "created": _time(event.created),
        }


def _key(item: Item) -> Row:
    letters = [item.letter_of(item.prediction), None if item.truth is None else item.letter_of(item.truth)]
    return {
        "prediction_letter": letters[0],
        "prediction": _label(item, letters[0]),
        "truth_letter": letters[1],
        "truth": _label(item, letters[1]),
    }


def _label(item: Item, letter: str | None) -> str | None:
    return next((str(choice["label"]) for choice in item.choices if choice["letter"] == letter), None)


def _condition(sheet: Sheet) -> str | None:
    return sheet.condition.name if sheet.condition else None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


WHO = {
    "pseudonym": "The annotator's name in this study: random, and tied to nobody.",
    "kind": "live (a person), pilot (a preview) or simulated. Only live sheets are data.",
    "condition": "The arm that the annotator was assigned to; empty before the assignment.",
}
KEY = {
    "prediction_letter": "The letter of the choice that the model predicts: what annotators try to find.",
    "prediction": "The same choice in words.",
    "truth_letter": "The letter of the true choice; empty where the dataset does not say, or no choice stands for it.",
    "truth": "The same choice in words.",
}
ANSWERS = Table(
    "answers",
    "One row per stored answer. An answer is never changed: a correction is a further row with a higher revision.",
    {
        **WHO,
        "item": "The item's position in the study's written order (see items.csv).",
        "place": "Its place on this annotator's sheet, from 1: every sheet has an order of its own.",
        "is_practice": "true for practice items, which never count.",
        "is_check": "true for attention checks, which never count as items.",
        "question": "choice, confidence, helpful, comment, or the id of a question of the study file.",
        "value": "What was answered: the letter of a choice, a number of a scale, or a text.",
        "letter": "choice: the canonical letter, the same for all annotators. Agreement is computed on it.",
        "label": "choice: what the letter stands for at this item.",
        "screen_position": "choice: where the chosen option stood on this annotator's screen, from 1.",
        "revision": "0 for the first answer, then one more for each correction.",
        "is_current": "true for the newest revision, the one that counts.",
        "created": "When the server stored it (UTC).",
        **KEY,
    },
    answer_rows,
    exact={"stored": "answers.jsonl only: the stored value as it is, of a choice with its letter and classes."},
)
SHEETS = Table(
    "sheets",
    "One row per sheet, unfinished ones too. The report counts those whose step is done, less the finished ones that a"
    " rule of the plan leaves out: their `excluded` is true.",
    {
        **WHO,
        "step": "Where the sheet stands: consent, quiz, instructions, item, review, post, done, screened_out, full,"
        " withdrawn.",
        "position": "How many items were answered in a row, practice included.",
        "is_late": "true when the annotator came back after the time-out.",
        "quiz_attempts": "Failed attempts at the eligibility quiz.",
        "excluded": "true for a finished sheet that breaks a rule declared in plan.exclude of study.yaml: only figures"
        " that say so count it.",
        "consent_sha256": "Which consent text was agreed to: its SHA-256.",
        "consented": "When it was agreed to (UTC).",
        "started": "When the link was opened for good (UTC).",
        "finished": "When the last page was sent (UTC).",
    },
    sheet_rows,
)
ITEMS = Table(
    "items",
    "One row per item.",
    {
        "item": "The item's position in the study's written order; practice first.",
        "datapoint": "The dataset's own name of the datapoint.",
        "split": "The split of the dataset.",
        "index": "The row of the split, from 0.",
        "is_practice": ANSWERS.columns["is_practice"],
        "is_check": ANSWERS.columns["is_check"],
        "expected": "Attention checks: the letter that the text asks for.",
        "choices": "What was offered, in canonical order: letter and label.",
        **KEY,
    },
    item_rows,
)
EXPOSURE = Table(
    "exposure",
    "Times per item's page, as browsers reported them; rows about the same thing add up. None without scripts.",
    {
        **WHO,
        "item": ANSWERS.columns["item"],
        "what": "active, idle or away (the page), or the panel that was open: overview, features, feature-1, ...",
        "milliseconds": "How long, in thousandths of a second.",
        "created": "When the server stored it (UTC).",
    },
    exposure_rows,
)
TABLES = (ANSWERS, SHEETS, ITEMS, EXPOSURE)


def columns_of(table: Table, version: StudyVersion) -> dict[str, str]:
    """A table's columns in one study: sheets have one more for each question of the last page."""
    if table is not SHEETS:
        return table.columns
    asked = {f"post: {question}": "Answer on the last page." for question in version.config.pages.last_questions}
    return {**table.columns, **asked}
