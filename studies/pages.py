"""The one door to annotators: what a sheet's pages and media may hold, from the allow-list `condition -> stages`.

Views, templates and the media view receive these objects and nothing else. The treatment of the experiment lives here.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from studies import texts
from studies.config_parts import FEATURE_STAGES, OVERVIEW_STAGES, OwnQuestion
from studies.markdown_text import to_html
from studies.models import Item, Sheet, Study
from studies.page_panels import explained
from studies.page_slots import Media
from studies.page_types import (
    Choice,
    ConsentPage,
    DonePage,
    Explanation,
    Feedback,
    Frame,
    InstructionsPage,
    ItemPage,
    PlainPage,
    PostPage,
    Question,
    QuizPage,
    ReviewPage,
    ReviewRow,
    StageIntroduction,
    WelcomePage,
)
from studies.secret_ids import keyed, public_id
from studies.selectors import current_answers


def welcome(study: Study, *, kind: str, state: str) -> WelcomePage:
    """The landing page of a link."""
    config = study.version.config
    heading, text = texts.LINK_STATES.get(state, ("", ""))
    return WelcomePage(
        config.title, config.pages.minutes, config.pages.pay or "", texts.WATERMARKS[kind], state, heading, text
    )


def consent(sheet: Sheet) -> ConsentPage:
    """The consent text of the study's version."""
    text = consent_text(sheet)
    return ConsentPage(_frame(sheet), to_html(text), hashlib.sha256(text.encode()).hexdigest())


def consent_text(sheet: Sheet) -> str:
    """The researcher's consent text, or ours."""
    return _text(sheet.version.config.pages.consent) or texts.CONSENT


def quiz(sheet: Sheet) -> QuizPage:
    """The quiz without its key."""
    part = sheet.version.config.pages.quiz
    assert part is not None
    questions = tuple(
        Question(f"quiz_{i}", question.text, "choice", tuple((text, text) for text in question.options), "", True)
        for i, question in enumerate(part.questions)
    )
    return QuizPage(_frame(sheet), questions, sheet.quiz_attempts, part.attempts - sheet.quiz_attempts)


def instructions(sheet: Sheet) -> InstructionsPage:
    """Instructions for exactly the stages of the sheet's condition."""
    config = sheet.version.config
    return InstructionsPage(
        frame=_frame(sheet),
        html=to_html(_text(config.pages.instructions)),
        introductions=_introductions(sheet),
        practice=config.items.practice,
        items=config.items.count,
        resume_url=f"/r/{sheet.resume_token}/",
    )


def item(sheet: Sheet, position: int) -> ItemPage:
    """The page of the item at `position` of the sheet, which must not lie beyond the sheet's front."""
    shown = _item_at(sheet, position)
    answers = {answer.question: answer.value for answer in current_answers(sheet, shown)}
    media = Media(sheet, shown, position)
    datapoint, explanations = explained(sheet, shown, media)
    practice = sheet.version.config.items.practice
    return ItemPage(
        frame=_frame(sheet),
        position=position,
        number=position + 1 if shown.is_practice else position + 1 - practice,
        count=practice if shown.is_practice else sheet.version.config.items.count,
        is_practice=shown.is_practice,
        is_revision=position < sheet.position and not shown.is_practice,
        prompt=texts.PROMPT,
        hint=texts.PROMPT_HINT,
        introductions=_introductions(sheet),
        datapoint=datapoint,
        explanations=explanations,
        choices=_choices(sheet, shown, answers.get("choice", {}).get("letter")),
        questions=_questions(sheet, explanations, answers),
        submission=_submission(sheet, shown, len(answers)),
        feedback=_feedback(shown, answers) if shown.is_practice and position < sheet.position else None,
        shows_back=position > practice,
    )


def media(sheet: Sheet, media_id: str) -> dict[str, Any] | None:
    """The file {sha256, type} that a media id of this sheet stands for, or None. Only pages up to the front count."""
    number = media_id.partition("-")[0]
    position = int(number) if number.isdecimal() and len(number) < 6 else -1
    if sheet.condition is None or sheet.is_over or sheet.is_cut_off or not sheet.has_reached(position):
        return None
    collected = Media(sheet, _item_at(sheet, position), position)
    explained(sheet, collected.item, collected)
    return collected.files.get(media_id)


def review(sheet: Sheet) -> ReviewPage:
    """All answers that can still be changed."""
    practice = sheet.version.config.items.practice
    rows = []
    for position in range(practice, min(sheet.position, len(sheet.item_order))):
        shown = _item_at(sheet, position)
        letter = next(a.value["letter"] for a in current_answers(sheet, shown) if a.question == "choice")
        rows.append(ReviewRow(position, position + 1 - practice, _label(shown, letter)))
    return ReviewPage(_frame(sheet), tuple(rows))


