"""Feature matrices from anywhere (tensor, array, memory map, feature store, iterable) as checked numpy chunks."""

from __future__ import annotations

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
    raises: BadFeatures (not two-dimensional, another width than before, NaN or infinite; names the row)
    """
    for features, _ in paired_chunks(source, None):
        yield features


def paired_chunks(source: Any, targets: Any) -> Iterator[tuple[Array, Array | None]]:
    """Consecutive (features [c, d], targets [c] or [c, K]) chunks.

    targets: None where the source is a feature store (its logits) or an iterable of (features, targets)
    raises:  BadFeatures
    """
    row, width = 0, None
    for features, some in _raw(source, targets):
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
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise BadFeatures(f"numbers are needed, not {array.dtype}")
    return array


def _raw(source: Any, targets: Any) -> Iterator[tuple[Array, Array | None]]:
    if isinstance(source, FeatureStore):
        yield from _sliced(source.features, source.logits if targets is None else as_array(targets))
    elif hasattr(source, "shape"):
        yield from _sliced(as_array(source), None if targets is None else as_array(targets))
    elif isinstance(source, Iterable):
        if targets is not None:
            raise BadFeatures("an iterable of chunks carries its targets itself: (features, targets)")
        for part in source:
            pair = part if isinstance(part, tuple) else (part, None)
            yield as_array(pair[0]), None if pair[1] is None else as_array(pair[1])
    else:
        raise BadFeatures(f"features must be a matrix, a feature store or an iterable, not {type(source).__name__}")


def _sliced(features: Array, targets: Array | None) -> Iterator[tuple[Array, Array | None]]:
    if features.ndim != 2:
        raise BadFeatures(f"features must be [n, d], not of shape {features.shape}")
    if targets is not None and len(targets) != len(features):
        raise BadFeatures(f"{len(features)} feature rows but {len(targets)} targets")
    size = max(1, _CHUNK_BYTES // max(1, features.itemsize * features.shape[1]))
    for start in range(0, len(features), size):
        part = slice(start, start + size)
        yield np.asarray(features[part]), None if targets is None else np.asarray(targets[part])


def _check(features: Array, row: int, width: int | None) -> None:
    if features.ndim != 2 or (width is not None and features.shape[1] != width):
        raise BadFeatures(f"chunk from row {row} on must be [c, {width or 'd'}], not of shape {features.shape}")
    # One sum is far cheaper than a mask; only a suspicious one is looked into.
    if not np.isfinite(features.sum(dtype=np.float64)):
        bad = ~np.isfinite(features).all(axis=1)
        if bad.any():
            raise BadFeatures(f"features of row {row + int(bad.argmax())} are NaN or infinite")
