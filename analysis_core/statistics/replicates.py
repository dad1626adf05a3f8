"""Alpha of thousands of tables whose items are drawn anew from one table: the bootstrap of alpha.

Alpha is made of sums over units, so a resample costs one row of a product of weights and what each unit adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.crossed_replicates import bootstrap_alphas_both
from analysis_core.statistics.disagreement import weighted_alpha
from analysis_core.statistics.kernels import kernel_of
from analysis_core.statistics.pairable import Pairable, pairable
from analysis_core.statistics.ratings import Floats

__all__ = ["bootstrap_alphas", "bootstrap_alphas_both", "draws"]

Draws = npt.NDArray[np.integer[Any]]

#: Units drawn at a time, which bounds memory: some MB, whatever the table.
DRAWN = 1 << 18
#: Where less than this share of its terms is left of a difference of sums, a replicate is computed from scratch.
RECOMPUTED = 1e-3


def bootstrap_alphas(ratings: Any, level: str, *, replicates: int, seed: int) -> Floats:
    """Alpha of tables whose items are drawn with replacement: float64 [replicates], nan where it is undefined.

    Drawn are the items with at least two answers, as many as there are; the annotators stay the same. Each replicate
    equals alpha of the table made of the drawn columns (`draws` says which) to 1e-12.
    ratings, level: as in alpha
    cost:   O(replicates x items) for few distinct values and at interval level, O(replicates x (answers + values)) for
            many; at ratio level many values cost like 14 for each power of e between the smallest and the largest
    raises: as alpha; BadInput (replicates below 1)
    source: Efron 1979, "Bootstrap methods: another look at the jackknife"
    """
    if replicates < 1:
        raise BadInput("at least one replicate is needed")
    p = pairable(table.read(ratings, level))
    if len(p.values) < 2:
        return np.full(replicates, np.nan)
    return np.concatenate(list(_blocks(p, replicates, seed)))


def draws(units: int, replicates: int, seed: int) -> Iterator[Draws]:
    """Which units each replicate draws: blocks [some replicates, units] of numbers below `units`.

    The same seed gives the same draws, and few replicates are the first of many. The numbers count the units with at
    least two answers (`pairable(...).unit` says which columns they are).
    """
    rng = np.random.default_rng(seed)
    # 16 bits are quicker, but reject more draws the closer the number of units comes to 65,536 (measured).
    kind = np.uint16 if units < 4096 else np.uint32
    rows = max(1, DRAWN // units)
    for first in range(0, replicates, rows):
        yield rng.integers(0, units, size=(min(rows, replicates - first), units), dtype=kind)


def _blocks(p: Pairable, replicates: int, seed: int) -> Iterator[Floats]:
    units, kernel = p.units.groups, kernel_of(p)
    for drawn in draws(units, replicates, seed):
        observed, expected, n, scale = kernel(drawn)
        # Nothing is expected where a replicate has one value only.
        found = 1 - (n - 1) * np.divide(observed, expected, out=np.full(len(n), np.nan), where=expected > 0)
        for row in np.flatnonzero((scale > 0) & ~(expected > RECOMPUTED * scale)):
            found[row] = weighted_alpha(p, np.bincount(drawn[row], minlength=units).astype(np.float64))
        yield found
