"""Exposure: how long an item's page was active, idle and away, and how long which panel was open."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from django.db import transaction

from studies.models import ExposureEvent, Sheet
from studies.services.locking import sheet_locked

LONGEST_MS = 24 * 60 * 60 * 1000
_WHAT = re.compile(r"active|idle|away|overview|features|feature-([1-9]|1[0-9]|20)")
#: A report on the last item may arrive when the sheet has moved on.
_STEPS = (Sheet.Step.ITEM, Sheet.Step.REVIEW, Sheet.Step.POST, Sheet.Step.DONE)


@transaction.atomic
def exposure_record(*, sheet: Sheet, position: int, batch: uuid.UUID, lengths: Mapping[str, str]) -> None:
    """Store one report of a browser; sent again, it is counted once. What makes no sense is left out.

    lengths: milliseconds by name (active, idle, away, overview, features, feature-1 to feature-20)
    """
    # Under the lock, so that nothing is stored after a withdrawal that has deleted everything.
    sheet = sheet_locked(sheet)
    if sheet.step not in _STEPS or sheet.is_cut_off or not sheet.has_reached(position):
        return
    events = [
        ExposureEvent(
            sheet=sheet, item_id=sheet.item_order[position], what=what, milliseconds=milliseconds, batch=batch
        )
        for what, milliseconds in (
            (name, _milliseconds(text)) for name, text in lengths.items() if _WHAT.fullmatch(name)
        )
        if milliseconds
    ]
    ExposureEvent.objects.bulk_create(events, ignore_conflicts=True)


def _milliseconds(text: str) -> int:
    """1 to 24 hours' worth, or 0 for what is no length of time."""
    length = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return length if length <= LONGEST_MS else 0
