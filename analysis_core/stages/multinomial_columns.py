"""Features and targets by column, for a fit that goes through the data again and again. multinomial.py reads them.

Small data lie in memory, large ones in mapped files of a temporary folder: memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from analysis_core.errors import BadFeatures
from analysis_core.stages.gram import Matrix, Moments, Sums, class_ids, moments_of

#: Larger matrices than this are mapped files.
IN_MEMORY = 256 * 2**20
#: Matrices up to this size are kept standardised, too.
_STANDARDISED = 64 * 2**20
#: A chunk of rows takes about this many bytes for its features, or for its probabilities.
_CHUNK = 16 * 2**20
#: How far probabilities may be from adding up to 1, as those of float32 are.
_UNIT = 1e-4

Integers = NDArray[np.int64]


class Spool:
    """Writes features and targets to two files while they stream by (streaming.py), and adds up their moments."""

    def __init__(self, folder: Path, *, logits: bool) -> None:
        """logits: real targets are logits, of which the softmax counts; else they are probabilities"""
        self.options, self.sums = {"logits": logits}, Sums()
        self.x, self.y = ((folder / name).open("w+b") for name in ("features", "targets"))
        self.n = self.width = self.classes = 0
        self.dtype: Any = np.float64

    def add(self, start: int, x: NDArray[Any], y: NDArray[Any] | None) -> None:
        """x: [c, d] finite features; y: class ids [c] or real [c, K]. raises: BadFeatures (y is neither)"""
        if y is None:
            raise BadFeatures("targets are missing: give class ids [n], [n, K], or chunks of (features, targets)")
        if y.ndim not in (1, 2) or (y.ndim == 2 and not y.shape[1]):
            raise BadFeatures(f"targets must be class ids [n] or probabilities [n, K], not of shape {y.shape}")
        if not self.n:
            self.width, self.classes = x.shape[1], 0 if y.ndim == 1 else y.shape[1]
            self.dtype = np.float32 if x.dtype in (np.float16, np.float32) else np.float64
        targets = class_ids(y, start) if y.ndim == 1 else _probabilities(y, start, logits=self.options["logits"])
        self.sums.add(start, x, targets)
        _write(self.x, x.astype(self.dtype, copy=False))
        _write(self.y, targets)
        self.n += len(x)

    def state(self) -> dict[str, Any]:
        """Nothing: the files are gone with the process, and a fit is not resumed."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Never called: see `state`."""

    def columns(self) -> Columns:
        """All that was written, by column; the files are closed. raises: BadFeatures (fewer than two points)"""
        moments = moments_of(self.sums)
        self.x.seek(0)
        self.y.seek(0)
        features = _transposed(self.x, self.n, self.width, self.dtype)
        targets = (
            np.fromfile(self.y, np.int64) if not self.classes else _transposed(self.y, self.n, self.classes, float)
        )
        self.x.close()
        self.y.close()
        return Columns(features, targets, moments)


class Columns:
    """n datapoints: standardised features by column or by chunks of rows, and their targets.

    raw: [d, n] features as they came; targets: class ids int64 [n] or probabilities [K, n]
    varies: bool [K]; entropy: of the targets, the least that the mean of -log p can be
    """

    def __init__(self, raw: NDArray[Any], targets: NDArray[Any], moments: Moments) -> None:
        self.raw, self.targets, self.moments = raw, targets, moments
        self.d, self.n = raw.shape
        self.classes = len(moments.target_mean)
        self.varies = moments.varies()
        self.standardised = self._standardised(raw) if 8 * raw.size <= _STANDARDISED else None
        self.entropy = 0.0
        if targets.ndim == 1:
            self.order = np.argsort(targets, kind="stable")
            self.starts = np.searchsorted(targets[self.order], np.arange(self.classes + 1))
        else:
            self.entropy = float(sum(entr(row).sum() for row in targets)) / self.n

    def take(self, at: Integers) -> Matrix:
        """Standardised columns, float64 [n, len(at)], each contiguous."""
        if self.standardised is not None:
            return self.standardised[at].T
        return self._standardised(self.raw[at], at).T

    def target(self, k: int) -> Integers | Matrix:
        """Of class k, its datapoints int64 [m] (class ids), or every datapoint's probability float64 [n]."""
        if self.targets.ndim == 2:
            return np.array(self.targets[k], dtype=np.float64)
        return np.asarray(self.order[self.starts[k] : self.starts[k + 1]])

    def dense(self, part: slice) -> Matrix:
        """Targets of a chunk of rows: float64 [c, K]."""
        if self.targets.ndim == 2:
            return np.asarray(self.targets[:, part].T, dtype=np.float64)
        ids = self.targets[part]
        found = np.zeros((len(ids), self.classes))
        found[np.arange(len(ids)), ids] = 1.0
        return found

    def rows(self) -> Iterator[tuple[slice, Matrix]]:
        """Chunks of rows: where, and their standardised features float64 [d, c]."""
        size, kept = max(1, _CHUNK // (8 * max(self.d, self.classes))), self.standardised
        for start in range(0, self.n, size):
            part = slice(start, min(start + size, self.n))
            yield part, self._standardised(self.raw[:, part]) if kept is None else kept[:, part]

    def _standardised(self, some: NDArray[Any], at: Integers | slice = slice(None)) -> Matrix:
        """Of some columns `at` [s, c]: float64 [s, c]."""
        found = some.astype(np.float64)
        found -= self.moments.mean[at, None]
        found /= self.moments.scale[at, None]
        return np.asarray(found)


def _write(file: IO[bytes], array: NDArray[Any]) -> None:
    np.ascontiguousarray(array).tofile(file)


def _transposed(file: IO[bytes], n: int, width: int, dtype: Any) -> NDArray[Any]:
    """A file of n rows as [width, n], in memory or mapped in a file beside it."""
    shape, size = (width, n), np.dtype(dtype).itemsize
    whole: NDArray[Any]
    if width * n * size <= IN_MEMORY:
        whole = np.empty(shape, dtype)
    else:
        whole = np.lib.format.open_memmap(f"{file.name}-by-column.npy", mode="w+", dtype=dtype, shape=shape)
    rows = max(1, _CHUNK // (width * size))
    for start in range(0, n, rows):
        count = min(rows, n - start)
        whole[:, start : start + count] = np.fromfile(file, dtype, count * width).reshape(count, width).T
    return whole


def _probabilities(y: NDArray[Any], start: int, *, logits: bool) -> Matrix:
    found = y.astype(np.float64)
    if logits:
        found = np.exp(found - found.max(axis=1, keepdims=True))
    total = found.sum(axis=1, keepdims=True)
    wrong = (found < 0).any(axis=1) | (np.abs(total[:, 0] - 1) > _UNIT if not logits else False)
    if wrong.any():
        row = start + int(np.argmax(wrong))
        raise BadFeatures(
            f"row {row} of the targets does not hold probabilities that add up to 1; class ids will do too"
        )
    return np.asarray(found / total)
