"""Means and second moments of features and targets: all that the gaussian sparse path needs of the data.

streaming.py fills the sums chunk by chunk, in float64; prediction.py works on what `moments_of` makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis_core.chunks import first_bad
from analysis_core.errors import BadFeatures

Matrix = NDArray[np.float64]

#: A column whose standard deviation is at most this share of its mean is constant up to round-off.
CONSTANT = 1e-9
#: Columns correlated beyond 1 - DUPLICATE are one column; the lowest index stands for all.
DUPLICATE = 1e-9
#: Class ids from here on are taken for something else than a number of a class.
MOST_CLASSES = 1_000_000


@dataclass(frozen=True)
class Moments:
    """Standardised second moments of n points.

    gram:  [d, d] correlations, 0 in rows and columns never to be selected
    cross: [d, K] mean products of standardised features with centred targets, 0 likewise
    usable: bool [d]: neither constant nor the duplicate of a lower index
    mean, scale: [d] of the features (scale 1 where constant); target_mean, target_variance: [K]
    """

    n: int
    gram: Matrix
    cross: Matrix
    usable: NDArray[np.bool_]
    mean: Matrix
    scale: Matrix
    target_mean: Matrix
    target_variance: Matrix

    def varies(self) -> NDArray[np.bool_]:
        """bool [K]: targets that are not constant up to round-off."""
        return np.asarray(self.target_variance > np.square(CONSTANT * self.target_mean))


class Sums:
    """Sums of shifted features and targets; the shift (the first chunk's mean) keeps cancellation small.

    y, yy [K] and xy [K, d]: a class's row is contiguous, where its datapoints are added.
    """

    options: dict[str, Any] = {}
    FIELDS = ("shift", "target_shift", "x", "xx", "y", "yy", "xy")

    def __init__(self) -> None:
        self.n, self.classes = 0, False
        self.shift: Matrix = np.zeros(0)
        self.target_shift = self.x = self.xx = self.y = self.yy = self.xy = self.shift
        self._buffer = self.shift

    def add(self, start: int, x: NDArray[Any], y: NDArray[Any] | None) -> None:
        """x: [c, d] finite features of the rows from `start` on; y: class ids [c] or real [c, K]

        raises: BadFeatures (no targets, NaN targets, class ids that are not whole numbers from 0 on)
        """
        if y is None:
            raise BadFeatures("targets are missing: give [n, K], class ids [n], or chunks of (features, targets)")
        if not self.n:
            self._begin(x, y)
        if (y.ndim == 1) != self.classes:
            raise BadFeatures("targets must be class ids [c] in every chunk, or real [c, K] in every chunk")
        if not len(x):
            return
        shifted = self._shifted(x)
        if self.classes:
            self._add_classes(start, shifted, y)
        else:
            self._add_real(start, shifted, y)
        # Of one array with itself, numpy computes one triangle only.
        self.xx += shifted.T @ shifted
        self.n += len(x)

    def state(self) -> dict[str, Any]:
        """Everything that has been added so far, as arrays."""
        return {"n": np.array(self.n), "classes": np.array(self.classes), **{f: getattr(self, f) for f in self.FIELDS}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.n, self.classes = int(state["n"]), bool(state["classes"])
        for name in self.FIELDS:
            setattr(self, name, np.array(state[name]))

    def _begin(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        d, self.classes = x.shape[1], y.ndim == 1
        width = 0 if self.classes else y.shape[1]
        if not self.classes and (y.ndim != 2 or not width):
            raise BadFeatures(f"targets must be class ids [n] or real [n, K], not of shape {y.shape}")
        self.shift = x.mean(axis=0, dtype=np.float64) if len(x) else np.zeros(d)
        self.target_shift = np.zeros(width) if self.classes or not len(x) else y.mean(axis=0, dtype=np.float64)
        self.x, self.xx = np.zeros(d), np.zeros((d, d))
        self.y, self.yy, self.xy = np.zeros(width), np.zeros(width), np.zeros((width, d))

    def _shifted(self, x: NDArray[Any]) -> Matrix:
        if self._buffer.shape[-1] != x.shape[1] or len(self._buffer) < len(x):
            self._buffer = np.empty(x.shape)
        shifted = self._buffer[: len(x)]
        shifted[...] = x
        shifted -= self.shift
        return shifted

    def _add_classes(self, start: int, shifted: Matrix, y: NDArray[Any]) -> None:
        ids = class_ids(y, start)
        self._widen(int(ids.max()) + 1)
        present, of = np.unique(ids, return_inverse=True)
        counts = np.bincount(of).astype(np.float64)
        self.y[present] += counts
        self.yy[present] += counts
        # A row per class, with a 1 for each of its datapoints: adds them up without sorting or copying them.
        members = sparse.csr_matrix((np.ones(len(of)), (of, np.arange(len(of)))), shape=(len(present), len(of)))
        sums = members @ shifted
        self.xy[present] += sums
        self.x += sums.sum(axis=0)

    def _add_real(self, start: int, shifted: Matrix, y: NDArray[Any]) -> None:
        if y.ndim != 2 or y.shape[1] != len(self.y):
            raise BadFeatures(f"targets must be [c, {len(self.y)}], not of shape {y.shape}")
        if bad := first_bad(y):
            raise BadFeatures(f"the target in row {start + bad[0]}, column {bad[1]} is NaN or infinite")
        real = y.astype(np.float64) - self.target_shift
        self.x += shifted.sum(axis=0)
        self.y += real.sum(axis=0)
        self.yy += np.square(real).sum(axis=0)
        self.xy += real.T @ shifted

    def _widen(self, classes: int) -> None:
        more = classes - len(self.y)
        if more > 0:
            self.y, self.yy = np.pad(self.y, (0, more)), np.pad(self.yy, (0, more))
            self.xy = np.pad(self.xy, ((0, more), (0, 0)))
            self.target_shift = np.pad(self.target_shift, (0, more))


def class_ids(y: NDArray[Any], start: int = 0) -> NDArray[np.int64]:
    """Class ids [c] as int64. raises: BadFeatures (fractions, below 0, too large; names the row)"""
    wrong = (y < 0) | (y >= MOST_CLASSES) | ((y != np.floor(y)) if y.dtype.kind == "f" else False)
    if y.dtype.kind == "f":
        wrong |= ~np.isfinite(y)
    if wrong.any():
        i = int(wrong.argmax())
        raise BadFeatures(
            f"class ids must be whole numbers from 0 to {MOST_CLASSES - 1:,}, not {y[i]} in row {start + i}; "
            "one real target per datapoint is [n, 1]"
        )
    return y.astype(np.int64)


def moments_of(sums: Sums) -> Moments:
    """raises: BadFeatures (fewer than two points)"""
    if sums.n < 2:
        raise BadFeatures("at least two points are needed")
    n, offset, target_offset = sums.n, sums.x / sums.n, sums.y / sums.n
    covariance = sums.xx / n - np.outer(offset, offset)
    deviation = np.sqrt(np.diag(covariance).clip(min=0))
    mean = sums.shift + offset
    varies = deviation > CONSTANT * np.abs(mean)
    scale = np.where(varies, deviation, 1.0)
    gram = covariance / np.outer(scale, scale)
    usable = varies & ~_duplicates(gram, varies)
    gram[~usable], gram[:, ~usable] = 0.0, 0.0
    np.fill_diagonal(gram, usable.astype(np.float64))
    cross = (sums.xy.T / n - np.outer(offset, target_offset)) / scale[:, None]
    cross[~usable] = 0.0
    return Moments(
        n=n,
        gram=gram,
        cross=cross,
        usable=usable,
        mean=mean,
        scale=scale,
        target_mean=sums.target_shift + target_offset,
        target_variance=(sums.yy / n - np.square(target_offset)).clip(min=0),
    )


def _duplicates(gram: Matrix, varies: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Columns equal to one of a lower index that itself is kept, up to sign."""
    alike = np.triu(np.abs(gram) > 1 - DUPLICATE, k=1) & np.outer(varies, varies)
    duplicate = np.zeros(len(gram), dtype=bool)
    for i in np.flatnonzero(alike.any(axis=1)):
        if not duplicate[i]:
            duplicate |= alike[i]
    return duplicate
