"""From weights of units to the parts of alpha, for many replicates at once. replicates.py calls it.

Products of matrices in numpy and scipy. Compiled code (numba) was measured beside them and left out: what it costs and
saves stands in docs/adr/0010-alpha-is-our-own.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis_core.statistics.disagreement import mid_ranks
from analysis_core.statistics.pairable import CountTable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.unit_sums import Parts, UnitSums, count_matrix, ordinal_expected, unit_sums


@dataclass(frozen=True)
class Kernel:
    """sums: weights float64 [replicates, units], how often each replicate has each unit -> [replicates, any]

    parts: such sums -> the parts of alpha of each replicate
    cells: so many weights at a time are quickest (measured)
    """

    sums: Callable[[Floats], Floats]
    parts: Callable[[Floats], Parts]
    cells: int


def kernel_of(p: CountTable) -> Kernel:
    """The kernel that suits level and number of distinct values (at least two)."""
    sums = unit_sums(p)
    return _by_ranks(p) if sums is None else _by_sums(sums)


def _by_sums(sums: UnitSums) -> Kernel:
    """Weights times columns: dense in the cache of a core (256 KB), sparse for many replicates at once."""
    dense = isinstance(sums.columns, np.ndarray)
    return Kernel(lambda weights: weights @ sums.columns, sums.parts, 1 << 15 if dense else 1 << 18)


def _by_ranks(p: CountTable) -> Kernel:
    """Ordinal level with many values: each unit's disagreement at the replicate's ranks.

    q = 2 (m sum n_c s_c^2 - (sum n_c s_c)^2) for the unit's counts n_c, ranks s_c and answers m.
    """
    counts, size = count_matrix(p), p.units.size
    by_value = counts.T.tocsr()
    spread = (count_matrix(p) * (size / (size - 1))[:, None]).T.tocsr()

    def sums(weights: Floats) -> Floats:
        weights = np.ascontiguousarray(weights.T)
        totals = by_value @ weights
        expected, n = ordinal_expected(totals.T)
        # Centred, so that the difference of squares keeps its digits.
        ranks = np.ascontiguousarray(mid_ranks(totals.T).T) - n / 2
        squares = ((spread @ weights) * ranks**2).sum(axis=0)
        once = (weights * (counts @ ranks) ** 2 / (size - 1)[:, None]).sum(axis=0)
        return np.column_stack([2 * (squares - once), expected, n])

    return Kernel(sums, lambda parts: (parts[:, 0], parts[:, 1], parts[:, 2], np.zeros(len(parts))), 1 << 18)
