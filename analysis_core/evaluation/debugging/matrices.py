"""What debugging is given, checked: matrices without NaN, class ids, marks of right or wrong. All steps read by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.chunks import Array, as_array, first_bad
from analysis_core.errors import BadFeatures, BadInput

#: Rows looked at together: the mask of what is finite stays small beside the matrix itself.
_ROWS = 4096


def matrix(name: str, values: Any, *, width: int | None = None) -> Array:
    """[n, d] as it is stored. raises: BadInput (another shape or width), BadFeatures (NaN or infinite, named by row)"""
    found = as_array(values)
    if found.ndim != 2 or width not in (None, found.shape[1]):
        raise BadInput(f"{name} must be [n, {width or 'd'}], not {list(found.shape)}")
    for start in range(0, len(found), _ROWS):
        if bad := first_bad(found[start : start + _ROWS]):
            raise BadFeatures(f"{name}: row {start + bad[0]}, column {bad[1]} is NaN or infinite")
    return found


def class_ids(name: str, values: Any) -> NDArray[np.int64]:
    """[n] whole numbers. raises: BadInput (another shape, NaN, a fraction)"""
    found = as_array(values)
    if found.ndim != 1 or not bool((np.isfinite(found) & (found == np.floor(found))).all()):
        raise BadInput(f"{name} must be whole class ids [n], one per point")
    return found.astype(np.int64)


def marks(name: str, values: Any, n: int) -> NDArray[np.bool_]:
    """[n] booleans. raises: BadInput (another shape, anything but true and false, 1 and 0)"""
    found = as_array(values)
    if found.shape != (n,):
        raise BadInput(f"{name} must be {n} marks of right or wrong, one per point, not {list(found.shape)}")
    if not bool(np.isin(found, (0, 1)).all()):
        raise BadInput(f"{name} must be booleans: true where the model is wrong")
    return found.astype(bool)
