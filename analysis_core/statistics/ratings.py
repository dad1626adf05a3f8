"""Ratings as people hand them over (lists, arrays, frames; any labels) -> integer codes and counts per unit."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.errors import BadInput, UnknownName

LEVELS = ("nominal", "ordinal", "interval", "ratio")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ratings:
    """A rating table in codes.

    codes:  int64 [raters, units]; -1 is missing
    values: float64 [n_codes], ascending: what each code stands for (nominal: the code itself, in order of appearance)
    """

    codes: Integers
    values: Floats
    level: str

    @property
    def raters(self) -> int:
        return int(self.codes.shape[0])

    @property
    def units(self) -> int:
        return int(self.codes.shape[1])

    def counts(self) -> Integers:
        """How many raters gave unit u the value v: int64 [units, n_codes]."""
        width = len(self.values)
        rater, unit = np.nonzero(self.codes >= 0)
        flat = np.bincount(unit * width + self.codes[rater, unit], minlength=self.units * width)
        return flat.reshape(self.units, width).astype(np.int64)


def read(ratings: Any, level: str) -> Ratings:
    """Code a table [raters, units] whose missing entries are None, nan or pandas.NA.

    At nominal level any hashable label will do, and the text "nan" is a label (also in an array of strings: hand over
    lists or object arrays where answers are missing). Other levels take finite numbers; booleans count as 0 and 1.
    raises: UnknownName (level), BadInput (not a table, a value that the level cannot use: says rater and unit)
    """
    if level not in LEVELS:
        raise UnknownName("level of measurement", str(level), LEVELS)
    cells, shape = _cells(ratings)
    if isinstance(cells, np.ndarray):
        return _from_numbers(cells.astype(np.float64).reshape(shape), level)
    if level != "nominal":
        numbers = [_number(cell, index, shape[1], level) for index, cell in enumerate(cells)]
        return _from_numbers(np.array(numbers, dtype=np.float64).reshape(shape), level)
    known: dict[Hashable, int] = {}
    codes = [_label_code(cell, known, index, shape[1]) for index, cell in enumerate(cells)]
    return Ratings(np.array(codes, dtype=np.int64).reshape(shape), np.arange(len(known), dtype=np.float64), level)


def is_missing(value: Any) -> bool:
    """None, a float nan, pandas' NA or NaT; never a text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def _cells(ratings: Any) -> tuple[Floats | list[Any], tuple[int, int]]:
    """Numeric arrays stay arrays; everything else becomes a flat list, so that numpy never turns nan into a text."""
    if isinstance(ratings, np.ma.MaskedArray):
        unmasked = np.ma.getdata(ratings).astype(object)
        unmasked[np.ma.getmaskarray(ratings)] = None
        ratings = unmasked
    if not hasattr(ratings, "__array__"):
        rows = [_row(row, index) for index, row in enumerate(ratings)]
        width = len(rows[0]) if rows else 0
        for index, row in enumerate(rows):
            if len(row) != width:
                raise BadInput(f"rater {index} has {len(row)} answers, rater 0 has {width}; mark missing ones as None")
        return [cell for row in rows for cell in row], (len(rows), width)
    array = np.asarray(ratings)
    if array.ndim != 2:
        raise BadInput(f"ratings must be a table [raters, units], not an array of shape {array.shape}")
    shape = (int(array.shape[0]), int(array.shape[1]))
    return (array, shape) if array.dtype.kind in "iufb" else (array.ravel().tolist(), shape)


def _row(row: Any, index: int) -> Sequence[Any]:
    if isinstance(row, str | bytes) or not hasattr(row, "__iter__"):
        raise BadInput(f"ratings must be a table [raters, units]; rater {index} is {row!r}, not a list of answers")
    return list(row)


def _number(value: Any, index: int, width: int, level: str) -> float:
    if is_missing(value):
        return math.nan
    if isinstance(value, bool | int | float | np.number | np.bool_) and not isinstance(value, np.complexfloating):
        return float(value)
    raise BadInput(f"rater {index // width}, unit {index % width}: {value!r} is not a number, as level {level} needs")


def _label_code(value: Any, known: dict[Hashable, int], index: int, width: int) -> int:
    if is_missing(value):
        return -1
    try:
        return known.setdefault(value, len(known))
    except TypeError:
        raise BadInput(f"rater {index // width}, unit {index % width}: {value!r} cannot be a label") from None


def _from_numbers(table: Floats, level: str) -> Ratings:
    present = ~np.isnan(table)
    refused = present & (np.isinf(table) | ((table < 0) if level == "ratio" else False))
    if level != "nominal" and refused.any():
        rater, unit = (int(i) for i in np.argwhere(refused)[0])
        wanted = "finite numbers" if np.isinf(table[rater, unit]) else "numbers of at least 0"
        raise BadInput(f"rater {rater}, unit {unit}: {table[rater, unit]:g}; level {level} needs {wanted}")
    values, inverse = np.unique(table[present], return_inverse=True)
    codes = np.full(table.shape, -1, dtype=np.int64)
    codes[present] = inverse
    return Ratings(codes, values, level)
