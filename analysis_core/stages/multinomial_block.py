"""One class's step in the multinomial fit: expand the loss, solve the small elastic net, search along the line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis_core.stages.active_set import Integers, optimum
from analysis_core.stages.gram import Matrix

#: Added to the curvature of every coefficient: where all is separated there is none.
_DAMPING = 1e-12
#: The share of the expected gain that a step must bring, and where halving it ends.
ARMIJO, _SHORTEST = 1e-4, 1e-10
#: Round-off of the objective.
NOISE = 1e-15


@dataclass(frozen=True)
class Penalty:
    """l1 |b|_1 + l2 |b|^2"""

    l1: float
    l2: float

    def __call__(self, b: Matrix) -> float:
        return self.l1 * float(np.abs(b).sum()) + self.l2 * float(b @ b)

    def centre(self, b: Matrix) -> float:
        """The c for which b - c has the least penalty: of several, the one nearest to 0."""
        levels = np.unique(np.append(b, 0.0))
        # The slope in c just below and just above each level; between levels it is a straight line.
        ridge = 2 * self.l2 * (len(b) * levels - b.sum())
        below = self.l1 * ((b[:, None] < levels).sum(axis=0) - (b[:, None] >= levels).sum(axis=0)) + ridge
        above = self.l1 * ((b[:, None] <= levels).sum(axis=0) - (b[:, None] > levels).sum(axis=0)) + ridge
        least = np.flatnonzero((below <= 0) & (above >= 0))
        if len(least):
            return float(levels[least[np.argmin(np.abs(levels[least]))]])
        i = int(np.flatnonzero(above < 0)[-1])
        return float(levels[i] - above[i] / (2 * self.l2 * len(b)))

    def violation(self, b: Matrix, slope: Matrix) -> float:
        """How far coefficients are from optimal, given the slope of the loss."""
        whole = slope + 2 * self.l2 * b
        off = np.where(b != 0, np.abs(whole + self.l1 * np.sign(b)), np.maximum(np.abs(whole) - self.l1, 0))
        return float(off.max(initial=0.0))


@dataclass(frozen=True)
class Block:
    """One class at a point of the fit.

    x:     [n, s] standardised columns; y: its datapoints int64 [m], or every datapoint's probability [n]
    b, intercept: its coefficients [s]
    shift, sums:  per datapoint, the sum over all classes of exp(logit - shift) is sums
    """

    x: Matrix
    y: NDArray[np.int64] | Matrix
    b: Matrix
    intercept: float
    shift: Matrix
    sums: Matrix

    def step(self, penalty: Penalty, tolerance: float) -> tuple[float, Matrix, float, Matrix] | None:
        """(violation, coefficients, intercept, sums) after one step; None where at most `tolerance` is to be gained."""
        n, logits = len(self.x), self.x @ self.b + self.intercept
        mine = np.exp(logits - self.shift)
        p = mine / self.sums
        of_y, total = self.of_target(self.x)
        slope, level = (p @ self.x - of_y) / n, (float(p.sum()) - total) / n
        violation = max(penalty.violation(self.b, slope), abs(level))
        if violation <= tolerance:
            return None
        change, lift = self.direction(p, slope, level, penalty, tolerance / 10)
        move = self.x @ change + lift
        toward = float(self.of_target(move[:, None])[0][0]) / n
        before = penalty(self.b)
        gain = float(slope @ change) + level * lift + penalty(self.b + change) - before
        share = 1.0
        while share > _SHORTEST:
            now = self.sums - mine + np.exp(logits + share * move - self.shift)
            with np.errstate(divide="ignore", invalid="ignore"):
                loss = float(np.log(now / self.sums).mean()) - share * toward
            if loss + penalty(self.b + share * change) - before <= ARMIJO * share * min(gain, 0.0) + NOISE:
                return violation, self.b + share * change, self.intercept + share * lift, now
            share /= 2
        return violation, self.b, self.intercept, self.sums

    def direction(
        self, p: Matrix, slope: Matrix, level: float, penalty: Penalty, tolerance: float
    ) -> tuple[Matrix, float]:
        """The step in coefficients and intercept that minimises the expansion of the loss, and the penalty."""
        n, w = len(p), p * (1 - p)
        mass = max(float(w.mean()), _DAMPING)
        # The intercept is solved for in closed form, and taken out of the curvature of the others.
        mean = (w @ self.x) / (n * mass)
        curvature = (self.x.T * w) @ self.x / n - mass * np.outer(mean, mean)
        curvature[np.diag_indices(len(mean))] += _DAMPING
        change = -self.b
        if len(mean):
            start = np.flatnonzero(self.b)
            best, values = optimum(
                curvature,
                curvature @ self.b - (slope - mean * level),
                np.ones(len(mean), dtype=bool),
                l1=penalty.l1,
                l2=penalty.l2,
                start=(start, self.b[start]),
                tolerance=tolerance,
            )
            change[best] += values
        return change, -level / mass - float(mean @ change)

    def of_target(self, x: Matrix) -> tuple[Matrix, float]:
        """y'x and the sum of y."""
        if self.y.dtype == np.int64:
            return x[self.y].sum(axis=0), float(len(self.y))
        return self.y @ x, float(self.y.sum())


def columns_of(wanted: NDArray[np.bool_], held: Integers) -> Integers:
    """The columns that are wanted or held."""
    both = wanted.copy()
    both[held] = True
    return np.flatnonzero(both)
