"""Reading stored reports, and who may. Pages use this and never build.py: the web process loads no numpy."""

from __future__ import annotations

from studies.models import StoredReport, Study, StudyVersion
from studies.models.sheet import Kind
from studies.reports.ratings import data_sha256, sheet_kind
from studies.reports.shape import Report
from studies.services.audit import audit_record


class ReportRefused(Exception):
    """Outcomes that may not be looked at yet; the text is a sentence for the researcher."""


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


def stored_report(version: StudyVersion, kind: str | None = None) -> Report | None:
    """The report of the present data, if it has been built."""
    row = stored_row(version, data_sha256(version, kind or sheet_kind(version.study)))
    return Report.model_validate(row.body) if row else None


def stored_row(version: StudyVersion, sha256: str) -> StoredReport | None:
    """The stored row of one state of the data."""
    return StoredReport.objects.filter(version=version, data_sha256=sha256).first()
