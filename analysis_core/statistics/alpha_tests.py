"""Tests of agreement between conditions: would alphas lie this far apart if the same people had other labels?

Two permutations of whole annotators answer, and p is the larger of both. In one their answers are relabelled and alpha
is computed anew on each side: exact where the condition changes nothing. In the other what each adds to alpha is
relabelled (pseudo_values.py): it keeps its level also where conditions agree as much on other answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.agreement import coded_alpha
from analysis_core.statistics.cells import table_cells
from analysis_core.statistics.permutation import (
    ENUMERATED,
    Labels,
    Test,
    label_blocks,
    number_of_relabellings,
    share_as_extreme,
    smallest_p,
)
from analysis_core.statistics.pseudo_values import ROUND_OFF, as_extreme, pseudo_values
from analysis_core.statistics.ratings import Floats, Ratings

#: Counts [relabellings, items, values] are laid out for so many cells at a time (float64: 16 MB).
CELLS = 2_000_000


def alpha_test(a: Any, b: Any, level: str, *, seed: int = 0) -> Test:
    """Two-sided permutation test of the difference of two conditions' alphas (statistic: alpha(a) - alpha(b)).

    p is the larger of two. (1) Whole annotators with all their answers change sides and alpha is computed anew: exact
    where the condition changes nothing in a person's answers; an undefined alpha on either side counts as at least as
    extreme. Alone it rejects 32 to 51 % of studies with equal alphas but another consensus in each condition (equal
    numbers of people), because relabelled sides mix both. (2) The annotators' pseudo-values of alpha, made within
    their own condition, change sides; statistic: alpha(a) - alpha(b) over its jackknife standard error, computed anew.
    With equal alphas the larger p rejects 1 to 6 % whatever the consensus; 7 %, and 14 % at 8 v 3, where people differ
    much in one condition (the three) and not at all in the other. A true difference is found in 72 instead of 77 % of
    studies by (1) alone at 2 x 5, 40, and in 24 instead of 34 % at 2 x 4, 20. Where alpha without some annotator is
    undefined, as with two of them, p is that of (1).
    Where a condition's own alpha is undefined there is no p, but its reason. Exact up to 100,000 relabellings, else
    (b + 1) / (B + 1) over a seeded sample. It speaks of new annotators and these items.
    a, b:   tables [annotators, items] of the same items, as in alpha (tables, not `Ratings`: labels must be comparable)
    raises: UnknownName (level), BadInput (different items, a condition without annotators, values as in alpha)
    cost:   20,000 relabellings of 2 x 20 annotators x 100 items with 4 values: about half a second
    source: relabelling of clusters as in Gail et al. 1996, "On Design Considerations and Randomization-Based Inference
            for Community Intervention Trials"; Janssen 1997, "Studentized Permutation Tests for Non-i.i.d. Hypotheses
            and the Generalized Behrens-Fisher Problem"; figures: docs/statistics.md, by `python -m benchmarks.coverage`
    """
    return _test([a, b], level, np.array([1.0, -1.0]), seed)


def alpha_trend_test(groups: Sequence[Any], level: str, *, seed: int = 0) -> Test:
    """Two-sided permutation test for a trend of alpha over ordered conditions.

    p belongs to the slope: the sum over conditions of (order - mean order) * alpha; statistic is the correlation of
    order and alpha (None where all alphas are the same). Both relabellings, undefined values and errors as in
    alpha_test. With three annotators per condition it finds about half as many true trends as relabelled answers alone.
    groups: one table per condition, in the order of the plan
    raises: as alpha_test, and BadInput for fewer than two conditions
    """
    if len(groups) < 2:
        raise BadInput("a trend needs at least two ordered conditions")
    return _test(groups, level, np.arange(len(groups), dtype=np.float64) - (len(groups) - 1) / 2, seed, is_trend=True)


def _test(groups: Sequence[Any], level: str, weights: Floats, seed: int, is_trend: bool = False) -> Test:
    coded, sizes = _stacked(groups, level)
    own = np.repeat(np.arange(len(sizes)), sizes)
    smallest, exact = smallest_p(sizes), number_of_relabellings(sizes) <= ENUMERATED
    parts = [_rows(coded, own == group) for group in range(len(sizes))]
    reasons = [coded_alpha(part)[1] for part in parts]
    if any(reasons):
        return Test(None, smallest, exact, None, reason=next(reason for reason in reasons if reason))
    relabel = Relabelled(coded)
    alphas = relabel.alphas(own[None], len(sizes))[0]
    bar = abs(float(weights @ alphas)) - ROUND_OFF
    added = _pseudo_values(parts, alphas)
    extreme = studentized = counted = 0
    for labels in label_blocks(sizes, seed):
        # nan, an undefined alpha, is not below the bar.
        extreme += int((~(np.abs(relabel.alphas(labels, len(sizes)) @ weights) < bar)).sum())
        studentized += 0 if added is None else as_extreme(added, own, labels, weights)
        counted += len(labels)
    statistic = _correlation(alphas) if is_trend else float(alphas[0] - alphas[1])
    return Test(share_as_extreme(max(extreme, studentized), counted, exact), smallest, exact, statistic)


def _pseudo_values(parts: Sequence[Ratings], alphas: Floats) -> Floats | None:
    """Of all annotators, one condition after the other; None where a condition has none."""
    found = [pseudo_values(part, float(alpha)) for part, alpha in zip(parts, alphas, strict=True)]
    there = [values for values in found if values is not None]
    return np.concatenate(there) if len(there) == len(found) else None


class Relabelled:
    """Alpha of each condition for many ways to give its people to conditions."""

    def __init__(self, coded: Ratings) -> None:
        self.level, self.values, self.items = coded.level, _scaled(coded.values, coded.level), coded.units
        codes = coded.codes
        self.answers = (codes[:, :, None] == np.arange(len(self.values))).astype(np.float64).reshape(len(codes), -1)

    def alphas(self, labels: Labels, conditions: int) -> Floats:
        """float64 [relabellings, conditions], nan where undefined. labels: int64 [relabellings, annotators]"""
        step = max(1, CELLS // self.answers.shape[1])
        found = np.empty((len(labels), conditions))
        for start in range(0, len(labels), step):
            part = slice(start, start + step)
            for condition in range(conditions):
                members = (labels[part] == condition).astype(np.float64)
                found[part, condition] = self._alphas((members @ self.answers).reshape(len(members), self.items, -1))
        return found

    def _alphas(self, counts: Floats) -> Floats:
        """Alpha of each table of counts [tables, items, values], nan where undefined."""
        sizes = counts.sum(axis=2)
        counts = counts * (sizes >= 2)[:, :, None]
        totals = counts.sum(axis=1)
        apart, expected = self._disagreement(counts, sizes, totals)
        observed = (apart / np.maximum(sizes - 1, 1)).sum(axis=1)
        ratio = np.full(len(counts), np.nan)
        np.divide((totals.sum(axis=1) - 1) * observed, expected, out=ratio, where=(totals > 0).sum(axis=1) >= 2)
        return np.asarray(1 - ratio)

    def _disagreement(self, counts: Floats, sizes: Floats, totals: Floats) -> tuple[Floats, Floats]:
        """Sums of distances over ordered pairs: within each item [tables, items], and over all answers [tables]."""
        if self.level == "nominal":
            own = np.where(sizes >= 2, sizes, 0) ** 2
            return own - (counts**2).sum(axis=2), totals.sum(axis=1) ** 2 - (totals**2).sum(axis=1)
        if self.level == "ratio":
            total = self.values[:, None] + self.values
            far = np.divide(self.values[:, None] - self.values, total, out=np.zeros_like(total), where=total != 0) ** 2
            return ((counts @ far) * counts).sum(axis=2), ((totals @ far) * totals).sum(axis=1)
        ranks = totals.cumsum(axis=1) - totals / 2
        scale = np.broadcast_to(self.values, totals.shape) if self.level == "interval" else ranks
        # Centred, or values with a large offset would lose their digits in the difference of two squares.
        scale = scale - (totals * scale).sum(axis=1, keepdims=True) / np.maximum(totals.sum(axis=1, keepdims=True), 1)
        first, second = ((counts @ power[:, :, None])[:, :, 0] for power in (scale, scale**2))
        everything = totals.sum(axis=1) * (totals * scale**2).sum(axis=1) - (totals * scale).sum(axis=1) ** 2
        return 2 * (sizes * second - first**2), 2 * everything


def _stacked(groups: Sequence[Any], level: str) -> tuple[Ratings, list[int]]:
    """All conditions' rows in one coded table, and how many each has."""
    rows: list[list[Any]] = []
    sizes, widths = [], []
    for name, group in enumerate(groups):
        if isinstance(group, Ratings):
            raise BadInput("hand over the tables of ratings themselves: codes of two tables cannot be compared")
        cells, (raters, items) = table_cells(group)
        if not raters:
            raise BadInput(f"condition {name} has no annotator")
        rows.extend(list(cells[row * items : (row + 1) * items]) for row in range(raters))
        sizes.append(raters)
        widths.append(items)
    if len(set(widths)) > 1:
        raise BadInput(f"conditions are compared on the same items; they have {', '.join(map(str, widths))}")
    return table.read(rows, level), sizes


def _scaled(values: Floats, level: str) -> Floats:
    """The values where their squares and sums are finite; alpha depends on differences (interval) or shares (ratio)."""
    if level not in ("interval", "ratio") or not len(values):
        return values
    halves = values / 2
    if level == "ratio":
        return halves
    # Powers of two: nothing is rounded.
    _, exponent = np.frexp(halves[-1] - halves[0])
    return np.asarray(np.ldexp(halves - halves[len(halves) // 2], -exponent))


def _rows(coded: Ratings, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ratings:
    """Some annotators, numbered from 0."""
    there = kept[coded.rater]
    rater = (np.cumsum(kept) - 1)[coded.rater[there]]
    code = coded.code[there]
    return Ratings(rater, coded.unit[there], code, int(kept.sum()), coded.units, coded.values, coded.level)


def _correlation(alphas: Floats) -> float | None:
    return float(np.corrcoef(np.arange(len(alphas)), alphas)[0, 1]) if np.ptp(alphas) > ROUND_OFF else None
