"""Which class each datapoint's target names: what selection.py and tree.py judge by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.chunks import first_bad
from analysis_core.errors import BadFeatures
from analysis_core.stages.gram import class_ids


def classes_named(y: NDArray[Any] | None, row: int) -> NDArray[np.int64]:
    """The class of each datapoint of a chunk: int64 [c] of class ids [c], or of [c, K] the largest, K >= 2.

    row:    of the chunk's first datapoint, for the message
    raises: BadFeatures (missing, neither shape, NaN or infinite, ids that are not whole numbers from 0 on)
    """
    if y is None:
        raise BadFeatures("targets are missing: give class ids [n], [n, K], or chunks of (features, targets)")
    if y.ndim == 1:
        return class_ids(y, row)
    if y.ndim != 2 or y.shape[1] < 2:
        raise BadFeatures(f"targets must be class ids [n], or [n, K] of at least 2 classes, not of shape {y.shape}")
    if bad := first_bad(y):
        raise BadFeatures(f"the target in row {row + bad[0]}, column {bad[1]} is NaN or infinite")
    return y.argmax(axis=1).astype(np.int64)
