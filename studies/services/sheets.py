"""A sheet's way from the link to the completion code: one function per step the annotator takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Q
from django.utils import timezone

from studies.models import Annotator, Condition, Invite, Sheet, Study
from studies.models.sheet import Kind
from studies.secret_ids import keyed, public_id, shuffled
from studies.selectors import is_precomputed
from studies.services.answering import MAX_TEXT, TOO_LONG, AnswerRefused


class SheetRefused(Exception):
    """A sheet that cannot be started; `state` names the page to show: closed, used or revoked."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(state)


def link_state(*, study: Study, invite: Invite) -> str:
    """What a link leads to: open, closed, used or revoked. Looking changes nothing."""
    if invite.revoked:
        return "revoked"
    if invite.kind == Kind.LIVE and invite.sheets.exists():
        return "used"
    if invite.condition is not None:
        # A preview shows the newest version, once there is something to show.
        return "open" if invite.condition.version == study.version and is_precomputed(study.version) else "closed"
    return "open" if study.state == Study.State.OPEN else "closed"


def sheet_start(*, study: Study, invite: Invite) -> Sheet:
    """Claim a link and begin a sheet at the consent page.

    raises: SheetRefused. The database lets a live invite be claimed once, however many tabs try.
    """
    state = link_state(study=study, invite=invite)
    if state != "open":
        raise SheetRefused(state)
    try:
        return sheet_create(study=study, kind=invite.kind, invite=invite)
    except IntegrityError as error:
        raise SheetRefused("used") from error


@transaction.atomic
def sheet_create(*, study: Study, kind: str, invite: Invite | None = None) -> Sheet:
    """A new annotator with an empty sheet, not yet assigned to a condition. raises: SheetRefused"""
    Study.objects.select_for_update().get(pk=study.pk)
    if invite is not None and Invite.objects.get(pk=invite.pk).revoked:
        raise SheetRefused("revoked")
    number = study.annotators.count()
    pseudonym = "p" + public_id(study.secret, "annotator", number, length=9)
    annotator = Annotator.objects.create(study=study, pseudonym=pseudonym)
    return Sheet.objects.create(
        version=study.version,
        annotator=annotator,
        invite=invite,
        kind=kind,
        resume_token=public_id(study.secret, "resume", pseudonym, length=32),
    )


@transaction.atomic
def sheet_consent(*, sheet: Sheet, sha256: str) -> Sheet:
    """Record which text was agreed to, and move on to the quiz, or to the assignment where there is none."""
    sheet = _locked(sheet)
    if sheet.step != Sheet.Step.CONSENT:
        return sheet
    Annotator.objects.filter(pk=sheet.annotator_id).update(consented=timezone.now(), consent_sha256=sha256)
    if sheet.version.config.pages.quiz is None:
        return _assign(sheet)
    return _move(sheet, Sheet.Step.QUIZ)


@transaction.atomic
def sheet_quiz(*, sheet: Sheet, chosen: Sequence[str], attempt: int) -> Sheet:
    """Grade one attempt at the quiz: assigned when all is right, screened out when the attempts are used up.

    attempt: the number that the form was made for; a form that is sent twice is graded once
    """
    sheet = _locked(sheet)
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
    sheet = _locked(sheet)
    return _move(sheet, Sheet.Step.ITEM) if sheet.step == Sheet.Step.INSTRUCTIONS else sheet


@transaction.atomic
def sheet_review_done(*, sheet: Sheet) -> Sheet:
    """From the review to the last questions, or to the end where there are none."""
    sheet = _locked(sheet)
    if sheet.step != Sheet.Step.REVIEW:
        return sheet
    return _move(sheet, Sheet.Step.POST) if sheet.version.config.pages.last_questions else _finish(sheet)


