"""Sheets, and whole studies, locked for a change, for the services that make one."""

from __future__ import annotations

from studies.models import Sheet, Study, StudyVersion


class SheetElsewhere(Exception):
    """The sheet is not where the request took it to be: not at the position, or gone; or nothing can be answered."""


def sheet_locked(sheet: Sheet) -> Sheet:
    """The sheet as it is now; until the transaction ends, nobody else changes it.

    Whoever locks more than a sheet takes the sheet first, then the study: two orders would be a deadlock.

    raises: SheetElsewhere (deleted with its study)
    """
    # Two queries: PostgreSQL cannot lock the nullable side of an outer join.
    if Sheet.objects.select_for_update().filter(pk=sheet.pk).first() is None:
        raise SheetElsewhere
    return Sheet.objects.select_related("version__study", "condition", "annotator", "invite").get(pk=sheet.pk)


def sheets_and_study_locked(study: Study) -> Study | None:
    """A whole study held for its deletion, in the annotators' order; None where it is gone already.

    Nothing can be added any more to what refers to its sheets, itself or its versions, nor is anything under way.
    """
    list(Sheet.objects.filter(version__study=study).select_for_update(of=("self",)).order_by("pk").only("pk"))
    held = Study.objects.select_for_update().filter(pk=study.pk).first()
    list(StudyVersion.objects.filter(study=study).select_for_update().order_by("pk").only("pk"))
    return held
