"""The exact regularisation path of one gaussian elastic net by homotopy, on Gram matrices, also where columns tie.

Minimises 1/2 b'Gb - c'b + l1 |b|_1 + l2 |b|^2 for all l1 from the largest down. Between knots b is linear in l1; at
a knot columns enter (their correlation with the residual reaches l1) or leave (their coefficient reaches 0). Where
several do so at once, the direction of the next stretch is a small quadratic programme with signs, solved as one.
homotopy_batch.py walks many targets at once and hands over to this what is not generic.
Source: Osborne, Presnell & Turlach 2000; Efron et al. 2004 (LARS with the lasso modification); Lawson & Hanson 1974.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_core.stages.active_set import Flags, Integers, optimum, refined, steepest
from analysis_core.stages.gram import Matrix

#: Below this share of the first knot the path ends: only round-off is left to explain.
FLOOR = 5e-10
#: Correlations closer to l1 than this share of the first knot have reached it.
TIE = 1e-12
#: A knot that violates optimality by more than this share of the first knot is solved again on its own ...
_REPAIR = 1e-11
#: ... and if even that leaves more than this, round-off has won (condition numbers beyond 1e10): the path ends before.
EXACT = 5e-10
#: Columns may leave and enter again; a path that takes more steps than this is cut short, exact as far as it goes.
STEPS_PER_COLUMN = 20


@dataclass(frozen=True)
class Path:
    """One target's path.

    knots:        [m] falling values of l1, the first the smallest at which all coefficients are 0
    support:      int64 [s] columns that are non-zero somewhere on the path, ascending
    coefficients: [m, s] at the knots, on standardised columns
    violation:    the largest violation of the optimality conditions at any knot, as a share of the first one
    cut:          whether it ends early, because round-off left no exact next knot
    """

    knots: Matrix
    support: Integers
    coefficients: Matrix
    violation: float
    cut: bool = False


def solve(gram: Matrix, cross: Matrix, usable: Flags, *, l2: float, most: int) -> Path:
    """The path of one target until `most` columns are non-zero and one more would enter, or l1 = 0.

    gram: [d, d] correlations; cross: [d]; usable: bool [d], columns that may enter
    """
    walk = _Walk(gram, np.where(usable, cross, 0.0), usable, l2)
    knots, cut, worst = [walk.knot()], True, 0.0
    for _ in range(STEPS_PER_COLUMN * (most + 1)):
        before = walk.columns
        if not walk.turn(most):
            cut = False
            break
        # A column that depends on the active ones may reach l1 and stay 0: the stretch goes straight on.
        if len(knots) > 1 and np.array_equal(before, walk.columns):
            knots.pop()
        walk.go()
        wrong = walk.wrong() / walk.first
        if wrong > EXACT or len(walk.active) > most:
            break
        worst = max(worst, wrong)
        # Several columns may enter or leave at one level: a single knot.
        if walk.level < knots[-1][0]:
            knots.append(walk.knot())
    levels, columns, rows = zip(*knots, strict=True)
    support = np.unique(np.concatenate(columns))
    coefficients = np.zeros((len(levels), len(support)))
    for row, values, at in zip(coefficients, rows, columns, strict=True):
        row[np.searchsorted(support, at)] = values
    return Path(np.array(levels), support, coefficients, worst, cut)


class _Walk:
    """The state at a knot: l1 (`level`), the non-zero columns with their coefficients, all correlations."""

    def __init__(self, gram: Matrix, cross: Matrix, usable: Flags, l2: float) -> None:
        self.gram, self.cross, self.usable, self.l2 = gram, cross, usable, l2
        self.first = self.level = float(np.abs(cross).max(initial=0.0))
        self.active: Integers = np.zeros(0, dtype=np.int64)
        self.coefficients: Matrix = np.zeros(0)
        self.correlations = cross
        # The next stretch: its columns with their signs, and how fast their coefficients grow as l1 falls.
        self.columns, self.signs, self.slopes = self.active, np.zeros(0), np.zeros(0)
        # Columns at l1 whose coefficient is 0, and those of them that this is known of, round-off or not.
        self.edge: Integers = np.zeros(0, dtype=np.int64)
        self.arrived: Integers = np.zeros(0, dtype=np.int64)

    def knot(self) -> tuple[float, Integers, Matrix]:
        """What is recorded of a knot: l1, the non-zero columns and their coefficients."""
        return self.level, self.active, self.coefficients

    def turn(self, most: int) -> bool:
        """Find the direction of the next stretch; False where the path ends."""
        if self.level <= FLOOR * self.first:
            return False
        at_level = self.usable & (np.abs(self.correlations) >= self.level - TIE * self.first)
        at_level[self.arrived] = True
        at_level[self.active] = False
        self.edge = np.flatnonzero(at_level)
        self.columns = np.concatenate([self.active, self.edge])
        self.signs = np.sign(np.concatenate([self.coefficients, self.correlations[self.edge]]))
        system = self.system(self.columns) * np.outer(self.signs, self.signs)
        slopes = steepest(system, free=len(self.active))
        moving = slopes != 0
        moving[: len(self.active)] = True
        self.columns, self.signs = self.columns[moving], self.signs[moving]
        self.slopes = self.signs * slopes[moving]
        return 0 < len(self.columns) <= most

    def system(self, columns: Integers) -> Matrix:
        """G + 2 l2 on some columns."""
        return self.gram[np.ix_(columns, columns)] + 2 * self.l2 * np.eye(len(columns))

    def go(self) -> None:
        """Walk to the next knot."""
        step, self.arrived = self.reach()
        before = np.zeros(len(self.columns))
        before[: len(self.active)] = self.coefficients
        with np.errstate(divide="ignore", invalid="ignore"):
            zero_after = np.where(before * self.slopes < 0, -before / self.slopes, np.inf)
        leaves = float(zero_after.min(initial=np.inf))
        if leaves < step * (1 - TIE):
            step, self.arrived = leaves, self.arrived[:0]
        self.level -= step
        if self.level <= FLOOR * self.first:
            self.level = 0.0
        self._settle(before + step * self.slopes, zero_after > step * (1 + TIE))
        self._correlate()
        if self.wrong() > _REPAIR * self.first:
            tolerance = _REPAIR * self.first
            self.active, self.coefficients = optimum(
                self.gram,
                self.cross,
                self.usable,
                l1=self.level,
                l2=self.l2,
                start=(self.active, self.coefficients),
                tolerance=tolerance,
            )
            self._correlate()
            self.arrived = self.arrived[:0]

    def _correlate(self) -> None:
        self.correlations = self.cross - self.coefficients @ self.gram[self.active]
        self.correlations[self.active] -= 2 * self.l2 * self.coefficients

    def wrong(self) -> float:
        """How far this knot is from optimal: round-off, unless strong copies hid a column that should have entered."""
        beyond = np.abs(self.correlations) - self.level
        beyond[self.active] = np.abs(self.correlations[self.active] - self.level * np.sign(self.coefficients))
        return float(beyond[self.usable].max(initial=0.0))

    def _settle(self, b: Matrix, stays: Flags) -> None:
        """The coefficients at `level` from those that the stretch leads to; nothing adds up along the path."""
        while True:
            columns, signs = self.columns[stays], self.signs[stays]
            system = self.system(columns)
            found = b[stays] + refined(system, self.cross[columns] - self.level * signs - system @ b[stays])
            # A sign other than the stretch's is round-off of a coefficient that is 0: the others are solved without it.
            wrong = signs * found <= 0
            if not wrong.any():
                break
            stays[np.flatnonzero(stays)[wrong]] = False
        self.arrived = np.concatenate([self.arrived, self.columns[~stays]])
        self.active, self.coefficients = columns, found

    def reach(self) -> tuple[float, Integers]:
        """How far l1 falls until another column's correlation is as large, and that column."""
        falls = self.slopes @ self.gram[self.columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            up = np.where(falls < 1, (self.level - self.correlations) / (1 - falls), np.inf)
            down = np.where(falls > -1, (self.level + self.correlations) / (1 + falls), np.inf)
        # Columns at l1 that stay 0 fall at least as fast: only on the other side can they meet it again.
        signs = np.sign(self.correlations[self.edge])
        up[self.edge[signs > 0]] = np.inf
        down[self.edge[signs < 0]] = np.inf
        after = np.minimum(up, down)
        after[~self.usable] = np.inf
        after[self.columns] = np.inf
        j = int(np.argmin(after))
        if after[j] >= self.level:
            return self.level, np.zeros(0, dtype=np.int64)
        return max(float(after[j]), 0.0), np.array([j], dtype=np.int64)


def violation(path: Path, gram: Matrix, cross: Matrix, usable: Flags, *, l2: float) -> float:
    """The largest violation of the optimality conditions over all knots, as a share of the first knot."""
    if not len(path.knots) or path.knots[0] == 0:
        return 0.0
    residual = cross[:, None] - gram[path.support].T @ path.coefficients.T
    wrong = np.maximum(np.abs(residual) - path.knots, 0)
    b = path.coefficients.T
    at_b = residual[path.support] - 2 * l2 * b
    wrong[path.support] = np.where(b != 0, np.abs(at_b - path.knots * np.sign(b)), wrong[path.support])
    return float(wrong[usable].max() / path.knots[0])
