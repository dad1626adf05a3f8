"""Who may have a study's export, which there are, and which state of the data they are of. It loads no numpy.

While people answer the data change every minute: what was asked for is handed out all the same, and says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet

from studies import artefact_files
from studies.models import AuditEntry, DeskJob, ExposureEvent, Study, StudyVersion, Withdrawal
from studies.reports.ratings import data_sha256, sheet_kind
from studies.reports.stored import report_allow
from studies.services.audit import audit_record
from studies.services.desk_jobs import desk_job_request

# Part of every key: raise it when the same data give another file, and stored ones are built anew.
FORMAT = 2


@dataclass(frozen=True)
class Exports:
    """What there is of a version's exports.

    under_way: the one that a worker is to write; failed: the last one, where it failed
    built: the newest that can be handed out; is_current: whether it was asked for with the present data
    is_gone: there was one, and its file is missing or has somebody's answers who has withdrawn since
    """

    under_way: DeskJob | None
    failed: DeskJob | None
    built: DeskJob | None
    is_current: bool
    is_gone: bool


def export_allow(study: Study, *, peek: bool = False, actor: str) -> None:
    """Let the data of a study be taken away, by the rule of the report, and log it.

    raises: ReportRefused (people's answers before unblinding, and no peek)
    """
    report_allow(study, peek=peek, actor=actor)
    audit_record(study=study, act="export", actor=actor, version=study.version.sha256)


def exports_of(version: StudyVersion) -> Exports:
    """A version's exports as they stand now."""
    asked = version.desk_jobs.filter(kind=DeskJob.Kind.EXPORT)
    jobs = sorted(asked, key=lambda job: (job.finished or job.created, job.pk))
    ended = [job for job in jobs if job.state in (DeskJob.State.DONE, DeskJob.State.FAILED)]
    done = [job for job in ended if job.state == DeskJob.State.DONE]
    withdrawn = Withdrawal.objects.filter(sheet__version=version).aggregate(last=Max("at"))["last"]
    whole = [job for job in done if withdrawn is None or job.created > withdrawn]
    built = next((job for job in reversed(whole) if artefact_files.is_there(job.result)), None)
    return Exports(
        under_way=next((job for job in jobs if job not in ended), None),
        failed=ended[-1] if ended and ended[-1].state == DeskJob.State.FAILED else None,
        built=built,
        is_current=built is not None and built.key == export_key(version),
        is_gone=bool(done) and built is None,
    )


def export_request(version: StudyVersion) -> DeskJob:
    """Want the export of the present data. One that is under way is waited for, and the same data are written once."""
    under_way = exports_of(version).under_way
    key = under_way.key if under_way else export_key(version)
    return desk_job_request(version=version, kind=DeskJob.Kind.EXPORT, key=key)


def export_hand_out(job: DeskJob, *, actor: str) -> bytes:
    """The bytes of a finished export, for page and API alike: each time is logged. raises: CorruptArtefact"""
    content = artefact_files.load(job.result)
    version = job.version
    audit_record(study=version.study, act="export", actor=actor, version=version.sha256, sha256=job.result["sha256"])
    return content


def export_key(version: StudyVersion) -> str:
    """The hash of everything that the export's bytes depend on."""
    # ORM rows and not pseudonyms: a withdrawal, a later sheet and a new answer each change one of these.
    sheets = version.sheets.order_by("pk").values_list("pk", "step", "position", "is_late", "quiz_attempts", "finished")
    answers = version.sheets.aggregate(n=Count("answers"), last=Max("answers__pk"))
    times = ExposureEvent.objects.filter(sheet__version=version).aggregate(n=Count("pk"), last=Max("pk"))
    logged = exported_audit(version.study).order_by("number").values_list("sha256", flat=True).last()
    data = data_sha256(version, sheet_kind(version.study))
    content = [FORMAT, version.sha256, data, list(sheets), answers, times, logged]
    return hashlib.sha256(json.dumps(content, default=str, sort_keys=True).encode()).hexdigest()


def exported_audit(study: Study) -> QuerySet[AuditEntry]:
    """The audit log up to the last entry that is no export: taking the data away does not make them other data."""
    last = study.audit.exclude(act="export").aggregate(last=Max("number"))["last"] or 0
    return study.audit.filter(number__lte=last).order_by("number")
