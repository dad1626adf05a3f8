"""The page of an item: the datapoint, the condition's explanations, the questions, and what is filled in already."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence

from django.db.models import Q

from studies import page_memory, texts
from studies.config_parts import FEATURE_STAGES, OVERVIEW_STAGES, OwnQuestion
from studies.models import Artefact, Draft, Item, Sheet
from studies.page_frame import frame, introductions, stages
from studies.page_panels import explained
from studies.page_slots import Media
from studies.page_types import Choice, Feedback, ItemPage, Question
from studies.secret_ids import keyed, public_id
from studies.selectors import current_answers


class BeingPrepared(Exception):
    """Something that an item's page shows has to be computed once more."""


def item(sheet: Sheet, position: int) -> ItemPage:
    """The page of the item at `position` of the sheet, which must not lie beyond the sheet's front.

    raises: BeingPrepared
    """
    shown = item_at(sheet, position)
    if not is_prepared(sheet, shown):
        raise BeingPrepared
    answers = {answer.question: answer.value for answer in current_answers(sheet, shown)}
    draft = Draft.objects.filter(sheet=sheet, item=shown).first()
    media = Media(sheet, shown, position)
    datapoint, explanations = explained(sheet, shown, media)
    page_memory.remember(sheet, position, media.files)
    practice = sheet.version.config.items.practice
    filled_in = _filled_in(sheet, shown, answers, draft)
    # A withdrawal that comes in between takes the answers away.
    has_feedback = shown.is_practice and position < sheet.position and "choice" in answers
    return ItemPage(
        frame=frame(sheet),
        position=position,
        number=position + 1 if shown.is_practice else position + 1 - practice,
        count=practice if shown.is_practice else len(sheet.item_order) - practice,
        is_practice=shown.is_practice,
        is_revision=position < sheet.position and not shown.is_practice,
        prompt=texts.PROMPT,
        hint=texts.PROMPT_HINT,
        introductions=introductions(sheet),
        datapoint=datapoint,
        explanations=explanations,
        choices=_choices(sheet, shown, filled_in.get("choice", "")),
        questions=_questions(sheet, filled_in),
        submission=str(_form_id(sheet, shown, _rows(sheet, shown))),
        feedback=_feedback(shown, answers) if has_feedback else None,
        shows_back=position > practice,
        check_text=_check_text(sheet, shown),
        draft_saved=f"{draft.saved:%H:%M}" if draft and draft.values else "",
        sequence=draft.sequence if draft else 0,
    )


def item_at(sheet: Sheet, position: int) -> Item:
    """The item at a position of the sheet."""
    found: Item = sheet.version.items.get(pk=sheet.item_order[position])
    return found


def is_prepared(sheet: Sheet, shown: Item) -> bool:
    """Whether everything is ready that the page shows; what the condition hides does not count."""
    allowed = stages(sheet)
    of_item = Q(subject_kind="datapoint", subject=shown.subject, stage__in=[*allowed, "input"])
    if "Rg" in allowed:
        features = [str(j) for entry in shown.explained for j in entry["features"]]
        of_item |= Q(subject_kind="feature", subject__in=features, stage="Rg")
    return not sheet.version.artefacts.filter(of_item).exclude(state=Artefact.State.READY).exists()


def label(shown: Item, letter: str) -> str:
    """What a canonical letter stands for."""
    return next(choice["label"] for choice in shown.choices if choice["letter"] == letter)


def choice_id(sheet: Sheet, shown: Item, letter: str) -> str:
    """The opaque id of a choice on this sheet."""
    return public_id(sheet.version.study.secret, "choice", sheet.annotator.pseudonym, shown.position, letter, length=12)


def question_names(sheet: Sheet) -> dict[str, bool]:
    """The form fields of the questions that this sheet's items ask, and whether an answer is required."""
    shown_stages = set(stages(sheet))
    has_both = bool(shown_stages & OVERVIEW_STAGES) and bool(shown_stages & FEATURE_STAGES)
    names = {}
    for question in sheet.version.config.questions:
        if isinstance(question, OwnQuestion):
            names[question.id] = question.type == "scale"
        elif question == "helpful_page":
            if has_both:
                names["helpful"] = True
        else:
            names[question] = question == "confidence"
    return names


