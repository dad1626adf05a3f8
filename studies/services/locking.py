"""A sheet locked for a change, for the services that make one."""

from __future__ import annotations

from studies.models import Sheet


class SheetElsewhere(Exception):
    """The sheet is not where the request took it to be: the position is not reached, or nothing can be answered."""


def sheet_locked(sheet: Sheet) -> Sheet:
    """The sheet as it is now; until the transaction ends, nobody else changes it."""
    # Two queries: PostgreSQL cannot lock the nullable side of an outer join.
    Sheet.objects.select_for_update().get(pk=sheet.pk)
    return Sheet.objects.select_related("version__study", "condition", "annotator", "invite").get(pk=sheet.pk)
