"""From drawn units to the parts of alpha, for many replicates at once.

Products of matrices in numpy and scipy: a compiled kernel (numba) was measured beside them on one core and left out. It
takes 3.3 ms where these take 5.0 (15 x 100, interval), as long on large sparse tables, and 0.7 s to compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from analysis_core.statistics.disagreement import mid_ranks
from analysis_core.statistics.pairable import Pairable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.unit_sums import Parts, UnitSums, count_matrix, ordinal_expected, unit_sums

#: Drawn units [replicates, units] -> the parts of alpha of each replicate.
Kernel = Callable[[Any], Parts]

#: Drawn units counted at a time: the counts stay in the cache of a core (256 KB; 64 KB and 1 MB were slower).
CELLS = 1 << 15


def kernel_of(p: Pairable) -> Kernel:
    """The kernel that suits level and number of distinct values (at least two)."""
    sums = unit_sums(p)
    return _by_ranks(p) if sums is None else _by_sums(sums, p.units.groups)


def weights_of(drawn: Any, units: int) -> Floats:
    """How often each replicate has each unit: float64 [replicates, units]."""
    flat = drawn + np.arange(0, len(drawn) * units, units)[:, None]
    return np.bincount(flat.ravel(), minlength=len(drawn) * units).reshape(len(drawn), units).astype(np.float64)


def _by_sums(sums: UnitSums, units: int) -> Kernel:
    """Weights times columns."""
    dense = isinstance(sums.columns, np.ndarray)

    def kernel(drawn: Any) -> Parts:
        # A sparse product is quick where it serves many replicates at once.
        rows = max(1, CELLS // units) if dense else len(drawn)
        blocks = (drawn[first : first + rows] for first in range(0, len(drawn), rows))
        return sums.parts(np.concatenate([weights_of(block, units) @ sums.columns for block in blocks]))

    return kernel


def _by_ranks(p: Pairable) -> Kernel:
    """Ordinal level with many values: each unit's disagreement at the replicate's ranks.

    q = 2 (m sum n_c s_c^2 - (sum n_c s_c)^2) for the unit's counts n_c, ranks s_c and answers m.
    """
    counts, size = count_matrix(p), p.units.size
    by_value = counts.T.tocsr()
    spread = (count_matrix(p) * (size / (size - 1))[:, None]).T.tocsr()

    def kernel(drawn: Any) -> Parts:
        weights = np.ascontiguousarray(weights_of(drawn, len(size)).T)
        totals = by_value @ weights
        expected, n = ordinal_expected(totals.T)
        # Centred, so that the difference of squares keeps its digits.
        ranks = np.ascontiguousarray(mid_ranks(totals.T).T) - n / 2
        squares = ((spread @ weights) * ranks**2).sum(axis=0)
        sums = (weights * (counts @ ranks) ** 2 / (size - 1)[:, None]).sum(axis=0)
        return 2 * (squares - sums), expected, n, np.zeros(len(n))

    return kernel
