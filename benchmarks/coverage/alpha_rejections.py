"""Studies that the tests of alpha are judged by: equal alphas with another consensus, and true differences.

Beside the test that is offered stand answers relabelled alone, which is exact where a condition changes nothing, and
the same studentized, with the standard error computed anew for every relabelling (as in Chung & Romano 2013).
"""

from __future__ import annotations

import numpy as np

from analysis_core.statistics.alpha_tests import Relabelled
from analysis_core.statistics.permutation import Labels, all_labels, number_of_relabellings
from analysis_core.statistics.pseudo_values import ROUND_OFF
from analysis_core.statistics.ratings import Floats, read
from analysis_core.statistics.simulation import Population
from benchmarks.coverage.rejections import Null, Study, alpha_p, alpha_trend_p

#: Beyond so many relabellings SAMPLED are drawn for the tests that are not offered
ENUMERATED, SAMPLED = 5_000, 999
USUAL, APART, BETTER = Population(), Population(annotator_sd=1.0), Population(accuracy=0.9)
#: The same alpha (.375), of people who do not differ and of people who differ much
ALIKE, UNALIKE = Population(annotator_sd=0.0), Population(accuracy=0.77, annotator_sd=1.5)
ALONE, STUDENTIZED = "alpha, answers relabelled alone", "alpha, studentized anew"
SIZES = (((5, 5), 12), ((5, 5), 40), ((7, 7), 20), ((10, 10), 40), ((3, 8), 20))


def equal_alphas() -> tuple[Null, ...]:
    """True nulls of which only the alphas are equal."""
    names = {"alpha": alpha_p, ALONE: relabelled, STUDENTIZED: studentized_anew}
    consensus = [
        Null(name, name == "alpha", sizes, items, population, test, consensus="other")
        for population, where in ((USUAL, SIZES), (APART, SIZES[1:3]))
        for sizes, items in where
        for name, test in names.items()
    ]
    spread = [
        Null(name, name == "alpha", sizes, 40, ALIKE, names[name], other=UNALIKE)
        for sizes in ((5, 5), (3, 8), (8, 3))
        for name in ("alpha", ALONE)
    ]
    trends = [
        Null(name, test is alpha_trend_p, (3,) * 3, 20, USUAL, test, consensus="other") for name, test in TRENDS.items()
    ]
    return (*consensus, *trends, *spread)


def differences() -> tuple[Null, ...]:
    """Studies in which the last condition's alpha differs: .68, .36 before."""
    pairs = [
        Null(name, name == "alpha", sizes, items, USUAL, test, other=BETTER, is_true=False)
        for sizes, items in (((4, 4), 20), *SIZES, ((8, 3), 20))
        for name, test in (("alpha", alpha_p), (ALONE, relabelled))
    ]
    trends = [
        Null(name, test is alpha_trend_p, (3,) * 3, items, USUAL, test, other=BETTER, is_true=False)
        for items in (20, 40)
        for name, test in TRENDS.items()
    ]
    return (*pairs, *trends)


def relabelled(study: Study) -> float | None:
    """The share of relabellings whose difference or slope of alphas is as large; beyond ENUMERATED of a sample."""
    conditions = len(study.letters)
    alphas = Relabelled(read(np.vstack(study.letters), "nominal")).alphas(_labels(study), conditions)
    return _share(np.abs(alphas @ (np.arange(conditions) - (conditions - 1) / 2)))


TRENDS = {"trend of alpha": alpha_trend_p, "trend of alpha, answers relabelled alone": relabelled}


def studentized_anew(study: Study) -> float | None:
    """The same of the difference over its jackknife standard error on the relabelled sides."""
    labels, table = _labels(study), np.vstack(study.letters).astype(np.int64)
    (first, of_first), (second, of_second) = (jackknifed(table, labels == side) for side in (0, 1))
    variance = of_first + of_second
    apart = np.full(len(labels), np.inf)
    np.divide(np.abs(first - second), np.sqrt(variance), out=apart, where=variance > ROUND_OFF**2)
    return _share(np.where(np.abs(first - second) < ROUND_OFF, 0.0, apart))


def jackknifed(table: np.ndarray[tuple[int, int], np.dtype[np.int64]], members: Labels) -> tuple[Floats, Floats]:
    """Nominal alpha of the members of each side and its jackknife variance: float64 [sides] each; no answer missing."""
    size, items = int(members[0].sum()), table.shape[1]
    told = (table[:, :, None] == np.arange(table.max() + 1)).astype(np.float64)
    flat, given = told.reshape(len(table), -1), told.sum(axis=1)
    counts = (members.astype(np.float64) @ flat).reshape(len(members), items, -1)
    agreeing, totals = (counts**2).sum(axis=2), counts.sum(axis=1)
    alphas = _alpha(agreeing.sum(axis=1), (totals**2).sum(axis=1), size, items)
    # (c - 1)^2 = c^2 - 2 c + 1 at the value that the left-out member gave to each item.
    left = agreeing.sum(axis=1)[:, None] - 2 * counts.reshape(len(members), -1) @ flat.T + items
    rest = (totals**2).sum(axis=1)[:, None] - 2 * totals @ given.T + (given**2).sum(axis=1)
    without = _alpha(left, rest, size - 1, items)[members].reshape(len(members), size)
    return alphas, (size - 1) ** 2 / size * without.var(axis=1, ddof=1)


def _alpha(agreeing: Floats, totals: Floats, size: int, items: int) -> Floats:
    """Alpha from the sums of squares of the counts within items and over all."""
    answers = size * items
    observed = (items * size**2 - agreeing) / (size - 1)
    ratio = np.full(observed.shape, np.nan)
    np.divide((answers - 1) * observed, answers**2 - totals, out=ratio, where=answers**2 > totals)
    return np.asarray(1 - ratio)


def _labels(study: Study) -> Labels:
    sizes = [len(part) for part in study.letters]
    own = np.repeat(np.arange(len(sizes)), sizes)
    if number_of_relabellings(sizes) <= ENUMERATED:
        labels = all_labels(sizes)
        return labels[np.argsort((labels != own).any(axis=1), kind="stable")]
    drawn = np.random.default_rng(0).permuted(np.tile(own, (SAMPLED, 1)), axis=1)
    return np.vstack([own[None], drawn])


def _share(statistics: Floats) -> float:
    """How many are as large as the first one, which is the observed one; what is undefined counts as large."""
    return float((~(statistics < statistics[0] * (1 - ROUND_OFF) - ROUND_OFF)).mean())
