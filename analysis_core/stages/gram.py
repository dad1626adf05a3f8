"""One streaming float64 pass over features and targets: all that the gaussian sparse path needs of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.chunks import paired_chunks
from analysis_core.errors import BadFeatures

Matrix = NDArray[np.float64]

#: A column whose standard deviation is at most this share of its mean is constant up to round-off.
CONSTANT = 1e-9
#: Columns correlated beyond 1 - DUPLICATE are one column; the lowest index stands for all.
DUPLICATE = 1e-9


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


def moments(features: Any, targets: Any) -> Moments:
    """Read everything once. raises: BadFeatures (shapes, NaN, class ids that are not whole numbers >= 0)"""
    sums: _Sums | None = None
    for x, y in paired_chunks(features, targets):
        if y is None:
            raise BadFeatures("targets are missing: give [n, K], class ids [n], or chunks of (features, targets)")
        if sums is None:
            sums = _Sums(x, y)
        sums.add(x, y)
    if sums is None or sums.n < 2:
        raise BadFeatures("at least two points are needed")
    return _standardise(sums)


class _Sums:
    """Sums of shifted features and targets; the shift (the first chunk's mean) keeps cancellation small."""

    def __init__(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        d = x.shape[1]
        self.n = 0
        self.classes = y.ndim == 1
        self.shift: Matrix = x.mean(axis=0, dtype=np.float64)
        width = 0 if self.classes else y.shape[1]
        self.target_shift: Matrix = np.zeros(0) if self.classes else y.mean(axis=0, dtype=np.float64)
        self.x, self.xx = np.zeros(d), np.zeros((d, d))
        self.y, self.yy, self.xy = np.zeros(width), np.zeros(width), np.zeros((d, width))

    def add(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        shifted = x.astype(np.float64) - self.shift
        self.n += len(x)
        self.x += shifted.sum(axis=0)
        self.xx += shifted.T @ shifted
        if (y.ndim == 1) != self.classes:
            raise BadFeatures("targets must be class ids [c] in every chunk, or real [c, K] in every chunk")
        if self.classes:
            self._add_classes(shifted, y)
        else:
            self._add_real(shifted, y)

    def _add_classes(self, shifted: Matrix, y: NDArray[Any]) -> None:
        if not len(y):
            return
        if (y.dtype.kind == "f" and not np.array_equal(y, np.floor(y))) or y.min() < 0:
            raise BadFeatures("class ids must be whole numbers from 0 on")
        ids = y.astype(np.int64)
        self._widen(int(ids.max()) + 1)
        counts = np.bincount(ids, minlength=len(self.y)).astype(np.float64)
        self.y += counts
        self.yy += counts
        order = np.argsort(ids, kind="stable")
        present, starts = np.unique(ids[order], return_index=True)
        self.xy[:, present] += np.add.reduceat(shifted[order], starts, axis=0).T

    def _add_real(self, shifted: Matrix, y: NDArray[Any]) -> None:
        if y.ndim != 2 or y.shape[1] != len(self.y):
            raise BadFeatures(f"targets must be [c, {len(self.y)}], not of shape {y.shape}")
        real = y.astype(np.float64) - self.target_shift
        if not np.isfinite(real).all():
            raise BadFeatures("targets are NaN or infinite")
        self.y += real.sum(axis=0)
        self.yy += np.square(real).sum(axis=0)
        self.xy += shifted.T @ real

    def _widen(self, classes: int) -> None:
        more = classes - len(self.y)
        if more > 0:
            self.y, self.yy = np.pad(self.y, (0, more)), np.pad(self.yy, (0, more))
            self.xy = np.pad(self.xy, ((0, 0), (0, more)))
            self.target_shift = np.pad(self.target_shift, (0, more))


def _standardise(sums: _Sums) -> Moments:
    n, offset, target_offset = sums.n, sums.x / sums.n, sums.y / sums.n
    covariance = sums.xx / n - np.outer(offset, offset)
    deviation = np.sqrt(np.diag(covariance).clip(min=0))
    mean = sums.shift + offset
    varies = deviation > CONSTANT * np.abs(mean)
    scale = np.where(varies, deviation, 1.0)
    gram = covariance / np.outer(scale, scale)
    usable = varies & ~_duplicates(gram, varies)
    gram = np.where(np.outer(usable, usable), gram, 0.0)
    np.fill_diagonal(gram, usable.astype(np.float64))
    cross = (sums.xy / n - np.outer(offset, target_offset)) / scale[:, None]
    return Moments(
        n=n,
        gram=gram,
        cross=np.where(usable[:, None], cross, 0.0),
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
