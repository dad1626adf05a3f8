"""Newton's method on the coefficients of all classes that are not 0: the end of a multinomial fit, where few are left.

Steps of one class at a time are slow where few classes share many features; then this is quick.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from analysis_core.stages.active_set import Integers, refined
from analysis_core.stages.gram import Matrix
from analysis_core.stages.multinomial_block import ARMIJO, NOISE, Penalty
from analysis_core.stages.multinomial_columns import Columns

#: Steps, and halvings of one.
_STEPS, _HALVINGS = 12, 20

#: Loss, slope, curvature.
_Expansion = tuple[float, Matrix, Matrix]


@dataclass
class Joint:
    """The coefficients of all classes as one vector: class by class its columns, then the intercepts but the last.

    classes [c]: those that occur; of, at: int64 [s], class (its place, ascending) and column of each coefficient
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
        here = self._expand(self.b, self.intercepts)
        for _ in range(_STEPS):
            _, slope, curvature = here
            wanted = slope.copy()
            wanted[: len(self.b)] += 2 * self.penalty.l2 * self.b + self.penalty.l1 * np.sign(self.b)
            if np.abs(wanted).max(initial=0.0) <= tolerance:
                return
            curvature[np.diag_indices(len(self.b))] += 2 * self.penalty.l2
            taken = self._search(here[0] + self.penalty(self.b), wanted, -refined(curvature, wanted))
            if taken is None:
                return
            self.b, self.intercepts, here = taken
            kept = self.b != 0
            if not kept.all():
                self.of, self.at, self.b = self.of[kept], self.at[kept], self.b[kept]
                kept = np.append(kept, np.ones(len(here[1]) - len(kept), dtype=bool))
                here = here[0], here[1][kept], here[2][np.ix_(kept, kept)]

    def _search(self, before: float, slope: Matrix, step: Matrix) -> tuple[Matrix, Matrix, _Expansion] | None:
        share, count = 1.0, len(self.b)
        for _ in range(_HALVINGS):
            b = self.b + share * step[:count]
            # What would change its sign stops at 0.
            b[b * self.b < 0] = 0.0
            intercepts = self.intercepts.copy()
            intercepts[:-1] += share * step[count:]
            gain = float(slope[:count] @ (b - self.b) + slope[count:] @ (intercepts - self.intercepts)[:-1])
            # The whole step is nearly always taken, so that its curvature is wanted.
            found = self._expand(b, intercepts)
            if found[0] + self.penalty(b) - before <= ARMIJO * min(gain, 0.0) + NOISE:
                return b, intercepts, found
            share /= 2
        return None

    def _expand(self, b: Matrix, intercepts: Matrix) -> _Expansion:
        """The loss, its slope and its curvature in the coefficients and all intercepts but the last."""
        used, column = np.unique(self.at, return_inverse=True)
        count, free = len(b), len(self.classes) - 1
        weights = np.zeros((len(self.classes), len(used)))
        weights[self.of, column] = b
        # The coefficients of a class lie side by side.
        ends = np.searchsorted(self.of, np.arange(len(self.classes) + 1))
        own = [slice(low, high) for low, high in itertools.pairwise(ends.tolist()) if high > low]
        loss, slope = 0.0, np.zeros(count + free)
        curvature = np.zeros((count + free, count + free))
        for part, rows in self.data.rows():
            # By row a coefficient or class, by column a datapoint: [s, c] and [K, c].
            x = rows[self.at]
            logits = weights @ rows[used] + intercepts[:, None]
            logits -= logits.max(axis=0)
            p = np.exp(logits)
            total = p.sum(axis=0)
            p /= total
            y = self.data.dense(part)[:, self.classes].T
            loss += float(np.log(total).sum() - (y * logits).sum())
            spread = np.concatenate([x * p[self.of], p[:-1]])
            mass = spread.sum(axis=1)
            slope += mass
            slope[:count] -= np.einsum("ij,ij->i", x, y[self.of])
            slope[count:] -= y.sum(axis=1)[:-1]
            curvature -= spread @ spread.T
            # What a class's probability adds to the curvature of its own coefficients and intercept.
            curvature[np.diag_indices(count + free)] += np.concatenate([np.zeros(count), mass[count:]])
            with_own = np.flatnonzero(self.of < free)
            curvature[with_own, count + self.of[with_own]] += mass[with_own]
            curvature[count + self.of[with_own], with_own] += mass[with_own]
            for at in own:
                curvature[at, at] += spread[at] @ x[at].T
        return loss / self.data.n, slope / self.data.n, curvature / self.data.n
