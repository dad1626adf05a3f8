"""Observed and expected disagreement at the four levels of measurement, without a table of values x values.

alpha = 1 - (n - 1) D_o / D_e with D_o = sum over units of q_u / (m_u - 1) and D_e = sum_ck n_c n_k d(c, k), where
q_u = sum_ck n_uc n_uk d(c, k), m_u the unit's answers, n_c the answers of value c and n their number.
Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; d as there.
"""

from __future__ import annotations

import math

import numpy as np

from analysis_core.statistics.pairable import Counts, CountTable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.ratio_nodes import ratio_nodes

#: Pairs of values compared at a time at ratio level (float64: 16 MB per intermediate).
BLOCK = 2_000_000
#: Beyond so many values, nodes stand for them in the sums over all pairs.
MANY = 1_000
#: Where the mean distance of all answers is smaller, nodes could cost digits.
SPREAD = 1e-3


def weighted_alpha(p: CountTable, weights: Floats) -> float:
    """Alpha where unit u counts weights[u] times; nan where it is undefined.

    weights: float64 [units], whole numbers of at least 0
    """
    taken = p.units.count * weights[p.units.group]
    totals = np.bincount(p.units.code, weights=taken, minlength=len(p.values)).astype(np.float64)
    if np.count_nonzero(totals) < 2:
        return math.nan
    scale = scale_of(p, totals)
    observed = float(weights @ (within(p.units, p.level, scale)[1] / (p.units.size - 1)))
    expected = float(totals @ to_all(totals, p.level, scale))
    # Values may differ by less than the square root of the smallest float; then nothing can be said about them.
    return 1 - (float(totals.sum()) - 1) * observed / expected if expected > 0 else math.nan


def scale_of(p: CountTable, totals: Floats) -> Floats:
    """Where each value lies: float64 [n_values]. Alpha depends on differences (interval) or shares (ratio) only.

    interval: centred at the median, so that an offset costs no digits, and brought to a range of about 1
    ratio:    halves, whose sums are finite
    ordinal:  mid-ranks; d(c, k) is the square of their difference
    """
    if p.level == "ordinal":
        return mid_ranks(totals)
    if p.level == "ratio":
        return p.values / 2
    if p.level == "nominal":
        return p.values
    cumulative = np.cumsum(p.totals)
    median = p.values[int(np.searchsorted(cumulative, cumulative[-1] / 2))]
    # Halves first: the range of finite numbers can be infinite. Powers of two: nothing is rounded.
    _, exponent = np.frexp(p.values[-1] / 2 - p.values[0] / 2)
    return np.ldexp(p.values / 2 - median / 2, -exponent)


def mid_ranks(totals: Floats) -> Floats:
    """Mean rank, from 0, of the answers of each value, along the last axis."""
    return np.cumsum(totals, axis=-1) - totals / 2


def within(counts: Counts, level: str, scale: Floats) -> tuple[Floats, Floats]:
    """(z, q): z[e] = sum over the group's answers of their distance to entry e; q[g] = sum over e of count z.

    returns: float64 [entries], float64 [groups]
    cost:    O(entries) time and memory; ratio: O(entries x those of their group) time, for groups of more than 1,000
             values O(entries), unless these lie within a few per cent of each other
    """
    if level == "nominal":
        z = counts.size[counts.group] - counts.count
    elif level == "ratio":
        z = _ratio_within(counts, scale)
    else:
        z = squared_within(counts, scale[counts.code])
    return z, counts.sums(counts.count * z)


def squared_within(counts: Counts, place: Floats) -> Floats:
    """z of `within` for squared differences; place: float64 [entries], where each entry lies."""
    group, size = counts.group, counts.size
    mean = counts.sums(counts.count * place) / np.maximum(size, 1)
    apart = (place - mean[group]) ** 2
    return size[group] * apart + counts.sums(counts.count * apart)[group]


def to_all(totals: Floats, level: str, scale: Floats) -> Floats:
    """Sum over all answers of their distance to each value: float64 [n_values].

    cost: O(n_values); ratio: O(n_values^2) for few values, and for many that lie within a few per cent of each other
    """
    n = totals.sum()
    if level == "nominal":
        return n - totals
    if level == "ratio":
        return _ratio_to_all(totals, scale)
    apart = (scale - (totals @ scale) / n) ** 2
    return n * apart + totals @ apart


def ratio_distance(a: Floats, b: Floats) -> Floats:
    """((a - b) / (a + b))^2, and 0 between 0 and 0."""
    both = a + b
    return np.divide(a - b, both, out=np.zeros(both.shape), where=both != 0) ** 2


def _ratio_to_all(totals: Floats, scale: Floats) -> Floats:
    if len(scale) > MANY:
        nodes = ratio_nodes(scale)
        shares = nodes.matrix()
        found = np.asarray(shares @ (nodes.distances() @ (shares.T @ totals)))
        if totals @ found > SPREAD * totals.sum() ** 2:
            return found
    rows = max(1, BLOCK // len(scale))
    blocks = (scale[first : first + rows, None] for first in range(0, len(scale), rows))
    return np.concatenate([ratio_distance(block, scale) @ totals for block in blocks])


def _ratio_within(counts: Counts, scale: Floats) -> Floats:
    """Entries are compared with those 1, 2, ... places behind them, as far as the largest group goes.

    A group of many values is a table of its own: all its answers' distances to each of them.
    """
    place, z = scale[counts.code], np.zeros(len(counts.code))
    for group in np.flatnonzero(np.diff(counts.start) > MANY):
        entries = slice(counts.start[group], counts.start[group + 1])
        z[entries] = _ratio_to_all(counts.count[entries], place[entries])
    last = counts.start[1:][counts.group]
    first = np.flatnonzero(np.diff(counts.start)[counts.group] <= MANY)
    step = 1
    while len(first := first[first + step < last[first]]):
        second = first + step
        distance = ratio_distance(place[first], place[second])
        z[first] += counts.count[second] * distance
        z[second] += counts.count[first] * distance
        step += 1
    return z
