"""Units drawn with replacement, as weights. The same seed draws the same; few replicates are the first of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.statistics.pairable import CountTable, distinct
from analysis_core.statistics.ratings import Floats, Integers

#: Weights that are held at a time (float64: 2 MB), whatever the table.
HELD = 1 << 18
#: Units with equal counts are drawn together where there are so many times fewer different ones: a binomial number
#: costs as long as 10 to 30 drawn units.
GROUPED = 25


@dataclass(frozen=True, eq=False)
class Resampling:
    """How as many units as there are come to be drawn with replacement.

    table: the units that the weights count
    times: None, where they are all units of the table, drawn one by one. Else each stands for so many units with the
           same counts, and how often any of these is drawn comes from the multinomial distribution: the replicates
           have the same distribution as one by one, at less cost.
    """

    table: CountTable
    times: Integers | None

    def batches(self, replicates: int, seed: int, cells: int) -> Iterator[list[Floats]]:
        """Weights float64 [some replicates, units] of all replicates, in lists of blocks of about `cells` weights."""
        rng, units = np.random.default_rng(seed), self.table.units.groups
        rows, step = max(1, HELD // units), max(1, cells // units)
        for first in range(0, replicates, rows):
            many = min(rows, replicates - first)
            if self.times is None:
                drawn = _drawn(rng, many, units)
                yield [weights_of(drawn[begin : begin + step], units) for begin in range(0, many, step)]
            else:
                n = int(self.times.sum())
                yield [rng.multinomial(n, self.times / n, size=many).astype(np.float64)]


def resampling(p: CountTable) -> Resampling:
    """One by one, or in groups of equal units where that is cheaper."""
    rows, times = distinct(p)
    return Resampling(rows, times) if len(times) * GROUPED <= p.units.groups else Resampling(p, None)


def weights_of(drawn: npt.NDArray[np.integer[Any]], units: int) -> Floats:
    """How often each row of draws [replicates, any] has each unit: float64 [replicates, units]."""
    flat = drawn + np.arange(0, len(drawn) * units, units)[:, None]
    return np.bincount(flat.ravel(), minlength=len(drawn) * units).reshape(len(drawn), units).astype(np.float64)


def _drawn(rng: np.random.Generator, replicates: int, units: int) -> npt.NDArray[np.integer[Any]]:
    # 16 bits are quicker, but reject more draws the closer the number of units comes to 65,536 (measured).
    kind = np.uint16 if units < 4096 else np.uint32
    return rng.integers(0, units, size=(replicates, units), dtype=kind)
