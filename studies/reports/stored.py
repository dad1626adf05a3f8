"""Reading stored reports, and who may. Pages use this and never build.py: the web process loads no numpy."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from studies.models import StoredReport, Study, StudyVersion
from studies.models.sheet import Kind
from studies.reports.ratings import data_sha256, sheet_kind
from studies.reports.shape import Report
from studies.services.audit import audit_record

#: How long a look before unblinding is good
PEEK = timedelta(minutes=15)
#: The one key of a row that tells why a report could not be built
FAILED = "failed"
#: What stands in place of an old report's charts: they are drawn again when somebody asks. An empty list says that
#: there was nothing to draw, and is never drawn again.
DROPPED = [{"dropped": True}]


class ReportRefused(Exception):
    """Outcomes that may not be looked at yet; the text is a sentence for the researcher."""


class ReportFailed(Exception):
    """A report that a worker could not build; the text is the error's."""


def is_blinded(study: Study) -> bool:
    """Whether the outcomes are people's and must not be seen yet. Simulated ones may always be."""
    return sheet_kind(study) == Kind.LIVE and not study.is_unblinded


def report_allow(study: Study, *, peek: bool = False, actor: str) -> None:
    """Let the outcomes of a study be seen, or not. A peek is logged; where none is needed, none is.

    raises: ReportRefused
    """
    if not is_blinded(study):
        return
    if not peek:
        raise ReportRefused(
            f"The study {study.slug} is {study.state}: outcomes of people's answers are shown after unblinding,"
            " or by a peek, which is logged."
        )
    audit_record(study=study, act="peek", actor=actor, version=study.version.sha256, state=study.state)


def outcomes_allow(study: Study, *, actor: str) -> None:
    """Let outcomes be seen at the desk or by script: after unblinding, or for a while after the actor's own peek.

    raises: ReportRefused
    """
    if peeked_until(study, actor) is None:
        report_allow(study, actor=actor)


def peeked_until(study: Study, actor: str) -> datetime | None:
    """Until when somebody's last peek is good; None where there is none, or none is needed.

    Nothing but the audit log remembers it: what is not written there opens nothing.
    """
    if not is_blinded(study):
        return None
    last = study.audit.filter(act="peek", actor=actor, at__gt=timezone.now() - PEEK).last()
    return last.at + PEEK if last else None


def stored_report(version: StudyVersion, kind: str | None = None) -> Report | None:
    """The report of the present data, if it has been built. raises: ReportFailed, until it is tried again"""
    row = _row_of_now(version, kind)
    return Report.model_validate(row.body) if row else None


def built_row(version: StudyVersion, kind: str | None = None) -> StoredReport | None:
    """The stored row of the present data with its charts; None also where these were dropped, for a worker to draw.

    raises: ReportFailed, until it is tried again
    """
    row = _row_of_now(version, kind)
    return None if row is None or row.charts == DROPPED else row


def failures_forget(version: StudyVersion) -> None:
    """Let the reports of a version that failed, or whose charts did, be tried again."""
    failed = Q(body__has_key=FAILED) | Q(charts__0__has_key=FAILED)
    StoredReport.objects.filter(failed, version=version).delete()


def stored_row(version: StudyVersion, sha256: str) -> StoredReport | None:
    """The stored row of one state of the data."""
    return StoredReport.objects.filter(version=version, data_sha256=sha256).first()


def _row_of_now(version: StudyVersion, kind: str | None) -> StoredReport | None:
    row = stored_row(version, data_sha256(version, kind or sheet_kind(version.study)))
    if row is not None and FAILED in row.body:
        raise ReportFailed(row.body[FAILED])
    return row
