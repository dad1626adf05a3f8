"""Who may have a study's export, and which state of the data it is of. Pages use this: it loads no numpy."""

from __future__ import annotations

import hashlib
import json

from django.db.models import Count, Max, QuerySet

from studies.models import AuditEntry, ExposureEvent, Study, StudyVersion
from studies.reports.ratings import data_sha256, sheet_kind
from studies.reports.stored import report_allow
from studies.services.audit import audit_record

# Part of every key: raise it when the same data give another file, and stored ones are built anew.
FORMAT = 1


def export_allow(study: Study, *, peek: bool = False, actor: str) -> None:
    """Let the data of a study be taken away, by the rule of the report, and log it.

    raises: ReportRefused (people's answers before unblinding, and no peek)
    """
    report_allow(study, peek=peek, actor=actor)
    audit_record(study=study, act="export", actor=actor, version=study.version.sha256)


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
