"""What was measured: seconds per kind of request, what went wrong, and the table of both."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

#: Kind of request -> what its seconds are
KINDS = {
    "submit": "an answer sent, until the server says that it is stored",
    "page": "an item's page, without its pictures",
    "draft": "what is filled in so far, saved",
    "picture": "one picture",
    "whole page": "an item's page with all its pictures, one after the other",
    "start": "from the click on Start to the instructions: claim, consent, assignment",
}


@dataclass
class Tally:
    """Filled by many threads."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, kind: str, seconds: float) -> None:
        with self._lock:
            self.seconds.setdefault(kind, []).append(seconds)

    def problem(self, text: str) -> None:
        with self._lock:
            self.problems[text] += 1

    def as_json(self) -> dict[str, Any]:
        """The table and the problems as plain values."""
        names = ("count", "p50", "p95", "p99", "worst")
        milliseconds = {kind: dict(zip(names, figures, strict=True)) for kind, *figures in self.rows()}
        return {"milliseconds": milliseconds, "problems": dict(self.problems)}

    def rows(self) -> list[tuple[str, int, float, float, float, float]]:
        """Per kind: how many, and the percentiles 50, 95, 99 and the largest, in milliseconds."""
        found = []
        for kind in KINDS:
            taken = sorted(self.seconds.get(kind, []))
            if taken:
                p50, p95, p99 = (1000 * percentile(taken, share) for share in (0.50, 0.95, 0.99))
                found.append((kind, len(taken), p50, p95, p99, 1000 * taken[-1]))
        return found


def percentile(taken: Sequence[float], share: float) -> float:
    """Of sorted values, with linear interpolation; of one value, that value."""
    if len(taken) == 1:
        return taken[0]
    at = share * (len(taken) - 1)
    low = min(int(at), len(taken) - 2)
    return taken[low] + (at - low) * (taken[low + 1] - taken[low])


def table(tally: Tally) -> str:
    """Milliseconds as text."""
    lines = [f"  {'':12}{'count':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'worst ms':>10}"]
    for kind, count, *figures, worst in tally.rows():
        cells = "".join(f"{figure:>9,.0f}" for figure in figures)
        lines.append(f"  {kind:12}{count:>8,}{cells}{worst:>10,.0f}   {KINDS[kind]}")
    return "\n".join(lines) + "\n"


def mean(values: Sequence[float]) -> float:
    """Of none, 0."""
    return statistics.fmean(values) if values else 0.0
