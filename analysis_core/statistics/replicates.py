"""Alpha of thousands of tables whose items are drawn anew from one table: the bootstrap of alpha.

Alpha is made of sums over units, so a resample costs one row of a product of weights and what each unit adds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.crossed_replicates import bootstrap_alphas_both
from analysis_core.statistics.disagreement import weighted_alpha
from analysis_core.statistics.kernels import Kernel, kernel_of
from analysis_core.statistics.pairable import CountTable, pairable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.resamples import Drawn, resampling

__all__ = ["bootstrap_alphas", "bootstrap_alphas_both"]

#: Where less than this share of its terms is left of a difference of sums, a replicate is computed from scratch.
RECOMPUTED = 1e-3


def bootstrap_alphas(ratings: Any, level: str, *, replicates: int, seed: int) -> Floats:
    """Alpha of tables whose items are drawn with replacement: float64 [replicates], nan where it is undefined.

    Drawn are the items with at least two answers, as many as there are; the annotators stay the same. Each replicate
    equals alpha of the table made of the drawn columns (resamples.py says which) to 1e-12. The same seed gives the
    same replicates, and few replicates are the first of many.
    ratings, level: as in alpha
    cost:   O(replicates x items) for few distinct values and at interval level, O(replicates x (answers + values)) for
            many; at ratio level many values cost like 14 for each power of e between the smallest and the largest;
            items with the same counts cost as one; memory some MB beside the table, whatever the replicates
    raises: as alpha; BadInput (replicates below 1)
    source: Efron 1979, "Bootstrap methods: another look at the jackknife"
    """
    if replicates < 1:
        raise BadInput("at least one replicate is needed")
    p = pairable(table.read(ratings, level))
    if len(p.values) < 2:
        return np.full(replicates, np.nan)
    drawing = resampling(p)
    kernel = kernel_of(drawing.table)
    batches = drawing.batches(replicates, seed)
    return np.concatenate([_alphas(drawing.table, kernel, drawn) for drawn in batches])


def _alphas(p: CountTable, kernel: Kernel, drawn: Drawn) -> Floats:
    rows = max(1, kernel.cells // drawn.shape[1])
    blocks = (drawn[first : first + rows] for first in range(0, len(drawn), rows))
    sums = np.concatenate([kernel.sums(block.astype(np.float64)) for block in blocks])
    observed, expected, n, scale = kernel.parts(sums)
    # Nothing is expected where a replicate has one value only.
    found = 1 - (n - 1) * np.divide(observed, expected, out=np.full(len(n), np.nan), where=expected > 0)
    doubtful = np.flatnonzero((scale > 0) & ~(expected > RECOMPUTED * scale))
    for row in doubtful:
        found[row] = weighted_alpha(p, drawn[row].astype(np.float64))
    return found
