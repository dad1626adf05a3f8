"""A sheet's way from the link to the completion code: one function per step the annotator takes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from studies.models import Annotator, Condition, ConsentText, Invite, Sheet, Study, Submission
from studies.models.sheet import Kind
from studies.secret_ids import keyed, public_id
from studies.selectors import is_precomputed
from studies.services.answering import TOO_LONG, AnswerRefused, as_written, is_too_long
from studies.services.assignment import condition_assign, has_place
from studies.services.identities import PlatformIds, identity_store, is_spent, sheet_of_identity
from studies.services.locking import sheet_locked

#: Time-outs are counted in minutes: a write for each page and draft would only keep others waiting.
SEEN_EVERY = timedelta(seconds=20)


class SheetRefused(Exception):
    """A sheet that cannot be started; `state` names the page to show, see link_state."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(state)


def link_state(*, study: Study, invite: Invite | None, ids: PlatformIds | None = None) -> str:
    """What a link leads to: open, full, closed, used, revoked or incomplete. Looking changes nothing.

    invite: None for the link of open recruitment
    ids:    what a recruitment platform's link said, as platform_ids() gives it
    """
    if study.state == Study.State.DELETING:
        return "closed"
    if invite is not None and invite.revoked:
        return "revoked"
    if invite is not None and invite.kind == Kind.LIVE and invite.sheets.exists():
        return "used"
    if invite is not None and invite.condition is not None:
        # A preview shows the newest version, once there is something to show.
        return "open" if invite.condition.version == study.version and is_precomputed(study.version) else "closed"
    if study.state != Study.State.OPEN:
        return "closed"
    if invite is None and ids is None and study.version.config.recruitment.ids != "none":
        return "incomplete"
    if ids is not None and (sheet_of_identity(study, ids) is not None or is_spent(study, ids)):
        return "used"
    return "open" if has_place(study) else "full"


