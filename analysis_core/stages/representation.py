"""Stage R: what a feature responds to, on one datapoint (local) and over a whole split (extremes)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.chunks import feature_chunks
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import unimodal
from analysis_core.targets import Feature
from analysis_core.types import Attribution

LOCAL_METHODS = ("gradient", "lime")


@dataclass(frozen=True)
class Extremes:
    """The datapoints that activate each feature most and least.

    top, bottom:               int64 [d, k] dataset indices, the most extreme first, ties by lowest index
    top_values, bottom_values: float64 [d, k]
    """

    top: Tensor
    bottom: Tensor
    top_values: Tensor
    bottom_values: Tensor


def local(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    feature: int,
    *,
    method: str = "gradient",
    layer: str = "penultimate",
    samples: int | None = None,
    seed: int = 0,
) -> Attribution:
    """Unimodal importance towards one feature of the penultimate or a named layer.

    method:  "gradient" (saliency) or "lime" (with `samples` rows from `seed`)
    raises:  UnknownName (method, layer), BadInput (feature out of range)
    source:  Liang et al. 2023, section 2.3
    """
    if method not in LOCAL_METHODS:
        raise UnknownName("local method", method, LOCAL_METHODS)
    target = Feature(int(feature), layer)
    if method == "gradient":
        return unimodal.gradient(model, sample, target)
    return unimodal.lime(model, sample, [target], samples=samples, seed=seed)[0]


def extremes(store: Any, *, k: int = 3, exclude: Iterable[int] = (), pool: int | None = None) -> Extremes:
    """Top and bottom k datapoints of every feature, in one streaming pass.

    store:   a FeatureStore, a [n, d] tensor or array, or an iterable of [c, d] chunks
    exclude: dataset indices left out (the explained points, near duplicates)
    pool:    only the first `pool` rows are considered; None = all
    raises:  BadFeatures (shape, NaN), BadInput (fewer than k points left)
    """
    if k < 1:
        raise BadInput(f"k must be at least 1, not {k}")
    left_out = np.array(sorted({int(i) for i in exclude}), dtype=np.int64)
    most, least = _Best(k, 1), _Best(k, -1)
    start = considered = 0
    for chunk in feature_chunks(store):
        rows = np.arange(start, start + len(chunk), dtype=np.int64)
        start += len(chunk)
        keep = ~np.isin(rows, left_out)
        if pool is not None:
            keep &= rows < pool
        considered += int(keep.sum())
        part = chunk if keep.all() else chunk[keep]
        part = part if part.dtype.kind == "f" else part.astype(np.float64)
        most.add(part, rows[keep])
        least.add(part, rows[keep])
        if pool is not None and start >= pool:
            break
    if considered < k:
        raise BadInput(f"{k} datapoints per feature were asked for, but only {considered} are left to choose from")
    return Extremes(
        top=torch.from_numpy(most.rows),
        bottom=torch.from_numpy(least.rows),
        top_values=torch.from_numpy(most.values.astype(np.float64)),
        bottom_values=torch.from_numpy(-least.values.astype(np.float64)),
    )


class _Best:
    """The k largest (sign 1) or smallest (sign -1) values per column so far, ties by lowest row; rows come in order."""

    def __init__(self, k: int, sign: int) -> None:
        self.k, self.sign = k, sign
        self.values: NDArray[Any] = np.zeros((0, k))
        self.rows: NDArray[np.int64] = np.zeros((0, k), dtype=np.int64)

    def add(self, chunk: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """chunk: [c, d]; rows: [c] ascending, after all rows before. `values` are kept times sign, [d, k]."""
        if not len(chunk):
            return
        if not self.values.size:
            self.values = np.full((chunk.shape[1], self.k), -np.inf, dtype=chunk.dtype)
            self.rows = np.full((chunk.shape[1], self.k), -1, dtype=np.int64)
        # A later row enters only by a strictly larger value, so few columns change once the first chunks are seen.
        best = chunk.max(axis=0) if self.sign > 0 else -chunk.min(axis=0)
        columns = np.flatnonzero(best > self.values[:, -1])
        for block in np.array_split(columns, len(columns) // 64 + 1):
            self._merge(block, self.sign * chunk[:, block].T, rows)

    def _merge(self, columns: NDArray[np.int64], part: NDArray[Any], rows: NDArray[np.int64]) -> None:
        values = np.concatenate([self.values[columns], part], axis=1)
        each = np.arange(len(columns))
        kept = self.rows[columns]
        for j in range(self.k):
            # argmax takes the first of equals: a kept row before a new one, a lower row before a higher one.
            at = values.argmax(axis=1)
            self.values[columns, j] = values[each, at]
            self.rows[columns, j] = np.where(at < self.k, kept[each, at % self.k], rows[np.maximum(at - self.k, 0)])
            values[each, at] = -np.inf
