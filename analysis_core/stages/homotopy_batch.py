"""The paths of many targets on one Gram matrix: blocks of them walk knot by knot together. prediction.py calls it.

The steps are those of homotopy.py where one column enters or leaves at a time. Correlations with the residual go along
and are checked at each knot; a target whose path ties, or is not optimal to round-off, is left to homotopy.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from analysis_core.stages import homotopy
from analysis_core.stages.active_set import DEPENDENT, Flags, Integers
from analysis_core.stages.gram import Matrix
from analysis_core.stages.homotopy import FLOOR, STEPS_PER_COLUMN, TIE, Path

#: Targets that walk together: few enough for their correlations to stay in a core's cache, measured at 768 columns.
BLOCK = 128
#: A knot that violates optimality by more than this share of the first one sends its target to homotopy.py.
_ROUND_OFF = 1e-11
#: Round-off of correlations, as a share of the first knot.
_ABOVE = 1e-14


def solve_all(gram: Matrix, cross: Matrix, usable: Flags, *, l2: float, most: int, threads: int = 1) -> list[Path]:
    """One path per target, as homotopy.solve gives them; the same for any number of threads.

    gram: [d, d] correlations, 0 in rows and columns that are not usable; cross: [d, K]; usable: bool [d]
    """
    targets = np.ascontiguousarray(np.where(usable[:, None], cross, 0.0).T)

    def block(start: int) -> list[Path]:
        walked = _Block(gram, targets[start : start + BLOCK], l2, most).paths()
        return [
            path or homotopy.solve(gram, target, usable, l2=l2, most=most)
            for path, target in zip(walked, targets[start : start + BLOCK], strict=True)
        ]

    with ThreadPoolExecutor(threads) as pool:
        return [path for part in pool.map(block, range(0, len(targets), BLOCK)) for path in part]


class _Block:
    """Some targets, each with `most` slots for its active columns; an empty slot has sign 0.

    `who` are the targets that still walk, and the rows of all other arrays; no slot from `used` on is filled.
    """

    def __init__(self, gram: Matrix, cross: Matrix, l2: float, most: int) -> None:
        self.gram, self.l2, self.most = gram, l2, min(most, len(gram))
        self.first = np.abs(cross).max(axis=1, initial=0.0)
        self.odd, self.violation = np.zeros(len(cross), dtype=bool), np.zeros(len(cross))
        # Per step: the targets and their l1, then of all non-zero coefficients the target, column and value.
        self.levels: list[tuple[Integers, Matrix]] = []
        self.entries: list[tuple[Integers, Integers, Matrix]] = []
        self.who = np.flatnonzero(self.first > 0)
        self.correlation, self.level = cross[self.who], self.first[self.who]
        shape = len(self.who), self.most
        self.column, self.sign, self.b = np.zeros(shape, dtype=np.int64), np.zeros(shape), np.zeros(shape)
        # The active columns' part of G + 2 l2, and its inverse; 0 in the rows and columns of empty slots.
        self.system, self.inverse, self.used = np.zeros((*shape, self.most)), np.zeros((*shape, self.most)), 0
        self.scratch = np.empty((3, len(self.who), len(gram)))
        every = np.ones(len(self.who), dtype=bool)
        self.ended = ~every
        entering = np.abs(self.correlation).argmax(axis=1)
        self._enter(every, entering, np.sign(self.correlation[np.arange(len(self.who)), entering]))

    def paths(self) -> list[Path | None]:
        """Walk until every target has ended; per target its path, or None where it is odd."""
        for _ in range(STEPS_PER_COLUMN * (self.most + 1)):
            if not len(self.who):
                break
            self._step()
        self.odd[self.who] = True
        return list(self._assembled())

    def _step(self) -> None:
        """Check the knot where each target is, then walk to its next one."""
        first = self.first[self.who]
        wrong = self._wrong()
        self.violation[self.who] = np.maximum(self.violation[self.who], wrong / first)
        slope = self._slopes()
        fall = self._product(slope)
        enters, column, sign = self._entry(fall)
        leaves, slot = self._exit(slope)
        step = np.minimum(enters, leaves)
        # Ties, and columns that would move against their sign, need more than one column at a time.
        backwards = ((self.b == 0) & (slope * self.sign < 0)).any(axis=1)
        odd = (wrong > _ROUND_OFF * first) | (~self.ended & ((step <= TIE * first) | backwards))
        gone = odd | self.ended
        self.odd[self.who[odd]] = True
        self.level, step = self._walked(np.minimum(step, self.level), first)
        self.b += step[:, None] * slope
        fall *= step[:, None]
        self.correlation -= fall
        out = (leaves <= enters) & (self.level > 0) & ~gone
        self.b[out, slot[out]] = 0.0
        self._record(~gone)
        self.ended = (self.level == 0) | (~out & (self.sign != 0).all(axis=1))
        self._leave(out, slot)
        dependent = self._enter(~out & ~self.ended & ~gone, column, sign)
        self.odd[self.who[dependent]] = True
        self._keep(~gone & ~dependent)

    def _walked(self, step: Matrix, first: Matrix) -> tuple[Matrix, Matrix]:
        """l1 after a step, and the step; the last one goes all the way to 0."""
        step = np.where(self.level - step <= FLOOR * first, self.level, step)
        return self.level - step, step

    def _slopes(self) -> Matrix:
        """How fast coefficients grow as l1 falls: H w = sign, solved by the inverse and refined once."""
        used, sign = self.used, self.sign[:, : self.used, None]
        inverse, system = self.inverse[:, :used, :used], self.system[:, :used, :used]
        found = np.matmul(inverse, sign)
        found += np.matmul(inverse, sign - np.matmul(system, found))
        slope = np.zeros_like(self.b)
        slope[:, :used] = found[:, :, 0]
        return slope

    def _product(self, values: Matrix) -> Matrix:
        """(G + 2 l2) times coefficients in slots: [t, d]."""
        rows, slots = np.nonzero(self.sign)
        columns, filled = self.column[rows, slots], values[rows, slots]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(values)))])
        shape = len(values), len(self.gram)
        product: Matrix = sparse.csr_matrix((filled, columns, starts), shape=shape) @ self.gram
        if self.l2:
            product[rows, columns] += 2 * self.l2 * filled
        return product

    def _wrong(self) -> Matrix:
        """How far each target's knot is from optimal [t]."""
        correlation = self.correlation
        beyond = np.maximum(correlation.max(axis=1), -correlation.min(axis=1)) - self.level
        at = np.take_along_axis(correlation, self.column, axis=1)
        off = np.where(self.sign != 0, np.abs(at - self.level[:, None] * self.sign), 0.0)
        return np.maximum(beyond, off.max(axis=1))

    def _entry(self, fall: Matrix) -> tuple[Matrix, Integers, Matrix]:
        """How far l1 falls until the next column's correlation is as large, that column, and its sign."""
        rows = np.arange(len(self.who))
        # A little above l1, so that round-off of a column that has just left does not count as an entry.
        level = (self.level + _ABOVE * self.first[self.who])[:, None]
        # Reciprocals: the largest comes next, and a column that never meets l1 is negative.
        up, down, room = self.scratch[:, : len(rows)]
        np.subtract(1, fall, out=up)
        np.add(1, fall, out=down)
        np.subtract(level, self.correlation, out=room)
        # At l1 = 0, where a path has ended, nothing is meant by the quotients.
        with np.errstate(divide="ignore", invalid="ignore"):
            up /= room
            down /= np.add(level, self.correlation, out=room)
        speed = np.maximum(up, down, out=room)
        at, slots = np.nonzero(self.sign)
        speed[at, self.column[at, slots]] = -np.inf
        column = speed.argmax(axis=1)
        fastest = speed[rows, column]
        enters = np.divide(1, fastest, out=np.full(len(rows), np.inf), where=fastest > 0)
        return enters, column, np.where(up[rows, column] >= down[rows, column], 1.0, -1.0)

    def _exit(self, slope: Matrix) -> tuple[Matrix, Integers]:
        """How far l1 falls until the next coefficient is 0, and its slot."""
        after = np.divide(-self.b, slope, out=np.full_like(slope, np.inf), where=self.b * slope < 0)
        slot = after.argmin(axis=1)
        return after[np.arange(len(after)), slot], slot

    def _enter(self, into: Flags, column: Integers, sign: Matrix) -> Flags:
        """Give a column a slot and a row in the inverse, in some targets; True where it depends on the active ones."""
        slot = (self.sign == 0).argmax(axis=1)
        used = self.used = max(self.used, int(slot[into].max(initial=-1)) + 1)
        inner = np.where(self.sign[:, :used] != 0, self.gram[column[:, None], self.column[:, :used]], 0.0)
        v = np.matmul(self.inverse[:, :used, :used], inner[:, :, None])[:, :, 0]
        outside = self.gram[column, column] + 2 * self.l2 - (inner * v).sum(axis=1)
        dependent = into & (outside <= DEPENDENT)
        rows = np.flatnonzero(into & ~dependent)
        self.system[rows, slot[rows], :used], self.system[rows, :used, slot[rows]] = inner[rows], inner[rows]
        self.system[rows, slot[rows], slot[rows]] = self.gram[column[rows], column[rows]] + 2 * self.l2
        v[rows, slot[rows]] = -1.0
        share = np.where(into & ~dependent, 1 / np.where(outside > DEPENDENT, outside, 1.0), 0.0)
        self._add(v, share)
        at = rows, slot[rows]
        self.column[at], self.sign[at], self.b[at] = column[rows], sign[rows], 0.0
        return np.asarray(dependent)

    def _leave(self, out: Flags, slot: Integers) -> None:
        """Empty slots of some targets, and take their rows out of the inverse."""
        rows = np.flatnonzero(out)
        if not len(rows):
            return
        inverse, each, at = self.inverse[rows], np.arange(len(rows)), slot[rows]
        v = inverse[each, at]
        inverse -= (v / v[each, at][:, None])[:, :, None] * v[:, None, :]
        inverse[each, at], inverse[each, :, at] = 0.0, 0.0
        self.inverse[rows], self.sign[rows, at] = inverse, 0.0
        self.system[rows, at], self.system[rows, :, at] = 0.0, 0.0

    def _add(self, v: Matrix, share: Matrix) -> None:
        """Add share v v' to each target's inverse."""
        part = self.inverse[:, : self.used, : self.used]
        part += (v * share[:, None])[:, :, None] * v[:, None, :]

    def _record(self, kept: Flags) -> None:
        rows, slots = np.nonzero((self.b != 0) & (self.sign != 0) & kept[:, None])
        self.levels.append((self.who[kept], self.level[kept]))
        self.entries.append((self.who[rows], self.column[rows, slots], self.b[rows, slots]))

    def _keep(self, rows: Flags) -> None:
        if rows.all():
            return
        self.who, self.level = self.who[rows], self.level[rows]
        self.column, self.sign, self.b = self.column[rows], self.sign[rows], self.b[rows]
        self.inverse, self.system = self.inverse[rows], self.system[rows]
        self.correlation, self.ended = self.correlation[rows], self.ended[rows]

    def _assembled(self) -> Iterator[Path | None]:
        if not self.levels:
            yield from (None for _ in self.odd)
            return
        targets, levels = (np.concatenate(parts) for parts in zip(*self.levels, strict=True))
        levels = levels[np.argsort(targets, kind="stable")]
        steps = np.repeat(np.arange(1, len(self.entries) + 1), [len(values) for *_, values in self.entries])
        who, columns, values = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        order = np.argsort(who, kind="stable")
        steps, columns, values = steps[order], columns[order], values[order]
        every = np.arange(len(self.odd) + 1)
        knots, entries = np.searchsorted(np.sort(targets), every), np.searchsorted(who[order], every)
        for k, odd in enumerate(self.odd.tolist()):
            part = slice(entries[k], entries[k + 1])
            support, places = np.unique(columns[part], return_inverse=True)
            rising = np.concatenate([self.first[k : k + 1], levels[knots[k] : knots[k + 1]]])
            coefficients = np.zeros((len(rising), len(support)))
            coefficients[steps[part], places] = values[part]
            yield None if odd else Path(rising, support, coefficients, violation=float(self.violation[k]))
