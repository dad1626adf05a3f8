"""How often tests reject true nulls: both conditions have the same population, people differ, items are shared.

Pooled and item-paired tests are computed here alone, to show why they are not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from analysis_core.statistics import alpha_test, alpha_trend_test, permutation_test, trend_test
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.simulation import Population, as_letters, draw_items, simulate_answers

LEVEL = 0.05


@dataclass(frozen=True)
class Study:
    """One simulated study without any difference: per condition letters, right answers, confidences.

    all float64 [conditions, annotators, items]
    """

    letters: Floats
    right: Floats
    confidence: Floats


@dataclass(frozen=True)
class Null:
    """A test on studies of one size. p: None where it has none"""

    name: str
    offered: bool
    conditions: int
    annotators: int
    items: int
    population: Population
    p: Callable[[Study], float | None]


@dataclass(frozen=True)
class Rejections:
    """rejected: share of the studies that have a p of at most .05; undefined: share that have none"""

    null: Null
    rejected: float
    undefined: float
    studies: int

    @property
    def error(self) -> float:
        return float((LEVEL * (1 - LEVEL) / max(1, self.studies)) ** 0.5)


def nulls() -> tuple[Null, ...]:
    """Everything that is simulated: tests that are offered, then those that are not."""
    usual, apart = Population(), Population(annotator_sd=1.0)
    offered = [
        Null(name, True, 2, each, 20, population, test)
        for population in (usual, apart)
        for name, test in (("accuracy", _accuracy), ("alpha", _alpha), ("confidence", _confidence))
        for each in (5, 7)
    ]
    trends = [
        Null("trend of accuracy", True, 5, 3, 20, apart, _trend),
        Null("trend of alpha", True, 3, 3, 20, apart, _alpha_trend),
        Null("trend of confidence", True, 5, 3, 20, apart, _confidence_trend),
    ]
    refused = [
        Null(name, False, 2, each, items, population, test)
        for population in (Population(annotator_sd=0.0), usual, apart)
        for each, items in ((7, 20), (5, 100))
        for name, test in (("pooled two-proportion", pooled), ("paired over items", paired))
    ]
    return (*offered, *trends, *refused)


def rejections(null: Null, number: int, seed: int) -> Rejections:
    """The share of `number` simulated studies in which a true null is rejected at .05."""
    found = [null.p(study) for study in studies(null, number, seed)]
    there = [p for p in found if p is not None]
    # Exact p-values of .05 must not be lost to rounding.
    rejected = sum(p <= LEVEL + 1e-9 for p in there) / max(1, len(there))
    return Rejections(null, rejected, 1 - len(there) / number, number)


def studies(null: Null, number: int, seed: int) -> Iterator[Study]:
    """Studies in which conditions share items and differ in nothing but who was asked."""
    rng, population = np.random.default_rng([seed, null.conditions, null.annotators, null.items]), null.population
    people = null.conditions * null.annotators
    for _ in range(number):
        effects = draw_items(population, items=null.items, tables=1, rng=rng)
        answers = simulate_answers(
            population, annotators=people, items=null.items, tables=1, rng=rng, item_effects=effects
        )
        letters = as_letters(answers, population.choices, rng=rng)
        shape = (null.conditions, null.annotators, null.items)
        sure = rng.standard_normal((people, 1)) + effects + rng.standard_normal((people, null.items))
        confidence = np.clip(np.round(3 + sure / 2), 1, 5)
        right = (answers == 0).astype(np.float64)
        yield Study(letters.reshape(shape).astype(np.float64), right.reshape(shape), confidence.reshape(shape))


def _accuracy(study: Study) -> float | None:
    first, second = study.right.mean(axis=2)
    return permutation_test(first, second).p


def _confidence(study: Study) -> float | None:
    first, second = study.confidence.mean(axis=2)
    return permutation_test(first, second).p


def _alpha(study: Study) -> float | None:
    return alpha_test(study.letters[0], study.letters[1], "nominal").p


def _trend(study: Study) -> float | None:
    return trend_test(list(study.right.mean(axis=2))).p


def _confidence_trend(study: Study) -> float | None:
    return trend_test(list(study.confidence.mean(axis=2))).p


def _alpha_trend(study: Study) -> float | None:
    return alpha_trend_test(list(study.letters), "nominal").p


def pooled(study: Study) -> float | None:
    """z test of two proportions, as if every answer came from another person and item."""
    first, second = study.right.mean(axis=(1, 2))
    share, n = (first + second) / 2, study.right[0].size
    error = (2 * share * (1 - share) / n) ** 0.5
    return float(2 * ndtr(-abs(first - second) / error)) if error else None


def paired(study: Study) -> float | None:
    """t test over items of the difference of the two conditions' shares of right answers."""
    apart = study.right[0].mean(axis=0) - study.right[1].mean(axis=0)
    error = float(apart.std(ddof=1)) / len(apart) ** 0.5
    return float(2 * stdtr(len(apart) - 1, -abs(float(apart.mean())) / error)) if error else None
