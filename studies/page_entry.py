"""The pages before the items: welcome, consent, quiz, instructions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from studies import texts
from studies.config_parts import is_written_out
from studies.markdown_text import to_html
from studies.models import Sheet, Study
from studies.page_ends import other_sheets, return_url
from studies.page_frame import frame, introductions
from studies.page_step_types import ConsentPage, InstructionsPage, QuizPage, WelcomePage
from studies.page_types import Question


def welcome(
    study: Study,
    *,
    kind: str,
    state: str,
    is_personal: bool = True,
    hidden: Sequence[tuple[str, str]] = (),
    held: Sequence[Sheet] = (),
) -> WelcomePage:
    """The landing page of a link.

    hidden: what the recruitment platform's link said; held: the other sheets of this browser
    """
    config = study.version.config
    heading, text = texts.LINK_STATES.get(state, ("", ""))
    # Nobody in particular has come yet, so only a code that is the same for all can be shown.
    code = (config.recruitment.codes.full or "") if state == "full" else ""
    return WelcomePage(
        title=config.title,
        minutes=config.pages.minutes,
        pay=config.pages.pay or "",
        watermark=texts.WATERMARKS[kind],
        state=state,
        heading=heading,
        text=text,
        is_personal=is_personal,
        hidden=tuple(hidden),
        code=code,
        return_url=return_url(config, code),
        others=other_sheets(held),
    )


def consent(sheet: Sheet) -> ConsentPage:
    """The consent text of the study's version: the researcher's, or ours."""
    config = sheet.version.config
    ours = texts.CONSENT + (texts.CONSENT_IDS if config.recruitment.ids != "none" else "")
    text = _written(config.pages.consent) or ours
    return ConsentPage(frame(sheet), to_html(text), hashlib.sha256(text.encode()).hexdigest(), text)


def quiz(sheet: Sheet) -> QuizPage:
    """The quiz without its key."""
    part = sheet.version.config.pages.quiz
    assert part is not None
    questions = tuple(
        Question(f"quiz_{i}", question.text, "choice", tuple((text, text) for text in question.options), "", True)
        for i, question in enumerate(part.questions)
    )
    return QuizPage(frame(sheet), questions, sheet.quiz_attempts, part.attempts - sheet.quiz_attempts)


def instructions(sheet: Sheet) -> InstructionsPage:
    """Instructions for exactly the stages of the sheet's condition."""
    config = sheet.version.config
    return InstructionsPage(
        frame=frame(sheet),
        html=to_html(_written(config.pages.instructions)),
        introductions=introductions(sheet),
        practice=config.items.practice,
        items=len(sheet.item_order) - config.items.practice,
    )


def _written(source: str) -> str:
    if source == "auto":
        return ""
    if is_written_out(source):
        return source
    return Path(settings.BASE_DIR, source).read_text(encoding="utf-8")