def form_ids(sheet: Sheet, shown: Item) -> set[uuid.UUID]:
    """The submission ids that the forms of this item's page have had so far; the last one is the open page's.

    A form's id is the same in every open copy of the form, and another once an answer is stored.
    """
    return {_form_id(sheet, shown, revision) for revision in range(_rows(sheet, shown) + 1)}


def form_id(sheet: Sheet, position: int) -> uuid.UUID:
    """The submission id of the open form, for one that came without."""
    shown = item_at(sheet, position)
    return _form_id(sheet, shown, _rows(sheet, shown))


def is_practice(sheet: Sheet, position: int) -> bool:
    """Whether the item at a position is practice."""
    return 0 <= position < sheet.version.config.items.practice


def _form_id(sheet: Sheet, shown: Item, revision: int) -> uuid.UUID:
    digest = keyed(sheet.version.study.secret, "submission", sheet.annotator.pseudonym, shown.position, revision)
    return uuid.UUID(bytes=digest[:16], version=4)


def _rows(sheet: Sheet, shown: Item) -> int:
    return sheet.answers.filter(item=shown).count()


def _check_text(sheet: Sheet, shown: Item) -> str:
    if not shown.is_check:
        return ""
    return sheet.version.config.items.check_text.replace("{answer}", label(shown, shown.expected))


def _filled_in(sheet: Sheet, shown: Item, answers: Mapping[str, object], draft: Draft | None) -> dict[str, str]:
    """The form's fields: what is drafted, and where nothing newer is, what was answered."""
    if draft and draft.values:
        return {name: str(value) for name, value in draft.values.items()}
    chosen = answers.get("choice")
    filled_in = {name: str(value) for name, value in answers.items() if name != "choice"}
    return filled_in | ({"choice": choice_id(sheet, shown, chosen["letter"])} if isinstance(chosen, dict) else {})


def choice_keys(labels: Sequence[str]) -> list[str]:
    """The key of each choice, as they stand on screen; "" beyond the tenth.

    A digit is never the key of another number: choices that are digits have themselves as keys, beside other numbers
    letters take the digits' place.
    """
    if len(set(labels)) == len(labels) and all(re.fullmatch("[0-9]", text) for text in labels):
        return list(labels)
    row = "ABCDEFGHIJ" if any(re.match(r"[-+]?[0-9]", text) for text in labels) else "1234567890"
    return [*row[: len(labels)], *[""] * (len(labels) - len(row))]


def _choices(sheet: Sheet, shown: Item, chosen: str) -> tuple[Choice, ...]:
    letters = sheet.choice_orders[str(shown.pk)]
    ids, labels = [choice_id(sheet, shown, each) for each in letters], [label(shown, each) for each in letters]
    rows = zip(ids, labels, choice_keys(labels), strict=True)
    return tuple(Choice(identity, text, key, identity == chosen) for identity, text, key in rows)


def _questions(sheet: Sheet, filled_in: Mapping[str, str]) -> tuple[Question, ...]:
    own = {q.id: q for q in sheet.version.config.questions if isinstance(q, OwnQuestion)}
    questions = []
    for name, required in question_names(sheet).items():
        text = own[name].text if name in own else texts.QUESTION_TEXTS[name]
        is_scale = name == "confidence" or (name in own and own[name].type == "scale")
        kind = "choice" if name == "helpful" else "scale" if is_scale else "text"
        scale = texts.CONFIDENCE_SCALE if name == "confidence" else tuple((str(n), str(n)) for n in range(1, 6))
        options = texts.HELPFUL_OPTIONS if name == "helpful" else scale if is_scale else ()
        ends = _ends(own[name]) if name in own and is_scale else ""
        questions.append(Question(name, text, kind, options, filled_in.get(name, ""), required, ends=ends))
    return tuple(questions)


def _ends(question: OwnQuestion) -> str:
    named = (("1", question.low), ("5", question.high))
    return ", ".join(f"{number}: {meaning}" for number, meaning in named if meaning)


def _feedback(shown: Item, answers: Mapping[str, dict[str, str]]) -> Feedback:
    predicted = shown.letter_of(shown.prediction)
    chosen = answers["choice"]["letter"]
    assert predicted is not None
    return Feedback(label(shown, chosen), label(shown, predicted), chosen == predicted, shown.explanation)
