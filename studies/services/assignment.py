"""Who goes where: the draw of a condition and of the orders of items and choices, and arms closed by hand."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from studies.models import Condition, Sheet, Study, StudyVersion
from studies.models.sheet import Kind
from studies.secret_ids import keyed, shuffled
from studies.services.audit import audit_record
from studies.services.freezing import StudyRefused

#: Assigned and under way: these hold a place for as long as there are signs of life.
UNDER_WAY = (Sheet.Step.INSTRUCTIONS, Sheet.Step.ITEM, Sheet.Step.REVIEW, Sheet.Step.POST)


def condition_assign(*, sheet: Sheet, condition: Condition | None = None) -> bool:
    """Give a locked sheet its condition (the neediest, or the given one) and its orders; the caller saves it.

    returns: False when every arm is full or closed, or the study was closed meanwhile (then `sheet.is_cut_off` holds)
    """
    # The study's lock makes counting and taking a place one act, whoever else is being assigned.
    study = sheet.version.study = Study.objects.select_for_update().get(pk=sheet.version.study_id)
    if condition is None and not sheet.is_cut_off:
        condition = neediest_condition(study, sheet)
    if condition is None:
        return False
    sheet.condition = condition
    sheet.item_order, sheet.choice_orders = _drawn_orders(study, sheet)
    return True


def has_place(study: Study) -> bool:
    """Whether somebody who came to be assigned now would get a condition: False is "full"."""
    return bool(_arms_with_places(study.version, Kind.LIVE))


def neediest_condition(study: Study, sheet: Sheet) -> Condition | None:
    """The open condition with the smallest share of its quota filled; ties by the study's secret. None: full."""
    pseudonym = sheet.annotator.pseudonym
    arms = [
        (filled / arm.quota, keyed(study.secret, "tie", pseudonym, arm.position), arm)
        for arm, filled in _arms_with_places(sheet.version, sheet.kind)
    ]
    return min(arms, key=lambda row: row[:2])[2] if arms else None


@transaction.atomic
def condition_close(*, study: Study, name: str, actor: str) -> Condition:
    """Let nobody new into one arm; who is in it goes on. With its last open arm closed a study is full.

    raises: StudyRefused
    """
    return _switch(study, name, actor, is_open=False)


@transaction.atomic
def condition_reopen(*, study: Study, name: str, actor: str) -> Condition:
    """Let annotators into an arm again that was closed by hand. raises: StudyRefused"""
    return _switch(study, name, actor, is_open=True)


def _switch(study: Study, name: str, actor: str, *, is_open: bool) -> Condition:
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state not in (Study.State.FROZEN, Study.State.OPEN):
        raise StudyRefused([f"the study is {study.state}; arms are closed and reopened while it is frozen or open"])
    conditions = study.version.conditions
    condition = conditions.filter(name=name).first()
    if condition is None:
        raise StudyRefused([f"no condition {name!r}; there are: {', '.join(c.name for c in conditions.all())}"])
    if condition.is_open == is_open:
        raise StudyRefused([f"condition {name!r} is {'open' if is_open else 'closed'} already"])
    condition.is_open = is_open
    condition.save(update_fields=["is_open"])
    act = "condition_reopen" if is_open else "condition_close"
    audit_record(study=study, act=act, actor=actor, version=study.version.sha256, condition=name)
    return condition


def _arms_with_places(version: StudyVersion, kind: str) -> list[tuple[Condition, int]]:
    """The open arms below their quota, and how far they are filled: completed + active within the time-out."""
    limit = timezone.now() - timedelta(minutes=version.config.annotators.timeout_minutes)
    holding = Q(sheets__step=Sheet.Step.DONE) | Q(sheets__step__in=UNDER_WAY, sheets__seen__gte=limit)
    arms = version.conditions.filter(is_open=True)
    counted = arms.annotate(filled=Count("sheets", filter=Q(sheets__kind=kind) & holding))
    return [(arm, arm.filled) for arm in counted if arm.filled < arm.quota]


def _drawn_orders(study: Study, sheet: Sheet) -> tuple[list[int], dict[str, list[str]]]:
    """This annotator's order of items (practice first, in the written order) and of choices: drawn once, stored."""
    pseudonym = sheet.annotator.pseudonym
    items = list(sheet.version.items.order_by("position"))
    practice = [item for item in items if item.is_practice]
    rest = shuffled(study.secret, [item for item in items if not item.is_practice], "items", pseudonym)
    choices = {
        str(item.pk): shuffled(
            study.secret, sorted(c["letter"] for c in item.choices), "choices", pseudonym, item.position
        )
        for item in items
    }
    return [item.pk for item in practice + rest], choices
