"""The life of a study: draft, frozen, open, closed, unblinded. Each step is refused with reasons, or logged."""

from __future__ import annotations

import hashlib
import json

from django.db import transaction

from studies.leak_linter import leaks
from studies.models import Study, StudyVersion
from studies.selectors import is_precomputed
from studies.services.audit import audit_record

State = Study.State
SHOWN_LEAKS = 10


class StudyRefused(Exception):
    """A step that this study cannot take now; one sentence per reason."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


def plan_sha256(version: StudyVersion) -> str:
    """The hash of what was decided before data collection: definition, items with their choices, artefacts."""
    items = list(
        version.items.order_by("position").values_list(
            "position", "is_practice", "split", "index", "prediction", "truth", "choices", "explained"
        )
    )
    checks = list(version.items.exclude(expected="").order_by("position").values_list("position", "expected"))
    artefacts = sorted(version.artefacts.values_list("subject_kind", "subject", "stage", "target", "sha256"))
    content = json.dumps([version.sha256, items, artefacts, *([checks] if checks else [])], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def study_freeze(*, study: Study, actor: str) -> Study:
    """Fix the plan. raises: StudyRefused"""
    # Reading every drawing takes a while: not behind the study's lock. What is ready no longer changes.
    read = study.version
    return _freeze(study, actor, read, _leaks(read) if study.state == State.DRAFT else [])


@transaction.atomic
def _freeze(study: Study, actor: str, read: StudyVersion, found: list[str]) -> Study:
    study = _step(study, State.DRAFT, "frozen")
    version = study.version
    if version != read:
        raise StudyRefused(["a newer version of the study was saved meanwhile: look at it, then freeze again"])
    reasons = [*_missing(version), *found]
    if reasons:
        raise StudyRefused(reasons)
    version.plan_sha256 = plan_sha256(version)
    version.save(update_fields=["plan_sha256"])
    return _arrive(study, State.FROZEN, "freeze", actor, plan_sha256=version.plan_sha256)


@transaction.atomic
def study_open(*, study: Study, actor: str) -> Study:
    """Let annotators in. raises: StudyRefused"""
    return _arrive(_step(study, State.FROZEN, "opened"), State.OPEN, "open", actor)


@transaction.atomic
def study_close(*, study: Study, actor: str) -> Study:
    """Let nobody new in. raises: StudyRefused"""
    return _arrive(_step(study, State.OPEN, "closed"), State.CLOSED, "close", actor)


@transaction.atomic
def study_unblind(*, study: Study, actor: str) -> Study:
    """Show outcomes by condition from now on. raises: StudyRefused"""
    return _arrive(_step(study, State.CLOSED, "unblinded"), State.UNBLINDED, "unblind", actor)


def _step(study: Study, before: State, done: str) -> Study:
    study = Study.objects.select_for_update().get(pk=study.pk)
    if study.state != before:
        raise StudyRefused([f"the study is {study.state}; only a study that is {before.value} can be {done}"])
    return study


def _arrive(study: Study, state: State, act: str, actor: str, **details: str) -> Study:
    study.state = state
    study.save(update_fields=["state"])
    audit_record(study=study, act=act, actor=actor, version=study.version.sha256, **details)
    return study


def _leaks(version: StudyVersion) -> list[str]:
    found = [str(leak) for leak in leaks(version)]
    rest = [f"{len(found) - SHOWN_LEAKS} more class names in captions, files or drawings"]
    return found[:SHOWN_LEAKS] + (rest if len(found) > SHOWN_LEAKS else [])


def _missing(version: StudyVersion) -> list[str]:
    run = version.runs.last()
    if run is None:
        return ["nothing is precomputed yet: run `study precompute` first"]
    if run.problem:
        return [run.problem]
    failed = version.artefacts.filter(state="failed")
    reasons = [f"{row} failed: {row.reason}" for row in failed[:10]]
    waiting = version.artefacts.exclude(state__in=["ready", "failed"]).count()
    if waiting:
        reasons.append(f"{waiting} artefacts are not computed yet")
    if not reasons and not is_precomputed(version):
        reasons.append("the precomputation is not finished")
    return reasons
