"""How often tests reject: true nulls in one population, where people differ and items are shared, and true differences.

Tests that are not offered are computed here alone, to show why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from analysis_core.statistics import alpha_test, alpha_trend_test, permutation_test, trend_test
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.simulation import Population, as_letters, draw_items, simulate_answers

LEVEL = 0.05


@dataclass(frozen=True)
class Study:
    """One simulated study: per condition letters, right answers, confidences, each float64 [annotators, items]."""

    letters: Sequence[Floats]
    right: Sequence[Floats]
    confidence: Sequence[Floats]


@dataclass(frozen=True)
class Null:
    """A test on studies of one size. p: None where it has none

    sizes:     annotators of each condition
    consensus: "same", or "other": in each further condition every answer is the next letter, and agreement the same
    other:     the population of the last condition, where it is not the same
    is_true:   False where there is a difference, which should be found
    """

    name: str
    offered: bool
    sizes: tuple[int, ...]
    items: int
    population: Population
    p: Callable[[Study], float | None]
    consensus: str = "same"
    other: Population | None = None
    is_true: bool = True

    @property
    def size(self) -> str:
        """2 x 5, 20 or 3 v 8, 20: conditions, annotators, items."""
        each = f"{len(self.sizes)} x {self.sizes[0]}" if len(set(self.sizes)) == 1 else " v ".join(map(str, self.sizes))
        return f"{each}, {self.items}"

    @property
    def where(self) -> str:
        """The population in words."""
        said = _in_words(self.population)
        said += f" against {_in_words(self.other)}" if self.other else ""
        return said if self.consensus == "same" else f"{said}; another consensus in each condition"


@dataclass(frozen=True)
class Rejections:
    """rejected: share of the studies that have a p of at most .05; undefined: share that have none"""

    null: Null
    rejected: float
    undefined: float
    studies: int

    @property
    def error(self) -> float:
        """Standard error of the share, were it 5 %; where there is a difference that of the share itself."""
        share = LEVEL if self.null.is_true else self.rejected
        return float((share * (1 - share) / max(1, self.studies)) ** 0.5)


def nulls() -> tuple[Null, ...]:
    """Everything that is simulated: tests that are offered, then those that are not."""
    usual, apart = Population(), Population(annotator_sd=1.0)
    offered = [
        Null(name, True, (each, each), 20, population, test)
        for population in (usual, apart)
        for name, test in (("accuracy", _accuracy), ("alpha", alpha_p), ("confidence", _confidence))
        for each in (5, 7)
    ]
    trends = [
        Null("trend of accuracy", True, (3,) * 5, 20, apart, _trend),
        Null("trend of alpha", True, (3,) * 3, 20, apart, alpha_trend_p),
        Null("trend of confidence", True, (3,) * 5, 20, apart, _confidence_trend),
    ]
    refused = [
        Null(name, False, (each, each), items, population, test)
        for population in (Population(annotator_sd=0.0), usual, apart)
        for each, items in ((7, 20), (5, 100))
        for name, test in (("pooled two-proportion", pooled), ("paired over items", paired))
    ]
    return (*offered, *trends, *refused)


def rejections(null: Null, number: int, seed: int) -> Rejections:
    """The share of `number` simulated studies in which the test rejects at .05."""
    found = [null.p(study) for study in studies(null, number, seed)]
    there = [p for p in found if p is not None]
    # Exact p-values of .05 must not be lost to rounding.
    rejected = sum(p <= LEVEL + 1e-9 for p in there) / max(1, len(there))
    return Rejections(null, rejected, 1 - len(there) / number, number)


def studies(null: Null, number: int, seed: int) -> Iterator[Study]:
    """Studies in which conditions share items and differ in who was asked, and as the null says."""
    sizes = null.sizes[:1] if len(set(null.sizes)) == 1 else null.sizes
    rng, population = np.random.default_rng([seed, len(null.sizes), *sizes, null.items]), null.population
    people, borders = sum(null.sizes), np.cumsum(null.sizes)[:-1]
    for _ in range(number):
        effects = draw_items(population, items=null.items, tables=1, rng=rng)
        answers = simulate_answers(
            population, annotators=people, items=null.items, tables=1, rng=rng, item_effects=effects
        )
        if null.other:
            last = null.sizes[-1]
            answers[:, -last:] = simulate_answers(
                null.other, annotators=last, items=null.items, tables=1, rng=rng, item_effects=effects
            )
        letters = as_letters(answers, population.choices, rng=rng)[0].astype(np.float64)
        sure = rng.standard_normal((people, 1)) + effects + rng.standard_normal((people, null.items))
        confidence = np.clip(np.round(3 + sure / 2), 1, 5)
        right = (answers[0] == 0).astype(np.float64)
        parts = [np.split(each, borders) for each in (letters, right, confidence)]
        if null.consensus == "other":
            parts[0] = [(part + further) % population.choices for further, part in enumerate(parts[0])]
        yield Study(*parts)


def _accuracy(study: Study) -> float | None:
    first, second = (part.mean(axis=1) for part in study.right)
    return permutation_test(list(first), list(second)).p


def _confidence(study: Study) -> float | None:
    first, second = (part.mean(axis=1) for part in study.confidence)
    return permutation_test(list(first), list(second)).p


def alpha_p(study: Study) -> float | None:
    """The test of two alphas that is offered."""
    return alpha_test(study.letters[0], study.letters[1], "nominal").p


def _trend(study: Study) -> float | None:
    return trend_test([list(part.mean(axis=1)) for part in study.right]).p


def _confidence_trend(study: Study) -> float | None:
    return trend_test([list(part.mean(axis=1)) for part in study.confidence]).p


def alpha_trend_p(study: Study) -> float | None:
    """The test for a trend of alpha that is offered."""
    return alpha_trend_test(study.letters, "nominal").p


def pooled(study: Study) -> float | None:
    """z test of two proportions, as if every answer came from another person and item."""
    first, second = (float(part.mean()) for part in study.right)
    share, n = (first + second) / 2, study.right[0].size
    error = (2 * share * (1 - share) / n) ** 0.5
    return float(2 * ndtr(-abs(first - second) / error)) if error else None


def paired(study: Study) -> float | None:
    """t test over items of the difference of the two conditions' shares of right answers."""
    apart = study.right[0].mean(axis=0) - study.right[1].mean(axis=0)
    error = float(apart.std(ddof=1)) / len(apart) ** 0.5
    return float(2 * stdtr(len(apart) - 1, -abs(float(apart.mean())) / error)) if error else None


def _in_words(population: Population) -> str:
    return f"{population.accuracy:g}, SDs {population.annotator_sd:g} and {population.item_sd:g}"
