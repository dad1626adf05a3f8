"""Newton's method on the coefficients of all classes that are not 0: the end of a multinomial fit, where few are left.

Steps of one class at a time are slow where few classes share many features; then this is quick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_core.stages.active_set import Integers, refined
from analysis_core.stages.gram import Matrix
from analysis_core.stages.multinomial_block import ARMIJO, NOISE, Penalty
from analysis_core.stages.multinomial_columns import Columns

#: Steps, and halvings of one.
_STEPS, _HALVINGS = 12, 20


@dataclass
class Joint:
    """The coefficients of all classes as one vector: class by class its columns, then the intercepts but the last.

    classes [c]: those that occur; of, at: int64 [s], class (its place) and column of each coefficient
    """

    data: Columns
    penalty: Penalty
    classes: Integers
    of: Integers
    at: Integers
    b: Matrix
    intercepts: Matrix

    def polish(self, tolerance: float) -> None:
        """Move to where the slope is at most `tolerance`, as long as the objective falls."""
        here, slope, curvature = self._expand(self.b, self.intercepts, curved=True)
        for _ in range(_STEPS):
            wanted = slope.copy()
            wanted[: len(self.b)] += 2 * self.penalty.l2 * self.b + self.penalty.l1 * np.sign(self.b)
            if np.abs(wanted).max(initial=0.0) <= tolerance:
                return
            curvature[np.diag_indices(len(self.b))] += 2 * self.penalty.l2
            step = -refined(curvature, wanted)
            taken = self._search(here + self.penalty(self.b), wanted, step)
            if taken is None:
                return
            self.b, self.intercepts = taken
            kept = self.b != 0
            self.of, self.at, self.b = self.of[kept], self.at[kept], self.b[kept]
            here, slope, curvature = self._expand(self.b, self.intercepts, curved=True)

    def _search(self, before: float, slope: Matrix, step: Matrix) -> tuple[Matrix, Matrix] | None:
        share, count = 1.0, len(self.b)
        for _ in range(_HALVINGS):
            b = self.b + share * step[:count]
            # What would change its sign stops at 0.
            b[b * self.b < 0] = 0.0
            intercepts = self.intercepts.copy()
            intercepts[:-1] += share * step[count:]
            gain = float(slope[:count] @ (b - self.b) + slope[count:] @ (intercepts - self.intercepts)[:-1])
            after = self._expand(b, intercepts, curved=False)[0] + self.penalty(b)
            if after - before <= ARMIJO * min(gain, 0.0) + NOISE:
                return b, intercepts
            share /= 2
        return None

    def _expand(self, b: Matrix, intercepts: Matrix, *, curved: bool) -> tuple[float, Matrix, Matrix]:
        """The loss, its slope and its curvature in the coefficients and all intercepts but the last."""
        used, column = np.unique(self.at, return_inverse=True)
        count, free = len(b), len(self.classes) - 1
        weights = np.zeros((len(used), len(self.classes)))
        weights[column, self.of] = b
        loss, slope = 0.0, np.zeros(count + free)
        curvature = np.zeros((count + free, count + free))
        for part, rows in self.data.rows():
            x = rows[used].T
            logits = x @ weights + intercepts
            logits -= logits.max(axis=1, keepdims=True)
            p = np.exp(logits)
            total = p.sum(axis=1, keepdims=True)
            y = self.data.dense(part)[:, self.classes]
            loss += float(np.log(total).sum() - (y * logits).sum())
            if not curved:
                continue
            p /= total
            off = p - y
            slope += np.concatenate([(x.T @ off)[column, self.of], off.sum(axis=0)[:-1]])
            spread = np.hstack([x[:, column] * p[:, self.of], p[:, :-1]])
            curvature -= spread.T @ spread
            self._add_own(curvature, x, p, column)
        return loss / self.data.n, slope / self.data.n, curvature / self.data.n

    def _add_own(self, curvature: Matrix, x: Matrix, p: Matrix, column: Integers) -> None:
        """What a class's probability adds to the curvature of its own coefficients."""
        for k in range(len(self.classes)):
            own = np.flatnonzero(self.of == k)
            mine = x[:, column[own]]
            weighted = mine.T * p[:, k]
            curvature[np.ix_(own, own)] += weighted @ mine
            if k < len(self.classes) - 1:
                place = len(self.of) + k
                curvature[own, place] += weighted.sum(axis=1)
                curvature[place, own] += weighted.sum(axis=1)
                curvature[place, place] += p[:, k].sum()
