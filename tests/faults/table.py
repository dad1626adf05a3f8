"""The table of all faults, for the terminal and for docs/reliability.md."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.catalogue import Fault
from tests.faults.installation import OWN_SETTINGS, ROOT
from tests.faults.outcome import Outcome

DOCUMENT = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
COLUMNS = ("answers_lost", "answers_doubled", "wrong", "orphans", "groups", "published")
HEAD = (
    "| fault | on | runs | answers lost | answers doubled | artefacts missing or wrong | orphans"
    " | groups computed again | published twice | seconds: median | worst |"
)


@dataclass
class Row:
    """All runs of one fault."""

    fault: Fault
    outcomes: list[Outcome] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # runs that did not come to their end

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled, wrong or left behind in any run."""
        bad = ("answers_lost", "answers_doubled", "wrong", "orphans", "published")
        return not self.broken and not any(getattr(outcome, name) for outcome in self.outcomes for name in bad)

    def line(self) -> str:
        """The Markdown line: the worst of each count."""
        counts = [self._worst(name) for name in COLUMNS]
        seconds = [outcome.seconds for outcome in self.outcomes] or [float("nan")]
        runs = str(len(self.outcomes)) + (f", {len(self.broken)} broken off" if self.broken else "")
        times = [f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}"]
        return "| " + " | ".join([self.fault.title, self.fault.ground, runs, *counts, *times]) + " |"

    def _worst(self, name: str) -> str:
        values = [getattr(outcome, name) for outcome in self.outcomes]
        known = [value for value in values if value is not None]
        return str(max(known)) if known else ""


def markdown(rows: list[Row], command: str) -> str:
    """The table under a line that says where, when and how it was made."""
    own = ", ".join(f"`{name}={value}`" for name, value in OWN_SETTINGS.items() if name != "OMP_NUM_THREADS")
    made = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), `{command}`, with {own}."
    ruler = "|" + "---|" * HEAD.count(" | ") + "---|"
    return "\n".join([made, "", HEAD, ruler, *(row.line() for row in rows)])


def write(text: str, document: Path = DOCUMENT) -> None:
    """Put the table between its marks."""
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
