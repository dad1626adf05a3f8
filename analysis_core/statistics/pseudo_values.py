"""What each annotator adds to the alpha of their condition, and the studentized permutation of it: alpha_tests calls.

Relabelled sides mix the consensus of both conditions; pseudo-values are made within a condition, before labels change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis_core.statistics.leave_one_out import without_each_annotator
from analysis_core.statistics.pairable import pairable
from analysis_core.statistics.permutation import Labels
from analysis_core.statistics.ratings import Floats, Ratings

#: Differences of alpha below this are round-off: relabellings that only exchange equal annotators must count as equal.
ROUND_OFF = 1e-9


def pseudo_values(coded: Ratings, alpha: float) -> Floats | None:
    """Jackknife pseudo-values of alpha: alpha + (n - 1) (mean of the leave-one-out alphas - the annotator's own one).

    Their mean is alpha and their standard error the jackknife's. Who has no answer that can be compared has alpha.
    coded:   one condition's ratings, of which `alpha` is that of all
    returns: float64 [annotators]; None where alpha without some annotator is undefined (with two it always is)
    source:  Miller 1974, "The Jackknife - A Review"; without Tukey's correction of bias, so that the mean is alpha
    """
    p = pairable(coded)
    left_out = without_each_annotator(p)
    if np.isnan(left_out).any():
        return None
    found = np.full(coded.raters, alpha)
    found[np.unique(p.rater)] += (len(left_out) - 1) * (left_out.mean() - left_out)
    return found


def studentized(values: Floats, labels: Labels, weights: Floats) -> Floats:
    """|sum over conditions of weight * mean| / its standard error, for many ways to label annotators.

    0 where the sum is 0, infinite where it is not and all values of each condition are the same.
    values:  float64 [annotators]; labels: int64 [relabellings, annotators], of each condition at least two annotators
    weights: float64 [conditions]
    returns: float64 [relabellings], >= 0
    source:  Janssen 1997, "Studentized Permutation Tests for Non-i.i.d. Hypotheses and the Generalized Behrens-Fisher
             Problem"
    """
    total, variance = np.zeros(len(labels)), np.zeros(len(labels))
    for condition, weight in enumerate(weights):
        member = labels == condition
        size = member.sum(axis=1)
        mean = (member @ values) / size
        squares = (np.where(member, values - mean[:, None], 0) ** 2).sum(axis=1)
        total, variance = total + weight * mean, variance + weight**2 * squares / (size * (size - 1))
    found = np.full(len(labels), np.inf)
    np.divide(np.abs(total), np.sqrt(variance), out=found, where=variance > ROUND_OFF**2)
    return np.where(np.abs(total) < ROUND_OFF, 0.0, found)


def as_extreme(values: Floats, own: Sequence[int] | Labels, labels: Labels, weights: Floats) -> int:
    """How many relabellings have a studentized difference at least as large as that of the annotators' own labels."""
    observed = float(studentized(values, np.asarray(own, dtype=np.int64)[None], weights)[0])
    return int((studentized(values, labels, weights) >= observed * (1 - ROUND_OFF)).sum())