@transaction.atomic
def sheet_finish(*, sheet: Sheet, post: Mapping[str, str]) -> Sheet:
    """Store the answers to the last questions and finish. After this nothing can be changed but by withdrawing.

    raises: AnswerRefused (a text that is too long)
    """
    sheet = _locked(sheet)
    if sheet.step != Sheet.Step.POST:
        return sheet
    asked = sheet.version.config.pages.last_questions
    # PostgreSQL's JSON refuses NUL characters.
    sheet.post = {question: post.get(question, "").replace("\x00", "").strip() for question in asked}
    if problems := {question: TOO_LONG for question, text in sheet.post.items() if len(text) > MAX_TEXT}:
        raise AnswerRefused(problems)
    return _finish(sheet)


@transaction.atomic
def sheet_assign(*, sheet: Sheet, condition: Condition | None = None) -> Sheet:
    """Assign a sheet to the condition that needs annotators most, or to the given one (previews, simulation)."""
    return _assign(_locked(sheet), condition)


@transaction.atomic
def sheet_withdraw(*, sheet: Sheet) -> Sheet:
    """Delete the answers and what was written, and leave a tombstone without either."""
    sheet = _locked(sheet)
    sheet.answers.all().delete()
    sheet.post = {}
    return _move(sheet, Sheet.Step.WITHDRAWN)


def sheet_seen(*, sheet: Sheet) -> None:
    """Note a sign of life; a return after the time-out is marked and keeps the place."""
    now = timezone.now()
    limit = timedelta(minutes=sheet.version.config.annotators.timeout_minutes)
    is_late = sheet.is_late or (not sheet.is_over and now - sheet.seen > limit)
    Sheet.objects.filter(pk=sheet.pk).update(seen=now, is_late=is_late)


def _locked(sheet: Sheet) -> Sheet:
    # Two queries: PostgreSQL cannot lock the nullable side of an outer join.
    Sheet.objects.select_for_update().get(pk=sheet.pk)
    return Sheet.objects.select_related("version__study", "condition", "annotator", "invite").get(pk=sheet.pk)


def _move(sheet: Sheet, step: Sheet.Step) -> Sheet:
    sheet.step = step
    sheet.seen = timezone.now()
    sheet.save()
    return sheet


def _finish(sheet: Sheet) -> Sheet:
    sheet.finished = timezone.now()
    return _move(sheet, Sheet.Step.DONE)


def _assign(sheet: Sheet, condition: Condition | None = None) -> Sheet:
    study = Study.objects.select_for_update().get(pk=sheet.version.study_id)
    if condition is None and sheet.invite is not None:
        condition = sheet.invite.condition
    condition = condition or _neediest(study, sheet)
    if condition is None:
        return _move(sheet, Sheet.Step.FULL)
    sheet.condition = condition
    _draw_orders(study, sheet)
    return _move(sheet, Sheet.Step.INSTRUCTIONS)


def _neediest(study: Study, sheet: Sheet) -> Condition | None:
    """The least filled open condition, by completed sheets and those active within the time-out; ties by the secret."""
    limit = timezone.now() - timedelta(minutes=sheet.version.config.annotators.timeout_minutes)
    counted = Q(sheets__kind=sheet.kind) & (
        Q(sheets__step=Sheet.Step.DONE) | (Q(sheets__seen__gte=limit) & ~Q(sheets__step=Sheet.Step.WITHDRAWN))
    )
    arms = sheet.version.conditions.annotate(filled=Count("sheets", filter=counted))
    free = [arm for arm in arms if arm.filled < arm.quota]
    if not free:
        return None
    return min(
        free,
        key=lambda arm: (
            arm.filled / arm.quota,
            keyed(study.secret, "tie", sheet.annotator.pseudonym, arm.position),
        ),
    )


def _draw_orders(study: Study, sheet: Sheet) -> None:
    """Draw this annotator's order of items (practice first, in the written order) and of choices, once."""
    pseudonym = sheet.annotator.pseudonym
    items = list(sheet.version.items.order_by("position"))
    practice = [item for item in items if item.is_practice]
    shuffled_items = shuffled(study.secret, [i for i in items if not i.is_practice], "items", pseudonym)
    sheet.item_order = [item.pk for item in practice + shuffled_items]
    sheet.choice_orders = {
        str(item.pk): shuffled(
            study.secret, sorted(c["letter"] for c in item.choices), "choices", pseudonym, item.position
        )
        for item in items
    }
