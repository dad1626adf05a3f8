"""What a worker does for the researcher's desk: check a study file, begin a precomputation, write an export,
simulate a plan."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from studies import artefact_files, linter
from studies.computed import Tick
from studies.models import DeskJob
from studies.services.desk_jobs import (
    desk_job_fail,
    desk_job_finish,
    desk_job_lease,
    desk_job_name_file,
    desk_job_renew,
    desk_jobs_release,
)
from studies.services.holding import new_owner
from studies.services.precompute import PrecomputeRefused, precompute_start
from studies.services.ringing import workers_ring
from studies.watch import Watch, patiently, reason_of, unless_busy

if TYPE_CHECKING:
    from studies.reports.plan_request import PlanRequest

logger = logging.getLogger(__name__)


class JobRefused(Exception):
    """A job that cannot be done as things stand; its sentence is the researcher's, `result` says more."""

    def __init__(self, reason: str, result: dict[str, Any] | None = None) -> None:
        self.result = result or {}
        super().__init__(reason)


def desk_work(*, watch: Watch | None = None) -> int:
    """Do the jobs that are due; returns how many ended."""
    owner, ended, watch = new_owner(), 0, watch or Watch()
    try:
        while not watch.is_over() and (job := desk_job_lease(owner=owner)):
            _do(job, owner, watch)
            ended += 1
    finally:
        patiently(partial(desk_jobs_release, owner=owner))
    return ended


def _do(job: DeskJob, owner: str, watch: Watch) -> None:
    def renew(done: int | None = None, total: int | None = None) -> None:
        unless_busy(partial(desk_job_renew, job=job, owner=owner, done=done, total=total))

    try:
        with watch.kept_alive(renew):
            result = _WORK[job.kind](job, watch.ticking(renew, can_continue=False))
        patiently(partial(desk_job_finish, job=job, owner=owner, result=result))
    except (JobRefused, PrecomputeRefused) as refused:
        desk_job_fail(job=job, owner=owner, reason=str(refused), result=getattr(refused, "result", None))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the job is handed back
    except Exception as error:
        reason = reason_of(error)
        logger.warning("%s failed: %s", job, reason, exc_info=error)
        desk_job_fail(job=job, owner=owner, reason=reason)


def _check(job: DeskJob, tick: Tick) -> dict[str, Any]:
    found = linter.check(job.version.config, base=settings.BASE_DIR, progress=tick)
    return {"problems": [{"path": problem.path, "message": problem.message} for problem in found]}


def _precompute(job: DeskJob, tick: Tick) -> dict[str, Any]:
    checked = _check(job, tick)
    if checked["problems"]:
        first = checked["problems"][0]
        raise JobRefused(f"the study file does not fit its data: {first['path']}: {first['message']}", checked)
    run = precompute_start(version=job.version)
    if run.problem:
        raise JobRefused(run.problem, checked)
    workers_ring()
    return checked


def _export(job: DeskJob, tick: Tick) -> dict[str, Any]:
    # Loaded here: reports need numpy and pandas, which a check does without.
    from studies.reports.archive import build_export

    content, media_type = build_export(job.version)
    entry = {**artefact_files.entry_of(content, media_type), "size": len(content)}
    if patiently(partial(desk_job_name_file, job=job, owner=job.owner, entry=entry)):
        artefact_files.store(content, media_type)
    return entry


def _plan(job: DeskJob, tick: Tick) -> dict[str, Any]:
    # Loaded here: a plan needs numpy and altair, which a check does without.
    from studies.reports.plan_request import PlanRequest
    from studies.reports.planning import build_plan

    request = PlanRequest.model_validate(job.result["request"])
    notes: tuple[str, ...] = ()
    if request.pilot:
        request, notes = _learnt(job, request)
    plan = build_plan(request, progress=tick, draw=True, notes=notes)
    return plan.model_dump(mode="json")


def _learnt(job: DeskJob, request: PlanRequest) -> tuple[PlanRequest, tuple[str, ...]]:
    """A plan's request with what sheets tell, and sentences on that. raises: JobRefused"""
    from studies.reports.plan_pilot import PilotRefused, pilot_of_page

    try:
        found = pilot_of_page(job.version.study, request, key=job.key)
    except PilotRefused as refused:
        raise JobRefused(str(refused), job.result) from refused
    return found.request, found.notes


_WORK: dict[str, Callable[[DeskJob, Tick], dict[str, Any]]] = {
    DeskJob.Kind.CHECK: _check,
    DeskJob.Kind.PRECOMPUTE: _precompute,
    DeskJob.Kind.EXPORT: _export,
    DeskJob.Kind.PLAN: _plan,
}
