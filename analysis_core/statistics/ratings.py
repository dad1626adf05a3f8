"""Rating tables in codes: one entry per answer, so that a large table with few answers stays small."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics.cells import (
    Floats,
    Integers,
    coded_cells,
    column_cells,
    is_missing,
    number_of,
    table_cells,
)

__all__ = ["LEVELS", "Floats", "Integers", "Ratings", "from_long", "is_missing", "read"]

LEVELS = ("nominal", "ordinal", "interval", "ratio")

#: Cells of the largest dense table that is made (int64: 800 MB).
DENSE_CELLS = 100_000_000


@dataclass(frozen=True, eq=False)
class Ratings:
    """The answers of a table [raters, units], sorted by unit, then rater; each rater answers a unit at most once.

    rater, unit, code: int64 [answers]
    raters, units:     the shape of the table, rows and columns without answers included
    values:            float64 [n_codes], ascending: what each code stands for (nominal labels: the code itself, in
                       order of appearance)
    """

    rater: Integers
    unit: Integers
    code: Integers
    raters: int
    units: int
    values: Floats
    level: str

    @property
    def codes(self) -> Integers:
        """The dense table int64 [raters, units], -1 where missing. raises: BadInput (over 100 million cells)"""
        dense = np.full(self._dense(self.raters, "raters"), -1, dtype=np.int64).reshape(self.raters, self.units)
        dense[self.rater, self.unit] = self.code
        return dense

    def counts(self) -> Integers:
        """How many raters gave unit u the value v: int64 [units, n_codes]. raises: BadInput (over 100 million cells)"""
        width = len(self.values)
        flat = np.bincount(self.unit * width + self.code, minlength=self._dense(width, "values"))
        return flat.reshape(self.units, width).astype(np.int64)

    def _dense(self, width: int, what: str) -> int:
        if self.units * width > DENSE_CELLS:
            raise BadInput(f"{width:,} {what} x {self.units:,} units are too many for a dense table")
        return self.units * width


def read(ratings: Any, level: str) -> Ratings:
    """Code a table [raters, units] whose missing entries are None, nan or pandas.NA.

    At nominal level any hashable label will do, and the text "nan" is a label (also in an array of strings: hand over
    lists or object arrays where answers are missing). Other levels take finite numbers; booleans count as 0 and 1.
    A `Ratings` is handed through; one of numbers can be read at any level that its numbers allow.
    raises: UnknownName (level), BadInput (not a table, a value that the level cannot use: says rater and unit)
    """
    if level not in LEVELS:
        raise UnknownName("level of measurement", str(level), LEVELS)
    if isinstance(ratings, Ratings):
        return _at_level(ratings, level)
    cells, (raters, units) = table_cells(ratings)
    codes, values = coded_cells(cells, level, lambda index: f"rater {index // units}, unit {index % units}")
    by_unit = codes.reshape(raters, units).T
    unit, rater = np.nonzero(by_unit >= 0)
    return Ratings(rater, unit, by_unit[unit, rater], raters, units, values, level)


def from_long(
    rater: Any, unit: Any, value: Any, level: str, *, raters: int | None = None, units: int | None = None
) -> Ratings:
    """Code answers in long form: three columns of equal length, one row per answer, in any order.

    rater, unit:   any hashable labels, numbered in order of appearance; with `raters` (`units`) given: integers from 0
                   below it, which are then the rows (columns) of the table
    value:         as in `read`; a row whose value is missing is no answer, but its rater and unit count
    cost:          O(rows log rows) time; about 100 bytes per row beside the columns
    raises:        UnknownName (level), BadInput (columns of different lengths, a value that the level cannot use, a
                   rater or unit out of range or missing, a second answer of a rater to a unit: says the row, from 0)
    """
    if level not in LEVELS:
        raise UnknownName("level of measurement", str(level), LEVELS)
    columns = [column_cells(column) for column in (rater, unit, value)]
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(str(len(column)) for column in columns)
        raise BadInput(f"rater, unit and value need one entry per row each; they have {lengths}")
    rows, raters = _numbered(columns[0], raters, "rater")
    places, units = _numbered(columns[1], units, "unit")
    codes, values = coded_cells(columns[2], level, lambda index: f"row {index}")
    answers = np.flatnonzero(codes >= 0)
    keys = places[answers] * raters + rows[answers]
    order = np.argsort(keys, kind="stable")
    answers, keys = answers[order], keys[order]
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        first, second = (int(answers[again[0] + step]) for step in (0, 1))
        who, what = columns[0][second], columns[1][second]
        raise BadInput(f"row {second}: rater {who!s} has answered unit {what!s} already, in row {first}")
    return Ratings(rows[answers], places[answers], codes[answers], raters, units, values, level)


def _numbered(labels: Any, count: int | None, what: str) -> tuple[Integers, int]:
    """Labels as integers from 0, and how many there are."""
    if count is not None:
        return _in_range(labels, count, what), count
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iub":
        found, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))
        return rank[inverse], len(found)
    known: dict[Hashable, int] = {}
    numbers = []
    for index, label in enumerate(labels):
        if is_missing(label):
            raise BadInput(f"row {index} has no {what}")
        numbers.append(number_of(label, known, index, lambda row: f"row {row}"))
    return np.array(numbers, dtype=np.int64), len(known)


def _in_range(labels: Any, count: int, what: str) -> Integers:
    numbers = np.asarray(labels)
    if len(numbers) and numbers.dtype.kind not in "iu":
        raise BadInput(f"with the number of {what}s given, each {what} is an integer from 0 to {count - 1}")
    outside = (numbers < 0) | (numbers >= count)
    if outside.any():
        row = int(np.argmax(outside))
        raise BadInput(f"row {row}: {what} {numbers[row]}, but they are numbered from 0 to {count - 1}")
    return numbers.astype(np.int64)


def _at_level(coded: Ratings, level: str) -> Ratings:
    if level == coded.level:
        return coded
    if coded.level == "nominal":
        raise BadInput(f"these ratings are coded as nominal labels; read them from their numbers for level {level}")
    if level == "ratio" and len(coded.values) and coded.values[0] < 0:
        raise BadInput(f"{coded.values[0]:g}; level ratio needs numbers of at least 0")
    return replace(coded, level=level)
