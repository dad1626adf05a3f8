"""Answer tables drawn from crossed random effects, and what such a population's accuracy and alpha are exactly.

Called by the planner, by `python -m benchmarks.coverage` and by tests: the model in which intervals are judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from analysis_core.errors import BadInput
from analysis_core.statistics.ratings import Floats

Answers = npt.NDArray[np.int8]

#: Nodes of the Gauss-Hermite rule: with SDs up to 3 the integrals are right to 1e-9.
NODES = 120


@dataclass(frozen=True)
class Population:
    """People and items as crossed random effects: logit P(right) = m + annotator + item, both effects normal.

    accuracy:     chance of a right answer of the average annotator on the average item, so m = logit(accuracy); the
                  mean over people and items (marginal_accuracy) lies nearer to a half: .665 for .7 with these SDs
    annotator_sd: standard deviation of annotators, in logits
    item_sd:      standard deviation of items, in logits
    choices:      answers to choose from; a wrong answer is any of the others with the same chance
    raises:       BadInput
    """

    accuracy: float = 0.7
    annotator_sd: float = 0.5
    item_sd: float = 1.0
    choices: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.accuracy < 1:
            raise BadInput(f"accuracy lies between 0 and 1, not at {self.accuracy:g}")
        if not (0 <= self.annotator_sd < np.inf and 0 <= self.item_sd < np.inf):
            raise BadInput("standard deviations are finite and not negative")
        if not 2 <= self.choices <= 100:
            raise BadInput(f"an item has 2 to 100 choices, not {self.choices}")


def simulate_answers(
    population: Population,
    *,
    annotators: int,
    items: int,
    tables: int,
    rng: np.random.Generator,
    item_effects: Floats | None = None,
    annotator_effects: Floats | None = None,
) -> Answers:
    """Tables of answers: int8 [tables, annotators, items], 0 right, 1 .. choices - 1 a wrong answer.

    item_effects: float64 [tables, items] in logits, drawn where left out; hand over the same ones for conditions that
                  share their items (draw_items)
    annotator_effects: float64 [tables, annotators] in logits, likewise
    raises: BadInput (an empty design)
    """
    if min(annotators, items, tables) < 1:
        raise BadInput("at least one annotator, one item and one table are needed")
    if item_effects is None:
        item_effects = draw_items(population, items=items, tables=tables, rng=rng)
    if annotator_effects is None:
        annotator_effects = population.annotator_sd * rng.standard_normal((tables, annotators))
    chances = expit(logit(population.accuracy) + annotator_effects[:, :, None] + item_effects[:, None, :])
    right = rng.random((tables, annotators, items)) < chances
    wrong = rng.integers(1, population.choices, right.shape, dtype=np.int8)
    return np.where(right, np.int8(0), wrong)


def draw_items(population: Population, *, items: int, tables: int, rng: np.random.Generator) -> Floats:
    """Effects of items in logits: float64 [tables, items]."""
    return population.item_sd * rng.standard_normal((tables, items))


def as_letters(answers: Answers, choices: int, *, rng: np.random.Generator) -> Answers:
    """The same answers as letters 0 .. choices - 1, where each item's right letter is drawn at random.

    This is what alpha is computed from: with the code 0 for every right answer, people who are right would agree by
    chance on "right", while on letters the chance agreement is 1 / choices.
    answers: int8 [tables, annotators, items]
    """
    right = rng.integers(0, choices, (answers.shape[0], 1, answers.shape[2]), dtype=np.int64)
    return ((answers + right) % choices).astype(np.int8)


def marginal_accuracy(population: Population) -> float:
    """Mean chance of a right answer over all annotators and items, by Gauss-Hermite quadrature."""
    spread = float(np.hypot(population.annotator_sd, population.item_sd))
    nodes, weights = normal_rule()
    return float(weights @ expit(logit(population.accuracy) + spread * nodes))


def population_alpha(population: Population) -> float:
    """Nominal alpha of endless annotators and items, on letters: 1 - disagreement / (1 - 1 / choices).

    Two annotators agree on an item with the chance q^2 + (1 - q)^2 / (choices - 1), where q is the item's chance of a
    right answer, averaged over annotators (they are independent given the item); averaged over items by quadrature.
    """
    nodes, weights = normal_rule()
    shares = shares_right(population, population.item_sd * nodes)
    agreement = weights @ (shares**2 + (1 - shares) ** 2 / (population.choices - 1))
    return float(1 - (1 - agreement) / (1 - 1 / population.choices))


def shares_right(population: Population, item_effects: Floats) -> Floats:
    """Share of all annotators who are right on items with these effects (any shape), by quadrature."""
    nodes, weights = normal_rule()
    chances = expit(logit(population.accuracy) + item_effects[..., None] + population.annotator_sd * nodes)
    return np.asarray(chances @ weights)


def normal_rule() -> tuple[Floats, Floats]:
    """Nodes and weights for means over a standard normal variable: float64 [NODES] each."""
    found: Any = np.polynomial.hermite_e.hermegauss(NODES)
    return found[0], found[1] / found[1].sum()
