"""Ways to make an interval, those that are offered and those that are not: what they cover decides.

Each takes a simulated table and a seed, and gives (low, high), or None where there is no interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import stdtrit

from analysis_core.statistics import alpha, alpha_interval, crossed_accuracy
from analysis_core.statistics.crossed import crossed_variance, jackknife_variance
from analysis_core.statistics.leave_one_out import leave_one_out, without_each_answer
from analysis_core.statistics.pairable import pairable
from analysis_core.statistics.ratings import Floats, read
from analysis_core.statistics.replicates import bootstrap_alphas
from benchmarks.coverage.designs import Table

Ends = tuple[float, float] | None
REPLICATES = 400


@dataclass(frozen=True)
class Method:
    """truth: the key of Table.truth that the interval is held against; offered: by analysis_core.statistics"""

    name: str
    population: str
    truth: str
    offered: bool
    interval: Callable[[Table, int], Ends]


def _default(table: Table, seed: int) -> Ends:
    return alpha_interval(table.letters, "nominal").interval


def _new_annotators(table: Table, seed: int) -> Ends:
    return alpha_interval(table.letters, "nominal", over="annotators").interval


def _new_items(table: Table, seed: int) -> Ends:
    return alpha_interval(table.letters, "nominal", over="items", replicates=REPLICATES, seed=seed).interval


def _accuracy(table: Table, seed: int) -> Ends:
    return crossed_accuracy(table.right).interval


def _accuracy_of_annotators(table: Table, seed: int) -> Ends:
    """mean +- t SD / sqrt(annotators): items taken as given, though the true accuracy is that of all items."""
    shares = np.nanmean(table.right, axis=1)
    spread = float(stdtrit(len(shares) - 1, 0.975)) * float(shares.std(ddof=1)) / len(shares) ** 0.5
    return (float(shares.mean()) - spread, float(shares.mean()) + spread) if spread else None


def _pooled_accuracy(table: Table, seed: int) -> Ends:
    """The binomial interval over all answers, as if each came from another person and item."""
    share, n = float(np.nanmean(table.right)), int((~np.isnan(table.right)).sum())
    spread = 1.96 * (share * (1 - share) / n) ** 0.5
    return (share - spread, share + spread) if spread else None


def _sum_with_normal_quantile(table: Table, seed: int) -> Ends:
    variances = _variances(table)
    if variances is None:
        return None
    return _symmetric(table, variances[0] + variances[1], NormalDist().inv_cdf(0.975))


def _less_shared_symmetric(table: Table, seed: int) -> Ends:
    variances = _variances(table)
    if variances is None:
        return None
    variance, freedom = crossed_variance(*variances, *table.letters.shape)
    return _symmetric(table, variance, float(stdtrit(freedom, 0.975)))


def _variances(table: Table) -> tuple[float, float, float] | None:
    coded = read(table.letters, "nominal")
    by_annotator, by_item = leave_one_out(coded)
    if np.isnan(by_annotator).any() or np.isnan(by_item).any() or min(len(by_annotator), len(by_item)) < 2:
        return None
    by_answer = without_each_answer(pairable(coded))
    first, second, third = (jackknife_variance(values) for values in (by_annotator, by_item, by_answer))
    return (first, second, third) if first + second > 0 else None


def _symmetric(table: Table, variance: float, quantile: float) -> Ends:
    value = alpha(table.letters, "nominal").value or 0.0
    return max(-1.0, value - quantile * variance**0.5), min(1.0, value + quantile * variance**0.5)


def _items_as_if_both(table: Table, seed: int) -> Ends:
    return _percentiles(bootstrap_alphas(table.letters, "nominal", replicates=REPLICATES, seed=seed))


def _two_way(table: Table, seed: int, copies: bool) -> Ends:
    """Bootstrap of annotators and items. A drawn annotator's copies agree: with `copies` these pairs count."""
    rng, (annotators, items) = np.random.default_rng(seed), table.letters.shape
    people = rng.multinomial(annotators, np.full(annotators, 1 / annotators), size=REPLICATES).astype(np.float64)
    drawn = rng.multinomial(items, np.full(items, 1 / items), size=REPLICATES).astype(np.float64)
    values = np.unique(table.letters[~np.isnan(table.letters)])
    told = (table.letters[:, :, None] == values).astype(np.float64)
    counts = (people @ told.reshape(annotators, -1)).reshape(REPLICATES, items, -1)
    present = told.sum(axis=2)
    sizes = counts.sum(axis=2)
    pairs = sizes**2 - (sizes if copies else people**2 @ present)
    # Answers to an item weigh as in alpha: each counts once, compared with the others it has.
    apart = np.divide(sizes * (sizes**2 - (counts**2).sum(axis=2)), pairs, out=np.zeros_like(sizes), where=pairs > 0)
    used = drawn * (pairs > 0)
    totals = (used[:, :, None] * counts).sum(axis=1)
    n = totals.sum(axis=1)
    expected = n**2 - (totals**2).sum(axis=1)
    observed = (used * apart).sum(axis=1)
    return _percentiles(
        1 - np.divide((n - 1) * observed, expected, out=np.full(REPLICATES, np.nan), where=expected > 0)
    )


def _percentiles(values: Floats) -> Ends:
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return float(low), float(high)


BOTH, NEW_ANNOTATORS, NEW_ITEMS = (
    "new annotators, new items",
    "new annotators, these items",
    "these annotators, new items",
)
DEFAULT = Method("jackknife, shared part once, t, log(1 - alpha)", BOTH, "both", True, _default)
ANNOTATORS = Method("jackknife over annotators, t, log(1 - alpha)", NEW_ANNOTATORS, "annotators", True, _new_annotators)
ITEMS = Method("bootstrap of items", NEW_ITEMS, "items", True, _new_items)
ACCURACY = Method("two-way variance, t, Wilson's ends", BOTH, "accuracy", True, _accuracy)
CANDIDATES = (
    DEFAULT,
    Method("the same without the logarithm", BOTH, "both", False, _less_shared_symmetric),
    Method("jackknife, plain sum, normal quantile", BOTH, "both", False, _sum_with_normal_quantile),
    Method(
        "bootstrap of annotators and items, no pairs of copies", BOTH, "both", False, lambda t, s: _two_way(t, s, False)
    ),
    Method("bootstrap of items, taken for both", BOTH, "both", False, _items_as_if_both),
    Method("bootstrap of annotators and items with copies", BOTH, "both", False, lambda t, s: _two_way(t, s, True)),
)
ACCURACY_CANDIDATES = (
    ACCURACY,
    Method("t over annotators' shares", BOTH, "accuracy", False, _accuracy_of_annotators),
    Method("binomial over all answers", BOTH, "accuracy", False, _pooled_accuracy),
)
