"""Simulated answer tables: moments against numerical integration, and the figures that the planner starts from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from analysis_core.errors import BadInput
from analysis_core.statistics.agreement import alpha
from analysis_core.statistics.replicates import bootstrap_alphas
from analysis_core.statistics.simulation import (
    Population,
    as_letters,
    draw_items,
    marginal_accuracy,
    population_alpha,
    simulate_answers,
)

USUAL = Population()


def mean_over_normal(function) -> float:
    return quad(lambda x: function(x) * norm.pdf(x), -9, 9, epsabs=1e-11)[0]


def share(item: float) -> float:
    return mean_over_normal(lambda x: expit(np.log(0.7 / 0.3) + item + 0.5 * x))


def test_accuracy_is_that_of_the_average_annotator_and_the_mean_lies_nearer_to_a_half():
    # The sum of the two effects is normal with variance .25 + 1.
    expected = mean_over_normal(lambda x: expit(np.log(0.7 / 0.3) + 1.25**0.5 * x))
    assert marginal_accuracy(USUAL) == pytest.approx(expected, abs=1e-9)
    assert marginal_accuracy(Population(0.7, 0, 0)) == pytest.approx(0.7)


def test_shares_of_right_answers_and_their_spread_equal_numerical_integration():
    right = simulate_answers(USUAL, annotators=6, items=30, tables=4_000, rng=np.random.default_rng(0)) == 0
    # Two annotators on one item are both right with E(share^2); two items of one annotator likewise with E(skill^2).
    same_item = mean_over_normal(lambda x: share(x) ** 2)
    same_annotator = mean_over_normal(lambda x: mean_over_normal(lambda y: expit(np.log(0.7 / 0.3) + y + 0.5 * x)) ** 2)
    # 4,000 tables: standard errors of .0016 and less.
    assert right.mean() == pytest.approx(marginal_accuracy(USUAL), abs=0.006)
    assert (right[:, 0] & right[:, 1]).mean() == pytest.approx(same_item, abs=0.01)
    assert (right[:, :, 0] & right[:, :, 1]).mean() == pytest.approx(same_annotator, abs=0.015)


def test_wrong_answers_are_uniform_over_the_other_choices():
    answers = simulate_answers(USUAL, annotators=5, items=40, tables=500, rng=np.random.default_rng(1))
    wrong = np.bincount(answers[answers > 0], minlength=4)[1:]
    # About 33,500 wrong answers: standard error of a share .0026.
    assert np.abs(wrong / wrong.sum() - 1 / 3).max() < 0.011
    assert answers.dtype == np.int8


def test_alpha_of_the_population_is_by_two_integrals_and_what_large_tables_show():
    agreement = mean_over_normal(lambda x: share(x) ** 2 + (1 - share(x)) ** 2 / 3)
    assert population_alpha(USUAL) == pytest.approx(1 - (1 - agreement) / 0.75, abs=1e-8)
    rng = np.random.default_rng(2)
    answers = simulate_answers(USUAL, annotators=40, items=3_000, tables=4, rng=rng)
    found = [alpha(table, "nominal").value for table in as_letters(answers, 4, rng=rng)]
    # Standard deviation of one table's alpha: about .012.
    assert np.mean(found) == pytest.approx(population_alpha(USUAL), abs=0.025)


def test_without_any_spread_two_annotators_agree_by_the_binomial_alone():
    # q = .7, 4 choices: .49 + .09 / 3 = .52 agree, .48 do not; 1 - .48 / .75 = .36.
    assert population_alpha(Population(0.7, 0, 0)) == pytest.approx(0.36)


@pytest.mark.parametrize(
    ("annotators", "items", "width"), [(3, 20, 0.42), (3, 40, 0.31), (5, 40, 0.24), (10, 40, 0.19)]
)
def test_widths_over_items_are_those_that_studies_are_planned_with(annotators: int, items: int, width: float):
    rng = np.random.default_rng(annotators * items)
    answers = simulate_answers(USUAL, annotators=annotators, items=items, tables=200, rng=rng)
    widths = []
    for table in as_letters(answers, 4, rng=rng):
        found = bootstrap_alphas(table, "nominal", replicates=400, seed=0)
        widths.append(np.subtract(*np.quantile(found, [0.975, 0.025])))
    # Widths of single tables scatter by .05 at 3 x 20: .0035 for the mean of 200, and the figure is rounded to .01.
    assert np.mean(widths) == pytest.approx(width, abs=0.016)


def test_conditions_can_share_their_items():
    rng = np.random.default_rng(3)
    effects = draw_items(USUAL, items=40, tables=200, rng=rng)
    arms = [
        simulate_answers(USUAL, annotators=20, items=40, tables=200, rng=rng, item_effects=effects) for _ in range(2)
    ]
    shares = [(arm == 0).mean(axis=1).ravel() for arm in arms]
    # Items vary by .19 between, single shares scatter by .1 around them: a correlation near .8.
    assert np.corrcoef(*shares)[0, 1] > 0.7


def test_the_same_seed_gives_the_same_tables():
    first, second = (
        simulate_answers(USUAL, annotators=3, items=5, tables=2, rng=np.random.default_rng(7)) for _ in range(2)
    )
    assert (first == second).all()


@pytest.mark.parametrize(
    "wrong", [{"accuracy": 1.0}, {"accuracy": 0}, {"annotator_sd": -1}, {"item_sd": float("nan")}, {"choices": 1}]
)
def test_a_population_that_cannot_be_is_refused(wrong: dict[str, float]):
    with pytest.raises(BadInput):
        Population(**wrong)


def test_an_empty_design_is_refused():
    with pytest.raises(BadInput, match="at least one"):
        simulate_answers(USUAL, annotators=0, items=5, tables=1, rng=np.random.default_rng(0))