@transaction.atomic
def sheet_start(*, study: Study, invite: Invite | None, ids: PlatformIds | None = None, browser: str = "") -> Sheet:
    """Claim a link and begin a sheet at the consent page; `invite` is None in open recruitment.

    browser: names the browser, so that a second click on "Start" finds the sheet of the first
    raises: SheetRefused. The database lets a live invite be claimed once and a person in once, however many tabs try.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if begun := sheet_begun(study=study, invite=invite, ids=ids, browser=browser):
        return begun
    state = link_state(study=study, invite=invite, ids=ids)
    if state != "open":
        raise SheetRefused(state)
    try:
        with transaction.atomic():
            sheet = sheet_create(study=study, kind=invite.kind if invite else Kind.LIVE, invite=invite, ids=ids)
    except IntegrityError as error:
        raise SheetRefused("used") from error
    if browser:
        Submission.objects.create(sheet=sheet, submission=_start_id(study, browser))
    return sheet


def sheet_begun(*, study: Study, invite: Invite | None, ids: PlatformIds | None, browser: str) -> Sheet | None:
    """The sheet that this browser began with this link, also where its session was lost (a start that is clicked twice
    leaves the first answer unread). Previews begin anew each time."""
    if not browser:
        return None
    begun = Sheet.objects.filter(version__study=study, kind=Kind.LIVE, invite=invite)
    if invite is None and ids is not None:
        known = sheet_of_identity(study, ids)
        begun = begun.filter(pk=known.pk) if known else begun.none()
    elif invite is None:
        begun = begun.filter(annotator__identity=None)
    return begun.filter(submissions__submission=_start_id(study, browser)).last()


@transaction.atomic
def sheet_create(*, study: Study, kind: str, invite: Invite | None = None, ids: PlatformIds | None = None) -> Sheet:
    """A new annotator with an empty sheet, not yet assigned to a condition. raises: SheetRefused"""
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state == Study.State.DELETING:
        raise SheetRefused("closed")
    if invite is not None and Invite.objects.get(pk=invite.pk).revoked:
        raise SheetRefused("revoked")
    if invite is not None and invite.kind == Kind.LIVE and study.state != Study.State.OPEN:
        raise SheetRefused("closed")  # between the look at the link and now
    number = study.annotators.count()
    pseudonym = "p" + public_id(study.secret, "annotator", number, length=9)
    annotator = Annotator.objects.create(study=study, pseudonym=pseudonym)
    sheet = Sheet.objects.create(
        version=study.version,
        annotator=annotator,
        invite=invite,
        kind=kind,
        resume_token=public_id(study.secret, "resume", pseudonym, length=32),
    )
    if ids is not None:
        identity_store(sheet=sheet, ids=ids)
    return sheet


@transaction.atomic
def sheet_consent(*, sheet: Sheet, text: str) -> Sheet:
    """Record which text was agreed to, and move on to the quiz, or to the assignment where there is none."""
    sheet = sheet_locked(sheet)
    if sheet.step != Sheet.Step.CONSENT:
        return sheet
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    ConsentText.objects.get_or_create(study=sheet.version.study, sha256=sha256, defaults={"text": text})
    Annotator.objects.filter(pk=sheet.annotator_id).update(consented=timezone.now(), consent_sha256=sha256)
    if sheet.version.config.pages.quiz is None:
        return _assign(sheet)
    return _move(sheet, Sheet.Step.QUIZ)


@transaction.atomic
def sheet_quiz(*, sheet: Sheet, chosen: Sequence[str], attempt: int) -> Sheet:
    """Grade one attempt at the quiz: assigned when all is right, screened out when the attempts are used up.

    attempt: the number that the form was made for; a form that is sent twice is graded once
    """
    sheet = sheet_locked(sheet)
    part = sheet.version.config.pages.quiz
    if sheet.step != Sheet.Step.QUIZ or part is None or attempt != sheet.quiz_attempts:
        return sheet
    if list(chosen) == [question.correct for question in part.questions]:
        return _assign(sheet)
    sheet.quiz_attempts += 1
    is_out = sheet.quiz_attempts >= part.attempts
    return _move(sheet, Sheet.Step.SCREENED_OUT if is_out else Sheet.Step.QUIZ)


@transaction.atomic
def sheet_begin(*, sheet: Sheet) -> Sheet:
    """From the instructions to the first item."""
    sheet = sheet_locked(sheet)
    return _move(sheet, Sheet.Step.ITEM) if sheet.step == Sheet.Step.INSTRUCTIONS else sheet


@transaction.atomic
def sheet_review_done(*, sheet: Sheet) -> Sheet:
    """From the review to the last questions, or to the end where there are none."""
    sheet = sheet_locked(sheet)
    if sheet.step != Sheet.Step.REVIEW:
        return sheet
    return _move(sheet, Sheet.Step.POST) if sheet.version.config.pages.last_questions else _finish(sheet)


@transaction.atomic
def sheet_finish(*, sheet: Sheet, post: Mapping[str, str]) -> Sheet:
    """Store the answers to the last questions and finish. After this nothing can be changed but by withdrawing.

    raises: AnswerRefused (a text that is too long)
    """
    sheet = sheet_locked(sheet)
    if sheet.step != Sheet.Step.POST:
        return sheet
    asked = sheet.version.config.pages.last_questions
    sheet.post = {question: as_written(post.get(question, "")) for question in asked}
    if problems := {question: TOO_LONG for question, text in sheet.post.items() if is_too_long(text)}:
        raise AnswerRefused(problems)
    return _finish(sheet)


@transaction.atomic
def sheet_assign(*, sheet: Sheet, condition: Condition | None = None) -> Sheet:
    """Assign a sheet to the condition that needs annotators most, or to the given one (previews, simulation)."""
    return _assign(sheet_locked(sheet), condition)


def sheet_seen(*, sheet: Sheet) -> None:
    """Note a sign of life; a return after the time-out is marked and keeps the place."""
    now = timezone.now()
    away = now - sheet.seen
    if timedelta(0) <= away < SEEN_EVERY:
        return
    limit = timedelta(minutes=sheet.version.config.annotators.timeout_minutes)
    is_late = sheet.is_late or (not sheet.is_over and away > limit)
    Sheet.objects.filter(pk=sheet.pk).update(seen=now, is_late=is_late)


def _start_id(study: Study, browser: str) -> uuid.UUID:
    return uuid.UUID(bytes=keyed(study.secret, "start", browser)[:16], version=4)


def _move(sheet: Sheet, step: Sheet.Step) -> Sheet:
    sheet.step = step
    sheet.seen = timezone.now()
    sheet.save()
    return sheet


def _finish(sheet: Sheet) -> Sheet:
    sheet.finished = timezone.now()
    return _move(sheet, Sheet.Step.DONE)


def _assign(sheet: Sheet, condition: Condition | None = None) -> Sheet:
    if condition is None and sheet.invite is not None:
        condition = sheet.invite.condition
    is_assigned = condition_assign(sheet=sheet, condition=condition)
    if not is_assigned and sheet.is_cut_off:  # closed at this moment: it stays where it was, and its page says why
        return sheet
    return _move(sheet, Sheet.Step.INSTRUCTIONS if is_assigned else Sheet.Step.FULL)
