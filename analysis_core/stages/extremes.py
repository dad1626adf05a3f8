"""The datapoints that activate each feature most and least, kept while features stream by (streaming.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.arguments import count
from analysis_core.errors import BadInput

Integers = NDArray[np.int64]

#: The least and most rows of a group, of which the extreme values are taken first: only the best groups are looked at.
_GROUPS = 16, 64


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


class ExtremesSoFar:
    """Top and bottom k of the rows that have been added, without those left out."""

    def __init__(self, k: int, *, exclude: Iterable[int] = (), pool: int | None = None) -> None:
        """raises: BadInput (k, pool or an index is no whole number, k below 1, an index below 0)"""
        self.k = k = count("k", k)
        self.pool = pool = None if pool is None else count("pool", pool, least=0)
        self.considered = 0
        self.exclude = np.array(sorted({count("an excluded index", i, least=0) for i in exclude}), dtype=np.int64)
        self.options = {"k": k, "pool": pool, "exclude": self.exclude.tolist()}
        self.most, self.least = _Best(k, 1), _Best(k, -1)

    def add(self, start: int, x: NDArray[Any], y: object = None) -> None:
        """x: [c, d] finite features of the rows from `start` on"""
        rows = np.arange(start, start + len(x), dtype=np.int64)
        low, high = np.searchsorted(self.exclude, [start, start + len(x)])
        keep = np.ones(len(x), dtype=bool)
        keep[self.exclude[low:high] - start] = False
        if self.pool is not None:
            keep &= rows < self.pool
        self.considered += int(keep.sum())
        part = x if keep.all() else x[keep]
        part = part if part.dtype.kind == "f" else part.astype(np.float64)
        if not len(part):
            return
        size = min(max(len(part) // (4 * self.k), _GROUPS[0]), _GROUPS[1])
        peaks = np.empty((2, -(-len(part) // size), part.shape[1]), dtype=part.dtype)
        for group, row in enumerate(range(0, len(part), size)):
            # Both while these rows are in the cache.
            some = part[row : row + size]
            some.max(axis=0, out=peaks[0, group])
            some.min(axis=0, out=peaks[1, group])
        self.most.add(part, rows[keep], peaks[0], size)
        self.least.add(part, rows[keep], peaks[1], size)

    def require_excluded(self, rows: int | None) -> None:
        """raises: BadInput (an index left out that none of the rows has; None = how many there are is not known)"""
        if rows is not None and len(self.exclude) and self.exclude[-1] >= rows:
            raise BadInput(f"exclude names datapoint {self.exclude[-1]}, but there are only {rows}, counted from 0")

    def found(self, at_least: int | None = None) -> Extremes:
        """raises: BadInput (fewer than `at_least` rows were added; None = k)

        at_least: fewer than k will do; as many as there are come back
        """
        needed, kept = self.k if at_least is None else at_least, min(self.k, self.considered)
        if self.considered < needed:
            asked = f"{needed} datapoints per feature were asked for"
            raise BadInput(f"{asked}, but only {self.considered} are left to choose from")
        return Extremes(
            top=torch.from_numpy(self.most.rows[:, :kept].copy()),
            bottom=torch.from_numpy(self.least.rows[:, :kept].copy()),
            top_values=torch.from_numpy(self.most.values[:, :kept].astype(np.float64)),
            bottom_values=torch.from_numpy(-self.least.values[:, :kept].astype(np.float64)),
        )

    def state(self) -> dict[str, Any]:
        """Everything that has been added so far, as arrays."""
        kept = {f"{n}_{f}": getattr(b, f) for n, b in self._ends().items() for f in ("values", "rows")}
        return {"considered": np.array(self.considered), **kept}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.considered = int(state["considered"])
        for name, best in self._ends().items():
            best.values, best.rows = np.array(state[f"{name}_values"]), np.array(state[f"{name}_rows"])

    def _ends(self) -> dict[str, _Best]:
        return {"most": self.most, "least": self.least}


class _Best:
    """The k largest (sign 1) or smallest (sign -1) values per column so far, ties by lowest row; rows come in order."""

    def __init__(self, k: int, sign: int) -> None:
        self.k, self.sign = k, sign
        self.values: NDArray[Any] = np.zeros((0, k))
        self.rows: Integers = np.zeros((0, k), dtype=np.int64)

    def add(self, chunk: NDArray[Any], rows: Integers, peaks: NDArray[Any], size: int) -> None:
        """chunk: [c, d], c > 0; rows: [c] ascending, after all rows before; `values` are kept times sign, [d, k].

        peaks: [groups, d] the extreme value of each group of `size` rows, of which the last may have fewer
        """
        if not self.values.size:
            self.values = np.full((chunk.shape[1], self.k), -np.inf, dtype=chunk.dtype)
            self.rows = np.full((chunk.shape[1], self.k), -1, dtype=np.int64)
        peaks = self.sign * peaks
        # A later row enters only by a strictly larger value, so few columns change once the first chunks are seen.
        columns = np.flatnonzero(peaks.max(axis=0) > self.values[:, -1])
        if not len(columns):
            return
        worst = self.values[columns, -1]
        looked = self._groups(peaks[:, columns].T, worst)
        of, group = np.nonzero(looked)
        at = group[:, None] * size + np.arange(size)
        values = self.sign * chunk[np.minimum(at, len(chunk) - 1), columns[of, None]]
        # By column, then by row.
        pair, _ = found = np.nonzero((values > worst[of, None]) & (at < len(chunk)))
        self._insert(columns, of[pair], values[found], rows[at[found]])

    def _groups(self, peaks: NDArray[Any], worst: NDArray[Any]) -> NDArray[np.bool_]:
        """Which groups to look at, given their peaks [m, groups]: bool [m, groups].

        The best k of a chunk lie in the k groups of the largest peaks, of equal ones the first: each of those holds a
        value that comes before all of any other group.
        """
        looked = np.asarray(peaks > worst[:, None])
        if looked.sum(axis=1).max() > self.k:
            behind = np.argsort(-peaks, axis=1, kind="stable")[:, self.k :]
            np.put_along_axis(looked, behind, False, axis=1)
        return looked

    def _insert(self, columns: Integers, of: Integers, values: NDArray[Any], rows: Integers) -> None:
        """Sort candidates in: of each its place in `columns` (ascending), its value and its row (ascending in each)."""
        counts = np.bincount(of, minlength=len(columns))
        slot = self.k + np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = len(columns), self.k + int(counts.max())
        every, row = np.full(shape, -np.inf, dtype=values.dtype), np.full(shape, -1, dtype=np.int64)
        every[:, : self.k], row[:, : self.k] = self.values[columns], self.rows[columns]
        every[of, slot], row[of, slot] = values, rows
        # Kept rows come first and rows ascend, so that a stable order takes the lowest of equals.
        order = np.argsort(-every, axis=1, kind="stable")[:, : self.k]
        self.values[columns] = np.take_along_axis(every, order, axis=1)
        self.rows[columns] = np.take_along_axis(row, order, axis=1)
