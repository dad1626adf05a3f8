"""Feature matrices from anywhere (tensor, array, memory map, feature store, iterable) as checked numpy chunks."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse

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
        if some is not None and (some.ndim == 0 or len(some) != len(features)):
            given = len(some) if some.ndim else "no"
            raise BadFeatures(f"{len(features)} feature rows but {given} targets from row {row} on")
        width = features.shape[1]
        yield features, some
        row += len(features)


def rows_of(source: Any) -> int | None:
    """How many rows a source has, where that is known before it is read."""
    if isinstance(source, FeatureStore):
        return len(source.features)
    shape = getattr(source, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) else None


def as_array(values: Any) -> Array:
    """A tensor or array as numpy, without a copy where possible.

    raises: BadFeatures (no real numbers; what numpy cannot hold: sparse, masked, quantised, bfloat16; says what to do)
    """
    if isinstance(values, torch.Tensor):
        _require_numbers(values)
        array: Array = values.detach().cpu().resolve_neg().numpy()
    elif issparse(values):
        raise BadFeatures(f"a sparse matrix ({type(values).__name__}) must be given as dense chunks, by .toarray()")
    elif np.ma.is_masked(values):
        raise BadFeatures("a masked matrix must be given with its gaps filled, by .filled(value)")
    else:
        try:
            array = np.asanyarray(values)
        except (ValueError, TypeError, RuntimeError) as error:
            raise BadFeatures(f"a matrix of numbers is needed, not {type(values).__name__}: {error}") from error
    if array.dtype.kind not in "fiub":
        raise BadFeatures(f"real numbers are needed, not {array.dtype}")
    return array


def _require_numbers(values: torch.Tensor) -> None:
    if values.layout != torch.strided:
        raise BadFeatures("a sparse tensor must be given as dense chunks, by .to_dense()")
    if values.is_quantized or values.is_meta:
        raise BadFeatures(f"a {'quantised' if values.is_quantized else 'meta'} tensor holds no numbers; give those")
    if values.is_floating_point() and values.dtype not in (torch.float16, torch.float32, torch.float64):
        raise BadFeatures(f"numpy has no {values.dtype}: give the tensor's .float()")


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
        # A tensor stays one until it is cut: what is copied, to numpy's types or from another device, is one chunk.
        if isinstance(source, torch.Tensor):
            _require_numbers(source)
        whole = source if isinstance(source, torch.Tensor) else as_array(source)
        yield from _sliced(whole, None if targets is None else as_array(targets), start)
    elif isinstance(source, Iterable):
        if targets is not None:
            raise BadFeatures(
                "targets beside features need one matrix: give numpy.asarray(rows), or give chunks of (features, "
                "targets) alone"
            )
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


def _sliced(features: Any, targets: Array | None, start: int) -> Iterator[tuple[Array, Array | None]]:
    if features.ndim != 2:
        raise BadFeatures(f"features must be [n, d], not of shape {tuple(features.shape)}")
    if targets is not None and (targets.ndim == 0 or len(targets) != len(features)):
        raise BadFeatures(f"{len(features)} feature rows but {len(targets) if targets.ndim else 'no'} targets")
    size = max(1, _CHUNK_BYTES // max(1, as_array(features[:0]).itemsize * features.shape[1]))
    for row in range(start, len(features), size):
        part = slice(row, row + size)
        yield np.asarray(as_array(features[part])), None if targets is None else np.asarray(targets[part])
        for mapped in (features, targets):
            _let_go(mapped)


def _let_go(array: Any) -> None:
    """Give a memory map's pages back: read once, they would count as this process's memory until it ends."""
    mapping = getattr(array, "_mmap", None)
    # Never of a private map: its changes would be lost.
    if isinstance(mapping, mmap.mmap) and getattr(array, "mode", None) == "r" and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _check(features: Array, row: int, width: int | None) -> None:
    if features.ndim != 2 or (width is not None and features.shape[1] != width) or not features.shape[1]:
        raise BadFeatures(f"chunk from row {row} on must be [c, {width or 'd'}], not of shape {features.shape}")
    if not _clearly_finite(features) and (bad := first_bad(features)):
        raise BadFeatures(f"the feature in row {row + bad[0]}, column {bad[1]} is NaN or infinite")


def _clearly_finite(features: Array) -> bool:
    """False where something may be NaN or infinite: one sum is far cheaper than a mask."""
    with np.errstate(over="ignore", invalid="ignore"):
        if features.dtype.kind == "f" and features.dtype.itemsize >= 4 and features.flags.c_contiguous:
            # Of squares, without a copy, and without BLAS: idle threads of numpy stand in the way of scipy and torch.
            flat = features.reshape(-1)
            return bool(np.isfinite(np.einsum("i,i->", flat, flat)))
        return features.dtype.kind != "f" or bool(np.isfinite(features.sum(dtype=np.float64)))
