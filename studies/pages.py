"""The one door to annotators: what a sheet's pages and media may hold, from the allow-list `condition -> stages`.

Views, templates and the media view receive these objects and nothing else. The treatment of the experiment lives here
and in the page_*.py beside it, which nobody else calls.
"""

from __future__ import annotations

from typing import Any

from studies import page_memory, texts
from studies.models import Sheet
from studies.page_ends import being_prepared, completion_code, done, plain
from studies.page_entry import consent, instructions, quiz, welcome
from studies.page_frame import form_key, frame
from studies.page_items import (
    BeingPrepared,
    choice_id,
    form_id,
    form_ids,
    is_practice,
    is_prepared,
    item,
    item_at,
    label,
    question_names,
)
from studies.page_panels import explained
from studies.page_slots import Media
from studies.page_step_types import PostPage, ReviewPage, ReviewRow
from studies.page_types import Question
from studies.selectors import current_answers

__all__ = [
    "BeingPrepared",
    "being_prepared",
    "choice_id",
    "completion_code",
    "consent",
    "done",
    "form_id",
    "form_ids",
    "form_key",
    "frame",
    "instructions",
    "is_practice",
    "item",
    "media",
    "media_again",
    "plain",
    "post",
    "question_names",
    "quiz",
    "review",
    "welcome",
]


def media_again(session_key: str, media_id: str) -> dict[str, Any] | None:
    """Like `media`, for a browser whose sheet was looked up a moment ago; None where that has to be done."""
    return page_memory.is_let_in(session_key, media_id)


def media(sheet: Sheet, media_id: str, session_key: str = "") -> dict[str, Any] | None:
    """The file {sha256, type} that a media id of this sheet stands for, or None. Only pages up to the front count.

    session_key: of the browser that holds this sheet, which is let in for the other pictures of the page too
    """
    number = media_id.partition("-")[0]
    position = int(number) if number.isdecimal() and len(number) < 6 else -1
    if sheet.condition_id is None or sheet.is_over or sheet.is_cut_off or not sheet.has_reached(position):
        return None
    files = page_memory.recall(sheet, position)
    if media_id not in files:
        collected = Media(sheet, item_at(sheet, position), position)
        if not is_prepared(sheet, collected.item):
            return None
        explained(sheet, collected.item, collected)
        files = collected.files
        page_memory.remember(sheet, position, files)
    if media_id in files and session_key:
        page_memory.let_in(session_key, sheet, files)
    return files.get(media_id)


def review(sheet: Sheet) -> ReviewPage:
    """All answers that can still be changed."""
    practice = sheet.version.config.items.practice
    rows = []
    for position in range(practice, min(sheet.position, len(sheet.item_order))):
        shown = item_at(sheet, position)
        letter = next(a.value["letter"] for a in current_answers(sheet, shown) if a.question == "choice")
        rows.append(ReviewRow(position, position + 1 - practice, label(shown, letter)))
    return ReviewPage(frame(sheet), tuple(rows))


def post(sheet: Sheet) -> PostPage:
    """Questions after the items: about the person, where the study asks, then about the study."""
    questions = tuple(
        Question(f"post_{i}", texts.POST_TEXTS.get(text, text), "text", (), sheet.post.get(text, ""), False)
        for i, text in enumerate(sheet.version.config.pages.last_questions)
    )
    return PostPage(frame(sheet), questions)