def post(sheet: Sheet) -> PostPage:
    """Questions after the items: about the person, where the study asks, then about the study."""
    questions = tuple(
        Question(f"post_{i}", texts.POST_TEXTS.get(text, text), "text", (), sheet.post.get(text, ""), False)
        for i, text in enumerate(sheet.version.config.pages.last_questions)
    )
    return PostPage(_frame(sheet), questions)


def done(sheet: Sheet) -> DonePage:
    """The completion code: only a finished sheet has one."""
    answered = sheet.answers.filter(question="choice", revision=0, item__is_practice=False).count()
    return DonePage(_frame(sheet), completion_code(sheet), answered)


def plain(sheet: Sheet) -> PlainPage:
    """What a sheet that cannot go on says: full, closed, screened out, withdrawn."""
    heading, text = texts.SHEET_ENDS["closed" if sheet.is_cut_off else sheet.step]
    return PlainPage(_frame(sheet), heading, text)


def frame(sheet: Sheet) -> Frame:
    """What a page without content of its own (withdraw) shows."""
    return _frame(sheet)


def choice_id(sheet: Sheet, shown: Item, letter: str) -> str:
    """The opaque id of a choice on this sheet."""
    return public_id(sheet.version.study.secret, "choice", sheet.annotator.pseudonym, shown.position, letter, length=12)


def completion_code(sheet: Sheet) -> str:
    """The code that a finished annotator hands to the recruiter."""
    return public_id(sheet.version.study.secret, "completion", sheet.annotator.pseudonym, length=8).upper()


def question_names(sheet: Sheet) -> dict[str, bool]:
    """The form fields of the questions that this sheet's items ask, and whether an answer is required."""
    stages = set(_stages(sheet))
    has_both = bool(stages & OVERVIEW_STAGES) and bool(stages & FEATURE_STAGES)
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


def _frame(sheet: Sheet) -> Frame:
    config = sheet.version.config
    return Frame(
        title=config.title,
        watermark=texts.WATERMARKS[sheet.kind],
        step=sheet.step,
        minutes=config.pages.minutes,
        can_withdraw=not sheet.is_over or sheet.step == Sheet.Step.DONE,
    )


def _stages(sheet: Sheet) -> list[str]:
    assert sheet.condition is not None, "the sheet is not assigned yet"
    return sheet.condition.stages


def _introductions(sheet: Sheet) -> tuple[StageIntroduction, ...]:
    return tuple(StageIntroduction(*texts.STAGE_INTRODUCTIONS[stage]) for stage in _stages(sheet))


def _item_at(sheet: Sheet, position: int) -> Item:
    return Item.objects.select_related("version__study").get(pk=sheet.item_order[position], version=sheet.version)


def _choices(sheet: Sheet, shown: Item, chosen: str | None) -> tuple[Choice, ...]:
    order = sheet.choice_orders[str(shown.pk)]
    return tuple(
        Choice(choice_id(sheet, shown, letter), _label(shown, letter), str((i + 1) % 10), letter == chosen)
        for i, letter in enumerate(order)
    )


def _label(shown: Item, letter: str) -> str:
    return next(choice["label"] for choice in shown.choices if choice["letter"] == letter)


def _questions(sheet: Sheet, explanations: tuple[Explanation, ...], answers: dict[str, object]) -> tuple[Question, ...]:
    own = {q.id: q for q in sheet.version.config.questions if isinstance(q, OwnQuestion)}
    questions = []
    for name, required in question_names(sheet).items():
        text = own[name].text if name in own else texts.QUESTION_TEXTS[name]
        is_scale = name == "confidence" or (name in own and own[name].type == "scale")
        kind = "choice" if name == "helpful" else "scale" if is_scale else "text"
        scale = texts.CONFIDENCE_SCALE if name == "confidence" else tuple((str(n), str(n)) for n in range(1, 6))
        options = texts.HELPFUL_OPTIONS if name == "helpful" else scale if is_scale else ()
        questions.append(Question(name, text, kind, options, str(answers.get(name, "")), required))
    return tuple(questions)


def _feedback(shown: Item, answers: dict[str, dict[str, str]]) -> Feedback:
    predicted = shown.letter_of(shown.prediction)
    chosen = answers["choice"]["letter"]
    assert predicted is not None
    return Feedback(_label(shown, chosen), _label(shown, predicted), chosen == predicted, shown.explanation)


def _submission(sheet: Sheet, shown: Item, stored: int) -> str:
    """A submission id that is the same for every open copy of this form, and another once an answer is stored."""
    revision = sheet.answers.filter(item=shown).count() if stored else 0
    digest = keyed(sheet.version.study.secret, "submission", sheet.annotator.pseudonym, shown.position, revision)
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _text(source: str) -> str:
    if source == "auto":
        return ""
    return Path(settings.BASE_DIR, source).read_text(encoding="utf-8")
