"""How far the sheets of a version came, in numbers: whom the report counts, and who was lost on the way there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from studies.models import Sheet, Study, StudyVersion
from studies.reports.shape import ConditionDropOff, DropOff

#: The states in which no sheet is answered any more
OVER = (Study.State.CLOSED, Study.State.UNBLINDED)
FIELDS = ("condition_id", "step", "position", "is_late")
Row = dict[str, Any]


def sheet_rows(version: StudyVersion, kind: str) -> list[Row]:
    """Where each sheet of one kind stands: FIELDS of all of them, in one query."""
    return list(version.sheets.filter(kind=kind).values(*FIELDS))


def study_drop_off(rows: Sequence[Row]) -> DropOff:
    """What became of everybody who started, up to the assignment."""
    waiting = Counter(row["step"] for row in rows if row["condition_id"] is None)
    gone = {
        "screened_out": waiting.pop(Sheet.Step.SCREENED_OUT, 0),
        "no_place": waiting.pop(Sheet.Step.FULL, 0),
        "left": waiting.pop(Sheet.Step.WITHDRAWN, 0),
    }
    unassigned = waiting.total()
    return DropOff(
        started=len(rows), unassigned=unassigned, assigned=len(rows) - unassigned - sum(gone.values()), **gone
    )


def condition_drop_off(rows: Sequence[Row], condition: int, *, pages: int, state: str) -> ConditionDropOff:
    """What became of the sheets of one condition (its primary key).

    pages: items on each sheet, practice and attention checks included
    """
    assigned = [row for row in rows if row["condition_id"] == condition]
    steps = Counter(row["step"] for row in assigned)
    finished, withdrawn = steps[Sheet.Step.DONE], steps[Sheet.Step.WITHDRAWN]
    return ConditionDropOff(
        assigned=len(assigned),
        finished=finished,
        unfinished=len(assigned) - finished - withdrawn,
        withdrawn=withdrawn,
        late=sum(row["is_late"] for row in assigned),
        reached=_reached(assigned, pages, state),
    )


def _reached(assigned: Sequence[Row], pages: int, state: str) -> tuple[int, ...]:
    # A sheet under way is no loss yet; leaving it out also keeps the report the same from one answer to the next.
    settled = [row for row in assigned if state in OVER or row["step"] in (Sheet.Step.DONE, Sheet.Step.WITHDRAWN)]
    fronts = [pages if row["step"] == Sheet.Step.DONE else min(row["position"], pages) for row in settled]
    return tuple(sum(front >= k for front in fronts) for k in range(pages + 1))
