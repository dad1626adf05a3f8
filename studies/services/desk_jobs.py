"""Jobs of the researcher's desk: asked for by a page, leased and done by a worker, their result kept in the row.

Life: wanted -> leased(owner, until) -> done(result) | failed(reason); fenced like artefacts. The work itself stands in
studies/desk_work.py.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from studies import artefact_files
from studies.models import DeskJob, Study, StudyVersion
from studies.services.clearing import export_file_drop, exports_keep_newest
from studies.services.holding import DONE, FAILED, LEASED, MAX_ATTEMPTS, WANTED, is_due, lease_end, was_given_up
from studies.services.ringing import desk_ring


class DeskRefused(Exception):
    """Work that is not begun as things stand; the text is a sentence for the researcher."""


@transaction.atomic
def desk_job_request(
    *, version: StudyVersion, kind: str, key: str = "", result: dict[str, Any] | None = None
) -> DeskJob:
    """Want a job done; asked again while it is wanted or under way, this is the same row.

    A failed job, a check and the beginning of a precomputation are done anew; an export whose file still lies there
    is not: `key` says which data it is of. Neither is a plan: the same parameters give the same one.

    result: what the worker needs to know, until the job's own result takes its place
    raises: DeskRefused (a precomputation of a study that is no draft any more)
    """
    if kind == DeskJob.Kind.PRECOMPUTE:
        _draft_only(version)
    job, _ = DeskJob.objects.select_for_update().get_or_create(
        version=version, kind=kind, key=key, defaults={"result": result or {}}
    )
    if _is_over(job):
        export_file_drop(job.result)
        job.state, job.owner, job.lease_until, job.attempts = WANTED, "", None, 0
        job.done = job.total = 0
        job.reason, job.result, job.finished = "", result or {}, None
        job.save()
    desk_ring()
    return job


def due_jobs() -> QuerySet[DeskJob]:
    """Jobs that any worker may take up now."""
    return DeskJob.objects.filter(is_due(DeskJob.objects.all()))


@transaction.atomic
def desk_job_lease(*, owner: str) -> DeskJob | None:
    """Take the oldest due job, or None; jobs whose attempts are used up are failed on the way."""
    skip = connection.features.has_select_for_update_skip_locked
    for job in due_jobs().select_for_update(skip_locked=skip, of=("self",)).select_related("version__study"):
        if job.attempts < MAX_ATTEMPTS:
            job.state, job.owner, job.lease_until = LEASED, owner, lease_end()
            job.attempts += 1
            job.save(update_fields=["state", "owner", "lease_until", "attempts"])
            return job
        _end(DeskJob.objects.filter(pk=job.pk), state=FAILED, reason=was_given_up(job.attempts))
    return None


def desk_job_renew(*, job: DeskJob, owner: str, done: int | None = None, total: int | None = None) -> None:
    """Show that the work goes on, and how far it is."""
    progress = {} if done is None else {"done": done, "total": total or 0}
    _ours(job, owner).update(lease_until=lease_end(), **progress)


@transaction.atomic
def desk_job_name_file(*, job: DeskJob, owner: str, entry: dict[str, Any]) -> bool:
    """Note the file that is about to be written, if the job is still ours.

    Before it is written: whoever deletes the row deletes the file too, also one whose worker is killed right after it.
    """
    row = _ours(job, owner).select_for_update().first()
    if row is None:
        return False
    export_file_drop(row.result)
    _ours(job, owner).update(result=entry)
    return True


@transaction.atomic
def desk_job_finish(*, job: DeskJob, owner: str, result: dict[str, Any]) -> bool:
    """Keep the result, if the job is still ours. An export takes the place of the study's older ones.

    An export whose row was deleted or taken over meanwhile leaves no file of its own behind.
    """
    is_kept = _end(_ours(job, owner), state=DONE, reason="", result=result)
    if job.kind == DeskJob.Kind.EXPORT and is_kept:
        exports_keep_newest(study=job.version.study)
    elif job.kind == DeskJob.Kind.EXPORT:
        export_file_drop(result)
    return is_kept


def desk_job_fail(*, job: DeskJob, owner: str, reason: str, result: dict[str, Any] | None = None) -> bool:
    """Give the job up with its reason, if it is still ours; without a result, what it has noted stays."""
    noted = {} if result is None else {"result": result}
    return _end(_ours(job, owner), state=FAILED, reason=reason[:2000], **noted)


def desk_jobs_release(*, owner: str) -> None:
    """Hand back what this process holds, uncounted: it was interrupted, not unable."""
    for job in DeskJob.objects.filter(owner=owner, state=LEASED):
        _ours(job, owner).update(state=WANTED, owner="", lease_until=None, attempts=max(0, job.attempts - 1))


def _draft_only(version: StudyVersion) -> None:
    # Locked: a freeze comes before this request, or after it.
    state = Study.objects.select_for_update().get(pk=version.study_id).state
    if state != Study.State.DRAFT:
        raise DeskRefused(f"The study is {state}: what it shows is fixed.")


def _is_over(job: DeskJob) -> bool:
    if job.kind == DeskJob.Kind.EXPORT and job.state == DONE:
        return not artefact_files.is_there(job.result)
    if job.kind == DeskJob.Kind.PLAN:
        return job.state == FAILED
    return job.state in (DONE, FAILED)


def _ours(job: DeskJob, owner: str) -> QuerySet[DeskJob]:
    return DeskJob.objects.filter(pk=job.pk, owner=owner, state=LEASED)


def _end(rows: QuerySet[DeskJob], **values: Any) -> bool:
    return rows.update(owner="", lease_until=None, finished=timezone.now(), **values) == 1
