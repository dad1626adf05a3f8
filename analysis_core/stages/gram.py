"""Means and second moments of features and targets: all that the gaussian sparse path needs of the data.

streaming.py fills the sums chunk by chunk, in float64 (on request, the products of features alone in float32);
prediction.py works on what `moments_of` makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import blas

from analysis_core.chunks import first_bad
from analysis_core.errors import BadFeatures, UnknownName
from analysis_core.stages import single_precision
from analysis_core.threads import one_thread_of_torch

Matrix = NDArray[np.float64]

#: A column whose standard deviation is at most this share of its mean is constant up to round-off.
CONSTANT = 1e-9
#: Columns correlated beyond 1 - DUPLICATE are one column; the lowest index stands for all.
DUPLICATE = 1e-9
#: Class ids from here on are taken for something else than a number of a class.
MOST_CLASSES = 1_000_000
#: Squares of numbers beyond these are not exact in float64: of float64 features and targets, the sizes that will do.
LARGEST, SMALLEST = 1e140, 1e-140
#: Standard deviations of features whose products are taken in float32.
_MOST32, _LEAST32 = 1e16, 1e-16
PRECISIONS = ("float64", "float32")
#: Bytes of float64 features that are centred at once: they stay in a core's cache. And of float32 ones per product.
_CENTRED, _PRODUCT = 2**20, 8 * 2**20
#: Columns of one product in float32: the triangle of a symmetric matrix is made of such strips.
_STRIP = 96


@dataclass(frozen=True)
class Moments:
    """Standardised second moments of n points.

    gram:  [d, d] correlations, 0 in rows and columns never to be selected
    cross: [d, K] mean products of standardised features with centred targets, 0 likewise
    usable: bool [d]: neither constant nor the duplicate of a lower index
    mean, scale: [d] of the features (scale 1 where constant); target_mean, target_variance: [K]
    precision: of the products of features
    gram_error: how far correlations may be off for products in float32; 0 where round-off of float64 is all
    copies: of products in float32, how gram [c, d] and cross [c, K] of each column that is left out as a copy differ
           from those of the column that stands for it; None in float64
    """

    n: int
    gram: Matrix
    cross: Matrix
    usable: NDArray[np.bool_]
    mean: Matrix
    scale: Matrix
    target_mean: Matrix
    target_variance: Matrix
    precision: str = "float64"
    gram_error: float = 0.0
    copies: tuple[Matrix, Matrix] | None = None

    def varies(self) -> NDArray[np.bool_]:
        """bool [K]: targets that are not constant up to round-off."""
        return np.asarray(self.target_variance > np.square(CONSTANT * self.target_mean))


class Sums:
    """Sums of shifted features and targets; the shift (the first chunk's mean) keeps cancellation small.

    xx [d, d] is filled above and on its diagonal only; y, yy [K] and xy [K, d]: a class's row is contiguous, where its
    datapoints are added. `squares` [d]: the diagonal of xx, where its products are float32. `bounds`, `target_bounds`:
    the least and the most of each column, where they came as float64.
    """

    FIELDS = ("shift", "target_shift", "x", "xx", "y", "yy", "xy", "squares", "bounds", "target_bounds")

    def __init__(self, precision: str = "float64") -> None:
        """precision: of the products of features within a chunk, which is what the pass spends most of its time on.

        "float32" halves that; everything else, sums over chunks included, is float64 (docs/adr/0011)
        raises: UnknownName
        """
        if precision not in PRECISIONS:
            raise UnknownName("precision", precision, PRECISIONS)
        self.options: dict[str, Any] = {"precision": precision}
        self.n, self.classes, self.exact = 0, False, precision == "float64"
        self.shift: Matrix = np.zeros(0)
        self.target_shift = self.x = self.xx = self.y = self.yy = self.xy = self.shift
        self.squares = self.bounds = self.target_bounds = self.shift
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
        targets = self._class_ids(start, y) if self.classes else self._real(start, y)
        _widen(self.bounds, x)
        rows = max(1, _PRODUCT // (4 * x.shape[1]))
        for row in range(0, len(x), rows):
            part = slice(row, row + rows)
            self._add(x[part], targets[part])
        self.n += len(x)

    def state(self) -> dict[str, Any]:
        """Everything that has been added so far, as arrays."""
        return {"n": np.array(self.n), "classes": np.array(self.classes), **{f: getattr(self, f) for f in self.FIELDS}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.n, self.classes = int(state["n"]), bool(state["classes"])
        for name in self.FIELDS:
            setattr(self, name, np.array(state[name]))

    def sum_of_features(self) -> Matrix:
        """Of the shifted features: [d]. With classes, every datapoint is in the sum of one."""
        return np.asarray(self.xy.sum(axis=0)) if self.classes else self.x

    def _begin(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        d, self.classes = x.shape[1], y.ndim == 1
        width = 0 if self.classes else y.shape[-1] if y.ndim == 2 else 0
        if not self.classes and not width:
            raise BadFeatures(f"targets must be class ids [n] or real [n, K], not of shape {y.shape}")
        with np.errstate(over="ignore"):
            self.shift = x.mean(axis=0, dtype=np.float64) if len(x) else np.zeros(d)
            self.target_shift = y.mean(axis=0, dtype=np.float64) if width and len(x) else np.zeros(width)
        self.x, self.xx, self.squares = np.zeros(d), np.zeros((d, d), order="F" if self.exact else "C"), np.zeros(d)
        self.y, self.yy, self.xy = np.zeros(width), np.zeros(width), np.zeros((width, d))
        self.bounds, self.target_bounds = _no_bounds(d), _no_bounds(width)

    def _class_ids(self, start: int, y: NDArray[Any]) -> NDArray[np.int64]:
        ids = class_ids(y, start)
        more = int(ids.max()) + 1 - len(self.y)
        if more > 0:
            self.y, self.yy = np.pad(self.y, (0, more)), np.pad(self.yy, (0, more))
            self.xy = np.pad(self.xy, ((0, more), (0, 0)))
            self.target_shift = np.pad(self.target_shift, (0, more))
        present, counts = np.unique(ids, return_counts=True)
        self.y[present] += counts
        self.yy[present] += counts
        return ids

    def _real(self, start: int, y: NDArray[Any]) -> Matrix:
        if y.ndim != 2 or y.shape[1] != len(self.y):
            raise BadFeatures(f"targets must be [c, {len(self.y)}], not of shape {y.shape}")
        if bad := first_bad(y):
            raise BadFeatures(f"the target in row {start + bad[0]}, column {bad[1]} is NaN or infinite")
        _widen(self.target_bounds, y)
        with np.errstate(over="ignore", invalid="ignore"):
            real = np.asarray(y.astype(np.float64) - self.target_shift)
            self.y += real.sum(axis=0)
            self.yy += np.square(real).sum(axis=0)
        return real

    def _add(self, x: NDArray[Any], targets: Matrix | NDArray[np.int64]) -> None:
        """Features of some rows, with their class ids or shifted real targets; squares that overflow are told later."""
        d = x.shape[1]
        rows = min(len(x), max(1, _CENTRED // (8 * d)))
        if self._buffer.shape[-1] != d or len(self._buffer) < rows:
            self._buffer = np.empty((rows, d))
        low = np.empty((0 if self.exact else len(x), d), dtype=np.float32)
        sums = torch.from_numpy(self.xy)
        with np.errstate(over="ignore", invalid="ignore"), one_thread_of_torch():
            for row in range(0, len(x), rows):
                part = slice(row, row + rows)
                centred = self._buffer[: len(x[part])]
                centred[...] = x[part]
                centred -= self.shift
                if self.classes:
                    sums.index_add_(0, torch.from_numpy(targets[part]), torch.from_numpy(centred))
                else:
                    self.x += centred.sum(axis=0)
                    self.xy += targets[part].T @ centred
                if self.exact:
                    self.xx = blas.dsyrk(1.0, centred.T, beta=1.0, c=self.xx, overwrite_c=True)
                else:
                    low[part] = centred
                    self.squares += np.einsum("ij,ij->j", centred, centred)
        if not self.exact:
            # Strips of torch's product: faster than its whole, and than the symmetric one of numpy's BLAS.
            product = torch.from_numpy(low)
            for at in range(0, d, _STRIP):
                self.xx[at : at + _STRIP, at:] += torch.mm(product[:, at : at + _STRIP].T, product[:, at:]).numpy()


def _no_bounds(width: int) -> Matrix:
    return np.stack([np.full(width, np.inf), np.full(width, -np.inf)])


def _widen(bounds: Matrix, values: NDArray[Any]) -> None:
    """Take float64 values [c, width] into the least and the most of each column; squares of others do not overflow."""
    if values.dtype.kind == "f" and values.dtype.itemsize >= 8:
        np.minimum(bounds[0], values.min(axis=0), out=bounds[0])
        np.maximum(bounds[1], values.max(axis=0), out=bounds[1])


def _check_sizes(what: str, bounds: Matrix) -> None:
    """raises: BadFeatures (a column whose squares are infinite or 0 in float64)"""
    with np.errstate(invalid="ignore", over="ignore"):
        size, spread = np.abs(bounds).max(axis=0), bounds[1] - bounds[0]
        small = (spread < SMALLEST) & (spread > CONSTANT * size)
        wrong = (bounds[0] <= bounds[1]) & ((size > LARGEST) | small)
    if wrong.any():
        j = int(wrong.argmax())
        raise BadFeatures(
            f"{what} {j} lies between {bounds[0, j]:.3g} and {bounds[1, j]:.3g}, too {'small' if small[j] else 'large'}"
            " to be squared: scale it, such as to standard deviation 1"
        )


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
    """raises: BadFeatures (fewer than two points; a column too large or too small to be squared in its precision)"""
    if sums.n < 2:
        raise BadFeatures("at least two points are needed")
    _check_sizes("feature", sums.bounds)
    _check_sizes("target", sums.target_bounds)
    n, offset, target_offset = sums.n, sums.sum_of_features() / sums.n, sums.y / sums.n
    xx = np.triu(sums.xx)
    xx += np.triu(xx, k=1).T
    rounded = np.diag(xx).copy()
    if not sums.exact:
        np.fill_diagonal(xx, sums.squares)
    covariance = xx / n - np.outer(offset, offset)
    deviation = np.sqrt(np.diag(covariance).clip(min=0))
    mean = sums.shift + offset
    varies = deviation > CONSTANT * np.abs(mean)
    if not sums.exact and (beyond := varies & ((deviation > _MOST32) | (deviation < _LEAST32))).any():
        j = int(beyond.argmax())
        raise BadFeatures(
            f"the standard deviation {deviation[j]:.3g} of feature {j} is too far from 1 for products in float32; "
            'scale it, or use precision="float64"'
        )
    scale = np.where(varies, deviation, 1.0)
    gram = covariance / np.outer(scale, scale)
    stands = _stand_ins(gram, varies, within=DUPLICATE if sums.exact else single_precision.DUPLICATE)
    usable = varies & (stands == np.arange(len(gram)))
    cross = (sums.xy.T / n - np.outer(offset, target_offset)) / scale[:, None]
    error, copies = 0.0, None
    if not sums.exact:
        variances = n * np.square(deviation[usable])
        error = single_precision.error_of(rounded[usable], sums.squares[usable], variances)
        copies = single_precision.apart(gram, cross, stands, varies & ~usable, usable)
    gram[~usable], gram[:, ~usable] = 0.0, 0.0
    np.fill_diagonal(gram, usable.astype(np.float64))
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
        precision=sums.options["precision"],
        gram_error=error,
        copies=copies,
    )


def _stand_ins(gram: Matrix, varies: NDArray[np.bool_], *, within: float) -> NDArray[np.int64]:
    """Of each column the lowest one that equals it up to sign and is itself kept, [d]; where none does, its own."""
    alike = np.triu(np.abs(gram) > 1 - within, k=1) & np.outer(varies, varies)
    found = np.arange(len(gram))
    for i in np.flatnonzero(alike.any(axis=1)):
        if found[i] == i:
            found[alike[i] & (found == np.arange(len(gram)))] = i
    return found
