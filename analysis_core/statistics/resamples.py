"""Units drawn with replacement, as weights. The same seed draws the same; few replicates are the first of many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.statistics.pairable import CountTable, distinct
from analysis_core.statistics.ratings import Floats, Integers

#: Units, draws or how often each is drawn: integers of some kind.
Drawn = npt.NDArray[np.integer[Any]]

#: Numbers that are drawn at a time, whatever the table. Another number would give other replicates.
HELD = 1 << 18
#: Numbers that are counted at a time: what is laid out for them stays in the cache of a core.
COUNTED = 1 << 15
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

    def batches(self, replicates: int, seed: int) -> Iterator[Drawn]:
        """How often each replicate has each unit: [some replicates, units] at a time, all replicates in turn."""
        rng, units = np.random.default_rng(seed), self.table.units.groups
        rows = max(1, HELD // units)
        sizes = (min(rows, replicates - first) for first in range(0, replicates, rows))
        if self.times is None:
            yield from (_counted(_drawn(rng, size, units), units) for size in sizes)
        else:
            n = int(self.times.sum())
            yield from (rng.multinomial(n, self.times / n, size=size) for size in sizes)


def resampling(p: CountTable) -> Resampling:
    """One by one, or in groups of equal units where that is cheaper."""
    rows, times = distinct(p)
    return Resampling(rows, times) if len(times) * GROUPED <= p.units.groups else Resampling(p, None)


def weights_of(drawn: Drawn, units: int) -> Floats:
    """How often each row of draws [replicates, any] has each unit: float64 [replicates, units]."""
    return _counted(drawn, units).astype(np.float64)


def _counted(drawn: Drawn, units: int) -> Drawn:
    """Of each row: the draws as the columns of a sparse row of ones. Where it is made dense, equal columns add up.

    At most a third of the time of bincount, which reads and writes eight bytes per number (measured at 15 x 100).
    """
    from scipy.sparse import csr_array

    replicates, draws = drawn.shape
    # No unit is drawn more often than there are draws: up to 255 one byte is enough.
    counts = np.empty((replicates, units), np.min_scalar_type(draws))
    step = min(replicates, max(1, COUNTED // draws))
    ones, starts = np.ones(step * draws, counts.dtype), np.arange(0, step * draws + 1, draws, dtype=np.int32)
    for first in range(0, replicates, step):
        block, some = counts[first : first + step], drawn[first : first + step]
        columns = some.ravel().astype(np.int32)
        csr_array((ones[: some.size], columns, starts[: len(some) + 1]), shape=block.shape).toarray(out=block)
    return counts


def _drawn(rng: np.random.Generator, replicates: int, units: int) -> Drawn:
    # 16 bits are quicker, but reject more draws the closer the number of units comes to 65,536 (measured).
    kind = np.uint16 if units < 4096 else np.uint32
    return rng.integers(0, units, size=(replicates, units), dtype=kind)
