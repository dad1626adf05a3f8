"""Simulated tables whose true figures are known: what intervals are judged by."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.simulation import (
    Answers,
    Population,
    as_letters,
    draw_items,
    marginal_accuracy,
    normal_rule,
    population_alpha,
    shares_right,
    simulate_answers,
)

#: Tables drawn at a time.
BATCH = 250


@dataclass(frozen=True)
class Design:
    """One size of study in one population; missing: share of answers left out at random."""

    population: Population
    annotators: int
    items: int
    missing: float = 0.0

    @property
    def size(self) -> str:
        return f"{self.annotators} x {self.items}"

    @property
    def where(self) -> str:
        """The population in words."""
        p = self.population
        said = f"{p.accuracy:g}, SDs {p.annotator_sd:g} and {p.item_sd:g}, {p.choices} choices"
        return said + (f", {self.missing:.0%} missing" if self.missing else "")

    def generator(self, seed: int) -> np.random.Generator:
        """A stream of its own, whatever else is simulated."""
        return np.random.default_rng([seed, zlib.crc32(f"{self.size} {self.where}".encode())])


@dataclass(frozen=True)
class Table:
    """One simulated study.

    letters: float64 [annotators, items], nan missing; right: 1, 0, nan likewise
    truth:   what each interval should contain, by what it generalises to; "accuracy" for that of accuracy
    """

    letters: Floats
    right: Floats
    truth: dict[str, float]


def tables(design: Design, number: int, seed: int) -> Iterator[Table]:
    """Simulated tables of a design with their true figures.

    both:       alpha of endless annotators and items: population_alpha, by quadrature
    annotators: alpha of endless annotators on the table's items and their letters: given the items' effects, agreement
                and the shares of the letters are sums over items
    items:      alpha of the table's annotators on endless items: pairs of annotators agree with the mean over items of
                p_i p_j + (1 - p_i) (1 - p_j) / (choices - 1); letters are equally frequent
    """
    rng, population = design.generator(seed), design.population
    both, accuracy = population_alpha(population), marginal_accuracy(population)
    for start in range(0, number, BATCH):
        count = min(BATCH, number - start)
        items = draw_items(population, items=design.items, tables=count, rng=rng)
        people = population.annotator_sd * rng.standard_normal((count, design.annotators))
        answers = simulate_answers(
            population,
            annotators=design.annotators,
            items=design.items,
            tables=count,
            rng=rng,
            item_effects=items,
            annotator_effects=people,
        )
        letters = as_letters(answers, population.choices, rng=rng)
        of_annotators = alpha_of_these_items(population, items, answers, letters)
        of_items = alpha_of_these_annotators(population, people)
        gone = rng.random(answers.shape) < design.missing
        given = [np.where(gone, np.nan, cells) for cells in (letters, (answers == 0).astype(np.float64))]
        for index in range(count):
            truth = {"both": both, "accuracy": accuracy}
            truth |= {"annotators": float(of_annotators[index]), "items": float(of_items[index])}
            yield Table(given[0][index], given[1][index], truth)


def alpha_of_these_items(population: Population, effects: Floats, answers: Answers, letters: Answers) -> Floats:
    """Alpha of endless annotators on these items: float64 [tables]. effects: [tables, items]"""
    share, k = shares_right(population, effects), population.choices
    agreement = (share**2 + (1 - share) ** 2 / (k - 1)).mean(axis=1)
    right = (letters[:, 0].astype(np.int64) - answers[:, 0]) % k
    is_right = right[:, :, None] == np.arange(k)
    frequency = np.where(is_right, share[:, :, None], ((1 - share) / (k - 1))[:, :, None]).mean(axis=1)
    return np.asarray(1 - (1 - agreement) / (1 - (frequency**2).sum(axis=1)))


def alpha_of_these_annotators(population: Population, effects: Floats) -> Floats:
    """Alpha of these annotators on endless items: float64 [tables]. effects: [tables, annotators]"""
    nodes, weights = normal_rule()
    p = expit(logit(population.accuracy) + effects[:, :, None] + population.item_sd * nodes)
    pairs = effects.shape[1] * (effects.shape[1] - 1)
    both_right = p.sum(axis=1) ** 2 - (p**2).sum(axis=1)
    both_wrong = (1 - p).sum(axis=1) ** 2 - ((1 - p) ** 2).sum(axis=1)
    agreement = ((both_right + both_wrong / (population.choices - 1)) / pairs) @ weights
    return np.asarray(1 - (1 - agreement) / (1 - 1 / population.choices))
