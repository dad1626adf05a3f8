"""Cells as people hand them over (lists, arrays, frames; any labels) -> numbers and integer codes. ratings.py calls it.

Every refusal says where: the caller hands over how a flat index is called ("rater 0, unit 3" or "row 12").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.errors import BadInput

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Place = Callable[[int], str]


def is_missing(value: Any) -> bool:
    """None, a float nan, pandas' NA or NaT; never a text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and math.isnan(value)


def table_cells(ratings: Any) -> tuple[npt.NDArray[Any] | list[Any], tuple[int, int]]:
    """The cells of a table [raters, units], row by row, and its shape.

    Numeric arrays stay arrays; everything else becomes a flat list, so that numpy never turns nan into a text.
    raises: BadInput (not a table)
    """
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
    return (array.ravel() if _is_numeric(array) else array.ravel().tolist()), shape


def column_cells(column: Any) -> npt.NDArray[Any] | list[Any]:
    """The cells of one column: a numeric array as it is, anything else as a list. raises: BadInput (two-dimensional)"""
    if isinstance(column, str | bytes) or not hasattr(column, "__iter__"):
        raise BadInput(f"a column of rows is needed, not {column!r}")
    if not hasattr(column, "__array__"):
        return list(column)
    array = np.asarray(column)
    if array.ndim != 1:
        raise BadInput(f"a column of rows is needed, not an array of shape {array.shape}")
    return array if _is_numeric(array) else array.tolist()


def coded_cells(cells: npt.NDArray[Any] | list[Any], level: str, place: Place) -> tuple[Integers, Floats]:
    """Codes int64 [cells], -1 where missing, and what each code stands for: float64 [n_codes], ascending.

    Nominal labels that are no numeric array are numbered in order of appearance and stand for their number.
    raises: BadInput (a value that the level cannot use)
    """
    if isinstance(cells, np.ndarray):
        if level == "nominal" and cells.dtype.kind != "f":
            # As floats, whole numbers beyond 2^53 (hashes, database keys) would become equal labels.
            labels, inverse = np.unique(cells, return_inverse=True)
            return inverse.astype(np.int64), labels.astype(np.float64)
        return _coded_numbers(cells.astype(np.float64), level, place)
    if level != "nominal":
        numbers = [_number(cell, index, level, place) for index, cell in enumerate(cells)]
        return _coded_numbers(np.array(numbers, dtype=np.float64), level, place)
    known: dict[Hashable, int] = {}
    codes = [-1 if is_missing(cell) else number_of(cell, known, index, place) for index, cell in enumerate(cells)]
    return np.array(codes, dtype=np.int64), np.arange(len(known), dtype=np.float64)


def number_of(label: Any, known: dict[Hashable, int], index: int, place: Place) -> int:
    """The number of a label, in order of appearance; a new one is entered. raises: BadInput (not hashable)"""
    try:
        return known.setdefault(label, len(known))
    except TypeError:
        raise BadInput(f"{place(index)}: {label!r} cannot be a label") from None


def _is_numeric(array: npt.NDArray[Any]) -> bool:
    return array.dtype.kind in "iufb"


def _row(row: Any, index: int) -> Sequence[Any]:
    if isinstance(row, str | bytes) or not hasattr(row, "__iter__"):
        raise BadInput(f"ratings must be a table [raters, units]; rater {index} is {row!r}, not a list of answers")
    return list(row)


def _number(value: Any, index: int, level: str, place: Place) -> float:
    if is_missing(value):
        return math.nan
    if isinstance(value, bool | int | float | np.number | np.bool_) and not isinstance(value, np.complexfloating):
        return float(value)
    raise BadInput(f"{place(index)}: {value!r} is not a number, as level {level} needs")


def _coded_numbers(numbers: Floats, level: str, place: Place) -> tuple[Integers, Floats]:
    present = ~np.isnan(numbers)
    refused = present & (np.isinf(numbers) | ((numbers < 0) if level == "ratio" else False))
    if level != "nominal" and refused.any():
        index = int(np.argmax(refused))
        wanted = "finite numbers" if np.isinf(numbers[index]) else "numbers of at least 0"
        raise BadInput(f"{place(index)}: {numbers[index]:g}; level {level} needs {wanted}")
    values, inverse = np.unique(numbers[present], return_inverse=True)
    codes = np.full(numbers.shape, -1, dtype=np.int64)
    codes[present] = inverse
    return codes, values
