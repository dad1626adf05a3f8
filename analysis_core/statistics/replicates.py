"""Alpha of many re-weightings of the units at once: what jackknife and bootstrap need. Equals the package to 1e-12.

Alpha = 1 - D_o / D_e is made of sums over units, so a replicate costs one row of a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis_core.statistics import ratings as table
from analysis_core.statistics.ratings import Floats, Integers

#: Replicates computed at a time: bounds memory at about this many rows x units.
BLOCK = 512


def bootstrap_alphas(ratings: Any, level: str, *, replicates: int, seed: int) -> Floats:
    """Alpha of tables whose items are drawn with replacement: float64 [replicates], nan where it is undefined.

    Drawn are the items with at least two answers, as many as there are. ratings, level: as in alpha
    """
    coded = table.read(ratings, level)
    counts = coded.counts()
    counts = counts[counts.sum(axis=1) >= 2]
    n, rng = len(counts), np.random.default_rng(seed)
    if not n:
        return np.full(replicates, np.nan)
    blocks = (
        rng.multinomial(n, np.full(n, 1 / n), size=min(BLOCK, replicates - start)).astype(np.float64)
        for start in range(0, replicates, BLOCK)
    )
    return np.concatenate([weighted_alphas(counts, coded.values, coded.level, weights) for weights in blocks])


def weighted_alphas(counts: Integers, values: Floats, level: str, weights: Floats) -> Floats:
    """Alpha of each replicate; nan where it is undefined.

    counts:  int [units, n_values], how many raters gave a unit each value; units with one answer take no part
    values:  [n_values] ascending; not used at nominal level
    weights: [replicates, units], how often each replicate has each unit
    """
    answers = counts.sum(axis=1)
    use = answers >= 2
    pairable, sizes, weights = counts[use].astype(np.float64), answers[use].astype(np.float64), weights[:, use]
    totals = weights @ pairable
    if level == "nominal":
        observed, expected = _nominal(pairable, sizes, weights, totals)
    elif level == "ratio":
        observed, expected = _ratio(pairable, sizes, weights, totals, values)
    else:
        # The ordinal distance is the squared difference of mid-ranks, which change with the replicate's totals.
        scale = np.broadcast_to(values, totals.shape) if level == "interval" else totals.cumsum(axis=1) - totals / 2
        observed, expected = _squared(pairable, sizes, weights, totals, scale)
    defined = (totals > 0).sum(axis=1) >= 2
    result = np.full(len(weights), np.nan)
    n = totals.sum(axis=1)
    result[defined] = 1 - (n[defined] - 1) * observed[defined] / expected[defined]
    return result


def _nominal(pairable: Floats, sizes: Floats, weights: Floats, totals: Floats) -> tuple[Floats, Floats]:
    per_unit = (pairable * (sizes[:, None] - pairable)).sum(axis=1) / (sizes - 1)
    return weights @ per_unit, totals.sum(axis=1) ** 2 - (totals**2).sum(axis=1)


def _ratio(pairable: Floats, sizes: Floats, weights: Floats, totals: Floats, values: Floats) -> tuple[Floats, Floats]:
    sums = values[:, None] + values
    distance = np.divide(values[:, None] - values, sums, out=np.zeros_like(sums), where=sums != 0) ** 2
    per_unit = (pairable @ distance * pairable).sum(axis=1) / (sizes - 1)
    return weights @ per_unit, (totals @ distance * totals).sum(axis=1)


def _squared(pairable: Floats, sizes: Floats, weights: Floats, totals: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Squared differences on scale [replicates, n_values].

    sum_ck n_c n_k (s_c - s_k)^2 = 2 (m sum n s^2 - (sum n s)^2), m = sum n.
    """
    n = np.maximum(totals.sum(axis=1, keepdims=True), 1)
    # Centred, or values with a large offset (years, grams) would lose their digits in the difference of two squares.
    scale = scale - (totals * scale).sum(axis=1, keepdims=True) / n
    first = (weights @ (pairable * (sizes / (sizes - 1))[:, None]) * scale**2).sum(axis=1)
    second = (weights * (scale @ pairable.T) ** 2 / (sizes - 1)).sum(axis=1)
    expected = n[:, 0] * (totals * scale**2).sum(axis=1) - (totals * scale).sum(axis=1) ** 2
    return 2 * (first - second), 2 * expected
