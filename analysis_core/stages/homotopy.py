"""The exact regularisation path of one gaussian elastic net by homotopy, on Gram matrices.

Minimises 1/2 b'Gb - c'b + l1 |b|_1 + l2 |b|^2 for all l1 from the largest down. Between knots b is linear in l1; at a
knot a column enters (its correlation with the residual reaches l1) or leaves (its coefficient reaches 0).
Source: Osborne, Presnell & Turlach 2000; Efron et al. 2004 (LARS with the lasso modification).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis_core.stages.gram import Matrix

#: Below this share of the first knot the path ends: only round-off is left to explain.
_FLOOR = 1e-10
#: A column whose part outside the span of the active ones has less variance than this adds nothing.
_DEPENDENT = 1e-12
#: Levels closer than this share are one level.
_TIE = 1e-13
#: Columns may leave and enter again; a path that takes more steps than this is cut short, exact as far as it goes.
_STEPS_PER_COLUMN = 20


@dataclass(frozen=True)
class Path:
    """One target's path.

    knots:        [m] falling values of l1, the first the smallest at which all coefficients are 0
    support:      int64 [s] columns that are non-zero somewhere on the path, ascending
    coefficients: [m, s] at the knots, on standardised columns
    """

    knots: Matrix
    support: NDArray[np.int64]
    coefficients: Matrix


def solve(gram: Matrix, cross: Matrix, usable: NDArray[np.bool_], *, l2: float, most: int) -> Path:
    """The path of one target until `most` columns are non-zero and one more would enter, or l1 = 0.

    gram: [d, d] correlations; cross: [d]; usable: bool [d], columns that may enter
    """
    walk = _Walk(gram, cross, usable, l2)
    knots, rows = [walk.level], [np.zeros(0)]
    active_at = [np.zeros(0, dtype=np.int64)]
    for _ in range(_STEPS_PER_COLUMN * (most + 1)):
        if walk.finished:
            break
        walk.step(most)
        # Several columns may enter or leave at one level: a single knot.
        if walk.level < knots[-1]:
            knots.append(walk.level)
            rows.append(walk.coefficients)
            active_at.append(walk.columns)
    support = np.unique(np.concatenate(active_at))
    coefficients = np.zeros((len(knots), len(support)))
    for row, values, columns in zip(coefficients, rows, active_at, strict=True):
        row[np.searchsorted(support, columns)] = values
    return Path(np.array(knots), support, coefficients)


class _Walk:
    """The state between two knots: the active columns with their signs, and l1 (`level`)."""

    def __init__(self, gram: Matrix, cross: Matrix, usable: NDArray[np.bool_], l2: float) -> None:
        self.gram, self.cross, self.l2 = gram, cross, l2
        self.usable = usable
        # (column, sign) that cannot enter on the next stretch: dependent on the active ones, or just left so.
        self.barred: set[tuple[int, float]] = set()
        first = int(np.argmax(np.where(usable, np.abs(cross), -1.0)))
        self.level = float(abs(cross[first])) if usable.any() else 0.0
        self.floor = _FLOOR * self.level
        self.active: list[int] = [first] if self.level > 0 else []
        self.signs: list[float] = [float(np.sign(cross[first]))] if self.level > 0 else []
        self.coefficients = np.zeros(0)
        self.columns = np.zeros(0, dtype=np.int64)
        self.finished = not self.active

    def step(self, most: int) -> None:
        """Go to the next knot; `columns` and `coefficients` are those there."""
        at, signs = np.array(self.active, dtype=np.int64), np.array(self.signs)
        rows = self.gram[at]
        system = rows[:, at] + 2 * self.l2 * np.eye(len(at))
        # On this stretch b = u - l1 w, and the correlations of the others with the residual are p + l1 q.
        u, w = np.linalg.solve(system, np.stack([self.cross[at], signs], axis=1)).T
        entering, enters_at, sign = self._next_entry(at, self.cross - u @ rows, w @ rows)
        leaving, leaves_at = self._next_exit(signs, u, w)
        level = max(enters_at, leaves_at, 0.0)
        if level < self.level * (1 - _TIE):
            self.level = level if level > self.floor else 0.0
            b = u - self.level * w
            # A sign other than the active one is round-off of a coefficient that is 0.
            self.coefficients, self.columns = np.where(signs * b > 0, b, 0.0), at
            self.barred.clear()
        if self.level == 0.0:
            self.finished = True
        elif leaves_at >= enters_at:
            self._drop(leaving)
        elif len(at) >= most:
            self.finished = True
        else:
            self._add(entering, sign, system)

    def _next_entry(self, at: NDArray[np.int64], p: Matrix, q: Matrix) -> tuple[int, float, float]:
        """The column whose correlation next reaches +-l1: (column, l1, sign)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            # Only those that would leave the band |p + l1 q| <= l1 as l1 falls can enter.
            up = np.where(q < 1, p / (1 - q), -np.inf)
            down = np.where(q > -1, -p / (1 + q), -np.inf)
        for column, barred in self.barred:
            (up if barred > 0 else down)[column] = -np.inf
        levels = np.maximum(up, down)
        levels[at] = -np.inf
        levels[~self.usable] = -np.inf
        # Round-off may put a tied column a hair above the present level.
        levels = np.minimum(levels, self.level)
        j = int(np.argmax(levels))
        return j, float(levels[j]), 1.0 if up[j] >= down[j] else -1.0

    def _next_exit(self, signs: Matrix, u: Matrix, w: Matrix) -> tuple[int, float]:
        """The active column whose coefficient next reaches 0: (position, l1)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            levels = np.where(signs * w < 0, u / w, -np.inf)
        levels = np.minimum(levels, self.level)
        i = int(np.argmax(levels))
        return i, float(levels[i])

    def _drop(self, position: int) -> None:
        self.coefficients[self.columns == self.active[position]] = 0.0
        self.barred.add((self.active[position], self.signs[position]))
        del self.active[position], self.signs[position]
        self.finished = not self.active

    def _add(self, column: int, sign: float, system: Matrix) -> None:
        inner = self.gram[self.active, column]
        outside = 1 + 2 * self.l2 - inner @ np.linalg.solve(system, inner)
        if outside <= _DEPENDENT:
            self.barred |= {(column, 1.0), (column, -1.0)}
        else:
            self.active.append(column)
            self.signs.append(sign)


def violation(path: Path, gram: Matrix, cross: Matrix, usable: NDArray[np.bool_], *, l2: float) -> float:
    """The largest violation of the optimality conditions over all knots, as a share of the first knot."""
    if not len(path.knots) or path.knots[0] == 0:
        return 0.0
    residual = cross[:, None] - gram[:, path.support] @ path.coefficients.T
    dense = np.zeros_like(residual)
    dense[path.support] = path.coefficients.T
    residual -= 2 * l2 * dense
    wrong = np.where(
        dense != 0, np.abs(residual - path.knots * np.sign(dense)), np.maximum(np.abs(residual) - path.knots, 0)
    )
    return float(wrong[usable].max() / path.knots[0])
