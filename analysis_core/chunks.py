"""Feature matrices from anywhere (tensor, array, memory map, feature store, iterable) as checked numpy chunks."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.errors import BadFeatures
from analysis_core.store import FeatureStore

#: Bytes of one chunk: large enough for BLAS, small enough to stay near the cache.
_CHUNK_BYTES = 8 * 2**20

Array = NDArray[Any]


def feature_chunks(source: Any) -> Iterator[Array]:
    """Consecutive [c, d] chunks of a FeatureStore, a [n, d] tensor or array, or an iterable of chunks.

    An iterable may also hold (features, ...) tuples, of which the first is taken.
    raises: BadFeatures (not two-dimensional, another width than before, NaN or infinite; names row and column)
    """
    for features, _ in paired_chunks(source, None):
        yield features


def paired_chunks(source: Any, targets: Any, *, start: int = 0) -> Iterator[tuple[Array, Array | None]]:
    """Consecutive (features [c, d], targets [c] or [c, K]) chunks.

    targets: None where the source is a feature store (its logits) or an iterable of (features, targets)
    start:   the row to begin with, where a chunk begins; an iterable is passed over up to there
    raises:  BadFeatures
    """
    row, width = start, None
    for features, some in _raw(source, targets, start):
        _check(features, row, width)
        if some is not None and len(some) != len(features):
            raise BadFeatures(f"{len(features)} feature rows but {len(some)} targets from row {row} on")
        width = features.shape[1]
        yield features, some
        row += len(features)


def as_array(values: Any) -> Array:
    """A tensor or array as numpy, without a copy where possible."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    array = np.asanyarray(values)
    if array.dtype.kind not in "fiub":
        raise BadFeatures(f"numbers are needed, not {array.dtype}")
    return array


def first_bad(matrix: Array) -> tuple[int, int] | None:
    """Row and column of the first entry that is NaN or infinite."""
    finite = np.isfinite(matrix)
    if finite.all():
        return None
    row, column = np.argwhere(~finite)[0].tolist()
    return row, column


def _raw(source: Any, targets: Any, start: int) -> Iterator[tuple[Array, Array | None]]:
    if isinstance(source, FeatureStore):
        yield from _sliced(source.features, source.logits if targets is None else as_array(targets), start)
    elif hasattr(source, "shape"):
        yield from _sliced(as_array(source), None if targets is None else as_array(targets), start)
    elif isinstance(source, Iterable):
        if targets is not None:
            raise BadFeatures("an iterable of chunks carries its targets itself: (features, targets)")
        yield from _iterated(source, start)
    else:
        raise BadFeatures(f"features must be a matrix, a feature store or an iterable, not {type(source).__name__}")


def _iterated(source: Iterable[Any], start: int) -> Iterator[tuple[Array, Array | None]]:
    row = 0
    for part in source:
        pair = part if isinstance(part, tuple) else (part, None)
        features = as_array(pair[0])
        if row >= start:
            yield features, None if pair[1] is None else as_array(pair[1])
        row += len(features) if features.ndim else 0


def _sliced(features: Array, targets: Array | None, start: int) -> Iterator[tuple[Array, Array | None]]:
    if features.ndim != 2:
        raise BadFeatures(f"features must be [n, d], not of shape {features.shape}")
    if targets is not None and (targets.ndim == 0 or len(targets) != len(features)):
        raise BadFeatures(f"{len(features)} feature rows but {len(targets) if targets.ndim else 'no'} targets")
    size = max(1, _CHUNK_BYTES // max(1, features.itemsize * features.shape[1]))
    for row in range(start, len(features), size):
        part = slice(row, row + size)
        yield np.asarray(features[part]), None if targets is None else np.asarray(targets[part])
        for mapped in (features, targets):
            _let_go(mapped)


def _let_go(array: Array | None) -> None:
    """Give a memory map's pages back: read once, they would count as this process's memory until it ends."""
    mapping = getattr(array, "_mmap", None)
    # Never of a private map: its changes would be lost.
    if isinstance(mapping, mmap.mmap) and getattr(array, "mode", None) == "r" and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _check(features: Array, row: int, width: int | None) -> None:
    if features.ndim != 2 or (width is not None and features.shape[1] != width) or not features.shape[1]:
        raise BadFeatures(f"chunk from row {row} on must be [c, {width or 'd'}], not of shape {features.shape}")
    # One sum is far cheaper than a mask; only a suspicious one is looked into.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(features.sum(dtype=np.float64))
    if suspicious and (bad := first_bad(features)):
        raise BadFeatures(f"the feature in row {row + bad[0]}, column {bad[1]} is NaN or infinite")
