"""Permutation tests of many simulated studies at once: the relabellings are the same for all of them.

What permutation.py does for one study, the planner needs for thousands: p = share of relabellings whose statistic is
at least as extreme as the observed one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis_core.statistics.permutation import all_labels, number_of_relabellings
from analysis_core.statistics.ratings import Floats, Integers

#: Up to this many relabellings (8 and 8 people) all are counted. Beyond it SAMPLED are drawn, the same for every
#: simulated study: each p is still valid, (b + 1) / (B + 1), and its rounding costs less than .01 of power at .05.
ENUMERATED = 13_000
SAMPLED = 3_999
#: Studies x relabellings held at a time
BLOCK = 4_000_000


def p_values(scores: Integers, sizes: Sequence[int], weights: Sequence[int], seed: int) -> Floats:
    """Two-sided p of |sum over annotators of weight[group] * (score - mean)| in each study: float64 [studies].

    scores:  int [studies, annotators], the groups one after another: right answers of each annotator
    weights: per group, whole numbers: with two groups any two different ones, for a trend 0, 1, 2, ...
    All sums are of whole numbers, so that equal statistics count as equal.
    """
    n = sum(sizes)
    own = np.repeat(np.arange(len(sizes)), sizes)
    centred = (n * scores - scores.sum(axis=1, keepdims=True)).astype(np.float64)
    weight = np.asarray(weights, dtype=np.float64)
    observed = np.abs(centred @ weight[own])
    is_exact = number_of_relabellings(sizes) <= ENUMERATED
    labels = all_labels(sizes) if is_exact else _sampled(own, seed)
    other, as_extreme = weight[labels].T, np.zeros(len(scores), dtype=np.int64)
    step = max(1, BLOCK // len(labels))
    for start in range(0, len(scores), step):
        block = slice(start, start + step)
        as_extreme[block] = (np.abs(centred[block] @ other) >= observed[block, None]).sum(axis=1)
    return as_extreme / len(labels) if is_exact else (as_extreme + 1) / (len(labels) + 1)


def _sampled(own: Integers, seed: int) -> Integers:
    return np.random.default_rng([seed, 3]).permuted(np.tile(own, (SAMPLED, 1)), axis=1)


def holm_rejections(p: Floats, level: float) -> npt.NDArray[np.bool_]:
    """Which of several tests Holm's step-down procedure rejects in each study: bool, as p [studies, tests]."""
    tests = p.shape[1]
    order = np.argsort(p, axis=1, kind="stable")
    passed = np.take_along_axis(p, order, axis=1) <= level / np.arange(tests, 0, -1) * (1 + 1e-12)
    rejected = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(passed, axis=1), axis=1)
    return rejected
