"""The datapoints that activate each feature most and least, kept while features stream by (streaming.py)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.errors import BadInput

Integers = NDArray[np.int64]

#: Columns that are searched at once, and candidates per column from which on a search beats sorting them in.
_AT_ONCE, _MANY = 64, 8


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
        if k < 1:
            raise BadInput(f"k must be at least 1, not {k}")
        self.k, self.pool, self.considered = k, pool, 0
        self.exclude = np.array(sorted({int(i) for i in exclude}), dtype=np.int64)
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
        self.most.add(part, rows[keep])
        self.least.add(part, rows[keep])

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

    def add(self, chunk: NDArray[Any], rows: Integers) -> None:
        """chunk: [c, d]; rows: [c] ascending, after all rows before. `values` are kept times sign, [d, k]."""
        if not len(chunk):
            return
        if not self.values.size:
            self.values = np.full((chunk.shape[1], self.k), -np.inf, dtype=chunk.dtype)
            self.rows = np.full((chunk.shape[1], self.k), -1, dtype=np.int64)
        # A later row enters only by a strictly larger value, so few columns change once the first chunks are seen.
        best = chunk.max(axis=0) if self.sign > 0 else -chunk.min(axis=0)
        columns = np.flatnonzero(best > self.values[:, -1])
        if not len(columns):
            return
        if len(columns) < chunk.shape[1] // 4:
            chunk = chunk[:, columns]
        else:
            columns = np.arange(chunk.shape[1])
        worst = self.sign * self.values[columns, -1]
        at, column = np.divmod(np.flatnonzero(chunk > worst if self.sign > 0 else chunk < worst), len(columns))
        if len(at) <= _MANY * len(columns):
            self._insert(columns, self.sign * chunk[at, column], rows[at], column)
            return
        for block in np.array_split(columns, len(columns) // _AT_ONCE + 1):
            self._search(block, self.sign * chunk[:, np.searchsorted(columns, block)].T, rows)

    def _insert(self, columns: Integers, values: NDArray[Any], rows: Integers, place: Integers) -> None:
        """Sort a few candidates in: of each its value, its row and its place in `columns`."""
        every = np.concatenate([self.values[columns].ravel(), values])
        row = np.concatenate([self.rows[columns].ravel(), rows])
        of = np.concatenate([np.repeat(np.arange(len(columns)), self.k), place])
        order = np.lexsort((row, -every, of))
        first = np.searchsorted(of[order], np.arange(len(columns)))
        kept = order[first[:, None] + np.arange(self.k)]
        self.values[columns], self.rows[columns] = every[kept], row[kept]

    def _search(self, columns: Integers, part: NDArray[Any], rows: Integers) -> None:
        """Take the best of all, one after the other: part [m, c]."""
        values = np.concatenate([self.values[columns], part], axis=1)
        each = np.arange(len(columns))
        kept = self.rows[columns]
        for j in range(self.k):
            # argmax takes the first of equals: a kept row before a new one, a lower row before a higher one.
            at = values.argmax(axis=1)
            self.values[columns, j] = values[each, at]
            self.rows[columns, j] = np.where(at < self.k, kept[each, at % self.k], rows[np.maximum(at - self.k, 0)])
            values[each, at] = -np.inf
