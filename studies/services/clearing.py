"""What was made of people's answers must not outlive them: exports, their files, and stored reports."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from studies import artefact_files
from studies.models import DeskJob, StoredReport, Study
from studies.services.holding import DONE, FAILED
from studies.services.repairing import rows_with_file


@transaction.atomic
def outcomes_clear(*, study: Study) -> None:
    """Delete a study's stored reports and exports, also those that a worker is building, and once that is committed the
    files. Both are made anew, of what is there, when somebody asks."""
    StoredReport.objects.filter(version__study=study).delete()
    _delete(_exports(study))


@transaction.atomic
def exports_keep_newest(*, study: Study) -> None:
    """Of the exports that are over, delete all but the one asked for last: only that one is handed out."""
    newest = _exports(study).filter(state=DONE).order_by("pk").last()
    if newest is not None:
        _delete(_exports(study).filter(state__in=(DONE, FAILED), pk__lt=newest.pk))


def export_file_drop(entry: dict[str, Any]) -> None:
    """Delete an export's file after the commit, unless another row names it then."""
    if "sha256" in entry:
        transaction.on_commit(partial(_drop, entry), robust=True)


def _exports(study: Study) -> QuerySet[DeskJob]:
    return DeskJob.objects.filter(version__study=study, kind=DeskJob.Kind.EXPORT)


def _delete(exports: QuerySet[DeskJob]) -> None:
    # Locked in one order: two people may withdraw at once.
    held = list(exports.select_for_update(of=("self",)).order_by("pk"))
    DeskJob.objects.filter(pk__in=[job.pk for job in held]).delete()
    for job in held:
        export_file_drop(job.result)


def _drop(entry: dict[str, Any]) -> None:
    is_named = DeskJob.objects.filter(result__sha256=entry["sha256"]).exists()
    if not is_named and not rows_with_file(entry["sha256"]).exists():
        artefact_files.delete(entry)
