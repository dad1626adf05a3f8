"""The answers of one group (one condition) in flat arrays: 48 bytes an answer, whatever the table's shape."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.statistics import ratings as table
from analysis_core.statistics.ratings import Floats, Ratings

#: Above as many cells (16 MB, and several copies) a table of right and wrong is not laid out.
DENSE_CELLS = 2_000_000


def _integers() -> array[int]:
    return array("q")


def _floats() -> array[float]:
    return array("d")


@dataclass
class Group:
    """Raters and units by name, numbered in order of appearance.

    rater, unit, answer, line, confidence: one entry per row of the file; answer is a code, nan missing
    truth, truth_line: one entry per unit; nan and 0 where no row tells
    """

    name: str | None
    raters: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    rater: array[int] = field(default_factory=_integers)
    unit: array[int] = field(default_factory=_integers)
    answer: array[float] = field(default_factory=_floats)
    line: array[int] = field(default_factory=_integers)
    confidence: array[float] = field(default_factory=_floats)
    truth: array[float] = field(default_factory=_floats)
    truth_line: array[int] = field(default_factory=_integers)

    def add(self, rater: str, unit: str, answer: float, line: int) -> int:
        """Enter one row; the number of its unit."""
        number = self.units.setdefault(unit, len(self.units))
        if number == len(self.truth):
            self.truth.append(np.nan)
            self.truth_line.append(0)
        self.rater.append(self.raters.setdefault(rater, len(self.raters)))
        self.unit.append(number)
        self.answer.append(answer)
        self.line.append(line)
        return number

    def ratings(self, level: str) -> Ratings:
        """The answers that are there, as a rating table of all raters and units that the file names."""
        return self._sparse(_viewed(self.answer), level)

    def correct(self) -> Ratings:
        """1 and 0; missing where the answer or the unit's truth is."""
        answer, truth = _viewed(self.answer), _viewed(self.truth)[_viewed(self.unit)]
        right = np.where(np.isnan(answer) | np.isnan(truth), np.nan, (answer == truth).astype(np.float64))
        return self._sparse(right, "interval")

    def confidences(self) -> Ratings:
        """The confidence that came with each answer; missing where it is."""
        return self._sparse(_viewed(self.confidence), "interval")

    def repeated(self) -> Iterator[tuple[int, int, str, str]]:
        """Rows whose rater has answered their unit in an earlier row: (line, earlier line, rater, unit)."""
        key = _viewed(self.rater) * max(len(self.units), 1) + _viewed(self.unit)
        order = np.argsort(key, kind="stable")
        again = np.flatnonzero(np.diff(key[order]) == 0) + 1
        if not len(again):
            return
        raters, units = list(self.raters), list(self.units)
        for place in again.tolist():
            row, earlier = int(order[place]), int(order[place - 1])
            yield self.line[row], self.line[earlier], raters[self.rater[row]], units[self.unit[row]]

    def _sparse(self, values: Floats, level: str) -> Ratings:
        there = ~np.isnan(values)
        rater, unit = _viewed(self.rater)[there], _viewed(self.unit)[there]
        return table.from_long(rater, unit, values[there], level, raters=len(self.raters), units=len(self.units))


def _viewed(numbers: array[Any]) -> npt.NDArray[Any]:
    return np.frombuffer(numbers, dtype=np.int64 if numbers.typecode == "q" else np.float64)


def laid_out(coded: Ratings) -> Floats:
    """float64 [raters, units] of the values, nan missing."""
    cells = np.full((coded.raters, coded.units), np.nan)
    cells[coded.rater, coded.unit] = coded.values[coded.code]
    return cells
