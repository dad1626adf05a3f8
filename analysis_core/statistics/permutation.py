"""Tests between conditions at the level of annotators: permutations of their labels, a trend test, Holm's correction.

The unit is one score per annotator. Pooled two-proportion tests and item-paired tests are missing on purpose: both take
answers of one annotator for answers of as many people, and with variance between annotators they reject 11-63 % of true
nulls at .05 (docs/statistics.md, by `python -m benchmarks.coverage`). Relabelling whole annotators keeps what each of
them brings to all of their answers; items are those that both conditions share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from analysis_core.errors import BadInput
from analysis_core.statistics.ratings import Floats

#: Up to this many relabellings all are counted; beyond it a seeded sample of SAMPLED is drawn.
ENUMERATED = 100_000
SAMPLED = 19_999
#: Relabellings handed on at a time
BLOCK = 2_000

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Test:
    """p: two-sided; smallest_p: what this design cannot go below, whatever the answers.

    exact:     all relabellings were counted, none sampled
    statistic: mean(a) - mean(b), or the trend's correlation (None where all scores are the same)
    unit:      what is relabelled, so what the p-value speaks about: whole annotators
    reason:    why p is None: the alpha of a condition is undefined (no_overlap, no_variation)
    """

    __test__ = False  # not a pytest class

    p: float | None
    smallest_p: float
    exact: bool
    statistic: float | None
    unit: str = "annotator"
    reason: str | None = None


def permutation_test(a: Sequence[float], b: Sequence[float], *, seed: int = 0) -> Test:
    """Two-sided test of the difference of means of two conditions, one score per annotator.

    All relabellings are counted when there are at most 100,000, else (b + 1) / (B + 1) over a sample.
    With 3 annotators each the smallest p is 2 / 20 = 0.10.
    raises: BadInput (a condition without annotators, a score that is missing)
    """
    groups = [_scores(a, "a"), _scores(b, "b")]
    p, smallest, exact = _permute(groups, (1 / len(groups[0]), -1 / len(groups[1])), seed)
    return Test(p, smallest, exact, float(groups[0].mean() - groups[1].mean()))


def trend_test(groups: Sequence[Sequence[float]], *, seed: int = 0) -> Test:
    """Two-sided test of the correlation between the conditions' order (0, 1, ...) and the annotators' scores.

    groups: one list of annotator scores per condition, in the order of the plan
    raises: BadInput (fewer than two conditions, a condition without annotators, a score that is missing)
    """
    if len(groups) < 2:
        raise BadInput("a trend needs at least two ordered conditions")
    scored = [_scores(group, str(index)) for index, group in enumerate(groups)]
    p, smallest, exact = _permute(scored, tuple(float(index) for index in range(len(scored))), seed)
    return Test(p, smallest, exact, _correlation(scored))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given. raises: BadInput (not between 0 and 1)"""
    if any(not 0 <= value <= 1 for value in p):
        raise BadInput(f"p-values lie between 0 and 1: {list(p)}")
    adjusted, running = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        running = max(running, min(1.0, (len(p) - rank) * float(p[index])))
        adjusted[index] = running
    return adjusted


def _scores(values: Sequence[float], name: str) -> Floats:
    scores = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if scores.ndim != 1 or not len(scores):
        raise BadInput(f"condition {name} has no annotator")
    if not np.isfinite(scores).all():
        raise BadInput(
            f"condition {name}: annotator {int(np.argmin(np.isfinite(scores)))} has no score; leave them out"
        )
    return scores


def _correlation(groups: Sequence[Floats]) -> float | None:
    order = np.repeat(np.arange(len(groups)), [len(group) for group in groups]).astype(np.float64)
    scores = np.concatenate(groups)
    if np.ptp(scores) == 0:
        return None
    return float(np.corrcoef(order, scores)[0, 1])


def _permute(groups: Sequence[Floats], weights: Sequence[float], seed: int) -> tuple[float, float, bool]:
    """p of the statistic |sum over annotators of weight[label] * (score - mean)| under relabelling."""
    sizes = [len(group) for group in groups]
    scores = np.concatenate(groups)
    scores = scores - scores.mean()
    weight = np.array(weights)
    own = np.repeat(np.arange(len(groups)), sizes)
    observed = abs(float(weight[own] @ scores))
    # Relabellings that only exchange equal sums must count as equal although rounding tells them apart.
    bar = observed - 1e-9 * float(np.abs(weight).max() * np.abs(scores).sum())
    extreme, counted, exact = 0, 0, number_of_relabellings(sizes) <= ENUMERATED
    for labels in label_blocks(sizes, seed):
        extreme, counted = extreme + int((np.abs(weight[labels] @ scores) >= bar).sum()), counted + len(labels)
    return share_as_extreme(extreme, counted, exact), smallest_p(sizes), exact


def share_as_extreme(extreme: int, counted: int, exact: bool) -> float:
    """p from the number of relabellings that are at least as extreme; a sample counts the observed one as well."""
    return extreme / counted if exact else (extreme + 1) / (counted + 1)


def number_of_relabellings(sizes: Sequence[int]) -> int:
    """Ways to give people to conditions of these sizes."""
    return math.factorial(sum(sizes)) // math.prod(math.factorial(size) for size in sizes)


def smallest_p(sizes: Sequence[int]) -> float:
    """The least two-sided p that any answers can give: 2 / 20 for 3 and 3 annotators.

    The observed labels and, where the sizes read backwards are the same, their mirror image are always as extreme.
    """
    number = number_of_relabellings(sizes)
    least = (2 if list(sizes) == list(sizes)[::-1] else 1) / number
    return least if number <= ENUMERATED else max(least, 1 / (SAMPLED + 1))


def label_blocks(sizes: Sequence[int], seed: int) -> Iterator[Labels]:
    """All relabellings, or a seeded sample of SAMPLED where there are too many: int64 [block, annotators] each."""
    if number_of_relabellings(sizes) <= ENUMERATED:
        labels = all_labels(sizes)
        yield from (labels[start : start + BLOCK] for start in range(0, len(labels), BLOCK))
        return
    own, rng = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng(seed)
    for start in range(0, SAMPLED, BLOCK):
        yield rng.permuted(np.tile(own, (min(BLOCK, SAMPLED - start), 1)), axis=1)


def all_labels(sizes: Sequence[int]) -> Labels:
    """Every assignment of labels with these sizes: int64 [relabellings, annotators].

    The largest condition gets whoever is left: with 2 and 440 people, pairs are listed and not their complements.
    """
    labels = np.full((1, sum(sizes)), -1, dtype=np.int64)
    largest = int(np.argmax(sizes))
    for label, size in enumerate(sizes):
        if label == largest:
            continue
        free = int((labels[0] < 0).sum())
        chosen = np.array(list(combinations(range(free), size)), dtype=np.int64)
        open_places = np.nonzero(labels < 0)[1].reshape(len(labels), free)
        places = open_places[:, chosen].reshape(-1, size)
        labels = np.repeat(labels, len(chosen), axis=0)
        np.put_along_axis(labels, places, label, axis=1)
    return np.where(labels < 0, largest, labels)
