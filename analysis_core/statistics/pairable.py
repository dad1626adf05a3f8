"""The answers that take part in alpha, as a sparse table of value counts per unit. All of alpha is computed from it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis_core.statistics.ratings import Floats, Integers, Ratings

#: As many (entry, partner) pairs are laid out at a time.
EXPANDED = 2_000_000


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each group (a unit, or an annotator) has each value; entries are ascending by value within a group.

    start:       int64 [groups + 1], where the entries of each group begin
    code, count: int64 and float64 [entries]; a value that does not occur has no entry
    """

    start: Integers
    code: Integers
    count: Floats

    @property
    def groups(self) -> int:
        return len(self.start) - 1

    @property
    def group(self) -> Integers:
        """Of each entry: int64 [entries]."""
        return np.repeat(np.arange(self.groups), np.diff(self.start))

    @property
    def size(self) -> Floats:
        """Answers of each group: float64 [groups]."""
        return self.sums(self.count)

    def sums(self, of_entries: Floats) -> Floats:
        """Sum over the entries of each group: float64 [groups]."""
        return np.bincount(self.group, weights=of_entries, minlength=self.groups).astype(np.float64)


@dataclass(frozen=True, eq=False)
class CountTable:
    """All that alpha depends on.

    units:  value counts of units with at least two answers
    unit:   int64 [units], which columns of the table they are
    values: float64 [n_values], ascending, only values that occur here; Counts.code numbers these
    """

    units: Counts
    unit: Integers
    values: Floats
    level: str

    @property
    def totals(self) -> Floats:
        """Answers of each value: float64 [n_values], whole numbers."""
        return np.bincount(self.units.code, weights=self.units.count, minlength=len(self.values)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Pairable(CountTable):
    """The answers that can be compared with another of the same unit, and who gave them.

    rater, position, entry: int64 [answers], sorted by unit: who answered, which unit (0 to units - 1), which entry
    """

    rater: Integers
    position: Integers
    entry: Integers


def pairable(coded: Ratings) -> Pairable:
    """Leave out units with fewer than two answers, then values that no longer occur. O(answers log answers)."""
    answers = np.bincount(coded.unit, minlength=coded.units)
    kept = answers >= 2
    here = kept[coded.unit]
    occurring, code = np.unique(coded.code[here], return_inverse=True)
    position = (np.cumsum(kept) - 1)[coded.unit[here]]
    units, entry = counted(position, code, int(kept.sum()), max(len(occurring), 1))
    return Pairable(
        units, np.flatnonzero(kept), coded.values[occurring], coded.level, coded.rater[here], position, entry
    )


def counted(group: Integers, code: Integers, groups: int, codes: int) -> tuple[Counts, Integers]:
    """Count (group, code) pairs: the counts, and which entry each pair became."""
    keys, entry, count = np.unique(group * codes + code, return_inverse=True, return_counts=True)
    start = np.searchsorted(keys, np.arange(groups + 1) * codes)
    return Counts(start, keys % codes, count.astype(np.float64)), entry


def chunks(lengths: Integers) -> list[slice]:
    """Cut a list of things that expand to `lengths` pairs into runs of about EXPANDED pairs."""
    if not len(lengths):
        return []
    number = np.cumsum(lengths) // EXPANDED
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(lengths)]
    return [slice(first, last) for first, last in pairwise(cuts)]


def expanded(first: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Every index of the runs [first, first + length), and which run each belongs to: both int64 [sum of lengths]."""
    run = np.repeat(np.arange(len(lengths)), lengths)
    ends = np.cumsum(lengths)
    return np.arange(len(run)) - (ends - lengths)[run] + first[run], run


def distinct(p: CountTable) -> tuple[CountTable, Integers]:
    """One unit for each different row of counts, and how many units have it: int64 [distinct].

    With so many values that counts make no exact number, every unit stands for itself.
    """
    base = int(p.units.count.max()) + 1
    if base ** len(p.values) > 1 << 53:
        return p, np.ones(p.units.groups, dtype=np.int64)
    keys = p.units.sums(p.units.count * float(base) ** p.units.code)
    _, first, times = np.unique(keys, return_index=True, return_counts=True)
    lengths = np.diff(p.units.start)[first]
    entries, _ = expanded(p.units.start[first], lengths)
    start = np.concatenate([[0], np.cumsum(lengths)])
    rows = Counts(start, p.units.code[entries], p.units.count[entries])
    return CountTable(rows, p.unit[first], p.values, p.level), times
