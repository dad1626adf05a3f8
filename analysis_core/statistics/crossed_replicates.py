"""Alpha of tables whose annotators and items are both drawn anew: a bootstrap without pairs of copies.

Two copies of one annotator agree wherever they meet, which inflates alpha (a 3 x 20 alpha of .36 becomes .57 on
average). Alpha compares pairs of answers, so pairs of answers by two copies of one annotator are left out of both
disagreements. Annotator r is drawn g_r times and item u w_u times; c_ru is the answer. With
M_u = sum of g_r over those who answered u (an item counts where at least two different annotators are among them),
n_c = answers of value c, copies counted; n = sum n_c; n_rc the answers of value c of one copy of r; N_r = sum_c n_rc:

observed = sum_u w_u M_u / (M_u^2 - sum_r g_r^2) sum_{r != r'} g_r g_r' d(c_ru, c_r'u)
    Each item still weighs as many answers as it has, as in alpha, spread over the pairs that are left: M_u answers on
    M_u (M_u - 1) pairs become M_u answers on M_u^2 - sum g_r^2. Copies of an answer are at distance 0 of each other.
expected = sum_ck n_c n_k d(c, k) - sum_r (g_r^2 - g_r) sum_ck n_rc n_rk d(c, k)
    over n^2 - n - sum_r (g_r^2 - g_r) N_r^2 pairs: all pairs of two answers but those of two copies of one annotator;
    two answers of one copy (to two items) stay in, as in alpha.
alpha = 1 - (observed / n) / (expected / pairs)

With every annotator drawn once this is the bootstrap over items, and with every item once alpha itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.disagreement import mid_ranks, ratio_distance, scale_of
from analysis_core.statistics.pairable import Pairable, pairable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.resamples import weights_of

#: Numbers of one array that are held at a time (float64: 4 MB).
CELLS = 1 << 19


def bootstrap_alphas_both(ratings: Any, level: str, *, replicates: int, seed: int) -> Floats:
    """Alpha of tables with annotators and items drawn with replacement: float64 [replicates], nan where undefined.

    Drawn are the items with at least two answers and the annotators who gave them, as many as there are.
    ratings, level: as in alpha
    cost:   O(replicates x (answers + (items + annotators) x values)); ratio: + values^2 for items and annotators
    raises: as alpha; BadInput (replicates below 1)
    """
    if replicates < 1:
        raise BadInput("at least one replicate is needed")
    p = pairable(table.read(ratings, level))
    if len(p.values) < 2:
        return np.full(replicates, np.nan)
    crossed, rng = _Crossed(p), np.random.default_rng(seed)
    rows = max(1, CELLS // crossed.width)
    blocks = []
    for first in range(0, replicates, rows):
        many = min(rows, replicates - first)
        items = weights_of(rng.integers(0, crossed.units, size=(many, crossed.units)), crossed.units)
        annotators = weights_of(rng.integers(0, crossed.raters, size=(many, crossed.raters)), crossed.raters)
        blocks.append(crossed.alphas(items, annotators))
    return np.concatenate(blocks)


class _Crossed:
    """One table, and alpha of it under weights of items and annotators."""

    def __init__(self, p: Pairable) -> None:
        from scipy.sparse import csr_array

        raters, rater = np.unique(p.rater, return_inverse=True)
        self.p, self.raters, self.units, self.values = p, len(raters), p.units.groups, len(p.values)
        self.width = (self.raters + self.units) * self.values
        self.scale = scale_of(p, p.totals)
        self.distances = ratio_distance(self.scale[:, None], self.scale) if p.level == "ratio" else None
        code, one = p.units.code[p.entry], np.ones(len(p.entry))
        answered = csr_array((one, (p.position, rater)), shape=(self.units, self.raters))
        self.of_units, self.of_raters = answered, answered.T.tocsr()
        by_unit = (p.position * self.values + code, rater)
        by_rater = (rater * self.values + code, p.position)
        self.unit_values = csr_array((one, by_unit), shape=(self.units * self.values, self.raters))
        self.rater_values = csr_array((one, by_rater), shape=(self.raters * self.values, self.units))

    def alphas(self, items: Floats, annotators: Floats) -> Floats:
        """items: [replicates, units], annotators: [replicates, raters], how often each is drawn -> [replicates]"""
        replicates, copies = len(items), np.ascontiguousarray(annotators.T)
        different, size = self.of_units @ (copies > 0), self.of_units @ copies
        pairs = size**2 - self.of_units @ copies**2
        weights = np.where(different >= 2, items.T, 0)
        in_units = (self.unit_values @ copies).reshape(self.units, self.values, replicates)
        own = (self.rater_values @ weights).reshape(self.raters, self.values, replicates)
        totals = np.einsum("rvb,rb->vb", own, copies)
        n = totals.sum(axis=0)
        scale = mid_ranks(totals.T).T if self.p.level == "ordinal" else self.scale[:, None]
        share = np.divide(weights * size, pairs, out=np.zeros(pairs.shape), where=pairs > 0)
        observed = (share * self._among(in_units, scale)).sum(axis=0)
        again = copies**2 - copies
        expected = self._among(totals, scale) - (again * self._among(own, scale)).sum(axis=0)
        left = n**2 - n - (again * own.sum(axis=1) ** 2).sum(axis=0)
        defined = (np.count_nonzero(totals, axis=0) >= 2) & (expected > 1e-12 * n**2 * self._largest(scale))
        found = np.full(replicates, np.nan)
        found[defined] = 1 - observed[defined] * left[defined] / (n[defined] * expected[defined])
        return found

    def _among(self, counts: Floats, scale: Floats) -> Floats:
        """sum_ck n_c n_k d(c, k) of counts [..., values, replicates]: [..., replicates]."""
        size = counts.sum(axis=-2)
        if self.p.level == "nominal":
            return (counts * (size[..., None, :] - counts)).sum(axis=-2)
        if self.distances is not None:
            return (counts * (self.distances @ counts)).sum(axis=-2)
        mean = (counts * scale).sum(axis=-2) / np.maximum(size, 1)
        return 2 * size * (counts * (scale - mean[..., None, :]) ** 2).sum(axis=-2)

    def _largest(self, scale: Floats) -> Any:
        """The largest distance: [replicates] at ordinal level, else one number."""
        if self.p.level in ("nominal", "ratio"):
            return 1.0
        return (scale[-1] - scale[0]) ** 2
