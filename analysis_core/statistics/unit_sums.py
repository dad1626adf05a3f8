"""What each unit adds to the sums that alpha is made of, and alpha from the sums of many replicates at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis_core.statistics.disagreement import mid_ranks, ratio_distance, scale_of, within
from analysis_core.statistics.pairable import CountTable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.ratio_nodes import ratio_nodes

#: Up to this many columns a dense product costs no more than drawing the units (measured at 15 x 100).
COLUMNS = 64

#: (observed, expected, answers, scale), each float64 [replicates]. Where expected is 0 alpha is undefined; where it is
#: a small share of a positive scale it is a difference of larger sums that has lost digits.
Parts = tuple[Floats, Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class UnitSums:
    """columns: [units, n_columns], float64 or (many values) a sparse matrix: what one unit adds to each sum.

    parts: from sums [replicates, n_columns] over the drawn units
    """

    columns: Any
    parts: Callable[[Floats], Parts]


def unit_sums(p: CountTable) -> UnitSums | None:
    """The sums that suit the level; None at ordinal level with many values, whose disagreement is no fixed sum.

    p: with at least two distinct values
    """
    if p.level == "interval":
        return _interval(p)
    if p.level == "ratio":
        return _ratio(p)
    if p.level == "nominal":
        return _nominal(p)
    pairs = len(p.values) * (len(p.values) - 1) // 2
    return _ordinal(p) if len(p.values) + pairs <= COLUMNS else None


def count_matrix(p: CountTable) -> Any:
    """Value counts of the units as a sparse matrix [units, n_values]."""
    from scipy.sparse import csr_array

    return csr_array((p.units.count, p.units.code, p.units.start), shape=(p.units.groups, len(p.values)))


def _observed(p: CountTable) -> Floats:
    """Of each unit, at levels whose distances do not depend on the replicate."""
    _, q = within(p.units, p.level, scale_of(p, p.totals))
    return q / (p.units.size - 1)


def _with_column(matrix: Any, column: Floats) -> Any:
    """Sparse matrix and one more column; dense where that is small."""
    from scipy.sparse import hstack

    joined = hstack([matrix, column[:, None]], format="csr")
    return np.asfortranarray(joined.toarray()) if joined.shape[1] <= COLUMNS else joined


def _nominal(p: CountTable) -> UnitSums:
    def parts(sums: Floats) -> Parts:
        totals = sums[:, :-1]
        n = totals.sum(axis=1)
        return sums[:, -1], (totals * (n[:, None] - totals)).sum(axis=1), n, np.zeros(len(n))

    return UnitSums(_with_column(count_matrix(p), _observed(p)), parts)


def _interval(p: CountTable) -> UnitSums:
    """sum_ck n_c n_k (s_c - s_k)^2 = 2 (n sum n_c s_c^2 - (sum n_c s_c)^2)."""
    place = scale_of(p, p.totals)[p.units.code]
    first, second = p.units.sums(p.units.count * place), p.units.sums(p.units.count * place**2)

    def parts(sums: Floats) -> Parts:
        n, once, twice = sums[:, 0], sums[:, 1], sums[:, 2]
        return sums[:, 3], 2 * (n * twice - once**2), n, 2 * n * twice

    return UnitSums(np.asfortranarray(np.column_stack([p.units.size, first, second, _observed(p)])), parts)


def _ratio(p: CountTable) -> UnitSums:
    """Distances between values, or (many values) between the nodes that stand for them."""
    scale = scale_of(p, p.totals)
    exact = len(scale) < COLUMNS
    nodes = None if exact else ratio_nodes(scale)
    distances = ratio_distance(scale[:, None], scale) if nodes is None else nodes.distances()
    placed = count_matrix(p) if nodes is None else count_matrix(p) @ nodes.matrix()

    def parts(sums: Floats) -> Parts:
        placed, n = sums[:, 1:-1], sums[:, 0]
        expected = ((placed @ distances) * placed).sum(axis=1)
        return sums[:, -1], expected, n, np.zeros(len(n)) if exact else n**2

    return UnitSums(np.asfortranarray(np.column_stack([p.units.size, placed.toarray(), _observed(p)])), parts)


def _ordinal(p: CountTable) -> UnitSums:
    """Totals, and the coincidences of each pair of values: the ranks follow from the totals of the replicate."""
    counts = count_matrix(p).toarray()
    low, high = np.triu_indices(len(p.values), 1)
    coincidences = counts[:, low] * counts[:, high] / (p.units.size - 1)[:, None]
    values = len(p.values)

    def parts(sums: Floats) -> Parts:
        totals = sums[:, :values]
        ranks = mid_ranks(totals)
        observed = 2 * (sums[:, values:] * (ranks[:, high] - ranks[:, low]) ** 2).sum(axis=1)
        expected, n = ordinal_expected(totals)
        return observed, expected, n, np.zeros(len(n))

    return UnitSums(np.asfortranarray(np.column_stack([counts, coincidences])), parts)


def ordinal_expected(totals: Floats) -> tuple[Floats, Floats]:
    """(sum_ck n_c n_k (s_c - s_k)^2, n) over mid-ranks s of each row of totals: n / 6 (n^3 - sum n_c^3)."""
    n = totals.sum(axis=1)
    whole = n[:, None]
    return n / 6 * (totals * (whole - totals) * (whole + totals)).sum(axis=1), n
