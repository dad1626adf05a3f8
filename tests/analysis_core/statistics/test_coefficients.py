"""Percent agreement, Fleiss' kappa and AC1: values derived by hand, statsmodels as an oracle, what is undefined."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.statistics import alpha, ratings
from analysis_core.statistics.coefficients import Coefficient, fleiss_kappa, gwet_ac1, percent_agreement

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

ALL = (percent_agreement, fleiss_kappa, gwet_ac1)
#: Two raters, four units: A A, A B, B B, B B.
COMPLETE = [["A", "A", "B", "B"], ["A", "B", "B", "B"]]
#: Three raters: A A -, A B B, A - -.
MISSING = [["A", "A", "A"], ["A", "B", None], [None, "B", None]]


def test_a_complete_table_gives_the_values_derived_by_hand():
    # p_a = (1 + 0 + 1 + 1) / 4 = 3/4; pi_A = (1 + 1/2) / 4 = 3/8, pi_B = 5/8.
    # Fleiss: p_e = 9/64 + 25/64 = 17/32, (24 - 17) / (32 - 17) = 7/15.
    # AC1: p_e = 2 * (3/8 * 5/8) / (2 - 1) = 15/32, (24 - 15) / (32 - 15) = 9/17.
    assert percent_agreement(COMPLETE) == Coefficient(0.75, None)
    assert fleiss_kappa(COMPLETE).value == pytest.approx(7 / 15, abs=1e-15)
    assert gwet_ac1(COMPLETE).value == pytest.approx(9 / 17, abs=1e-15)


def test_missing_answers_leave_agreement_to_units_with_two_and_prevalence_to_units_with_one():
    # p_a = (1 + 1/3) / 2 = 2/3 over the first two units; pi_A = (1 + 1/3 + 1) / 3 = 7/9 over all three, pi_B = 2/9.
    # Fleiss: p_e = 53/81, (54 - 53) / (81 - 53) = 1/28. AC1: p_e = 2 * 14/81 = 28/81, (54 - 28) / (81 - 28) = 26/53.
    assert percent_agreement(MISSING).value == pytest.approx(2 / 3, abs=1e-15)
    assert fleiss_kappa(MISSING).value == pytest.approx(1 / 28, abs=1e-15)
    assert gwet_ac1(MISSING).value == pytest.approx(26 / 53, abs=1e-15)


def test_units_that_nobody_answered_and_raters_without_answers_change_nothing():
    wider = [[*row, None] for row in MISSING] + [[None] * 4]
    assert [measure(wider) for measure in ALL] == [measure(MISSING) for measure in ALL]


def test_declared_categories_that_never_occur_make_chance_rarer_for_ac1():
    # q = 4: p_e = (15/32) / 3 = 5/32, (24 - 5) / (32 - 5) = 19/27.
    assert gwet_ac1(COMPLETE, categories=4).value == pytest.approx(19 / 27, abs=1e-15)
    assert gwet_ac1(COMPLETE, categories="ABCD") == gwet_ac1(COMPLETE, categories=4)
    assert gwet_ac1(COMPLETE, categories=2) == gwet_ac1(COMPLETE)


def test_fewer_declared_categories_than_occur_are_refused():
    with pytest.raises(BadInput, match="1 categories are declared, but 2 different answers occur"):
        gwet_ac1(COMPLETE, categories=["A"])


def test_unanimous_answers_agree_fully_but_not_beyond_chance():
    table = [["A", "A", "A"]] * 3
    assert percent_agreement(table) == Coefficient(1.0, None)
    assert fleiss_kappa(table) == Coefficient(None, "no_variation")
    assert gwet_ac1(table) == Coefficient(None, "no_variation")


def test_with_a_declared_domain_unanimous_answers_have_an_ac1_of_one():
    # pi = (1, 0): p_e = 0.
    assert gwet_ac1([["A", "A"], ["A", "A"]], categories=2) == Coefficient(1.0, None)


def test_unanimity_among_three_raters_of_many_units_is_no_variation_in_spite_of_round_off():
    table = np.zeros((3, 9_999))
    assert fleiss_kappa(table).reason == "no_variation"


def test_one_other_answer_among_very_many_is_variation():
    table = np.zeros((2, 100_000))
    table[0, 0] = 1
    # Both answers of the first unit differ: p_a = 1 - 1/n, pi = 1 - 1/(2n), kappa = -1 / (2n - 1).
    assert fleiss_kappa(table).value == pytest.approx(-1 / 199_999, abs=1e-9)


def test_variation_in_an_answer_that_cannot_be_compared_counts_as_prevalence_unlike_in_alpha():
    # A A and a lone B: p_a = 1, pi = (1/2, 1/2), p_e = 1/2; alpha leaves the lone answer out and has no variation.
    table = [["A", "B"], ["A", None]]
    assert fleiss_kappa(table) == gwet_ac1(table) == Coefficient(1.0, None)
    assert alpha(table, "nominal").reason == "no_variation"


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize("table", [[["A", "B"]], [["A", None], [None, "B"]], [[None], [None]], [[], []], []])
def test_without_a_unit_that_two_raters_answered_there_is_no_overlap(
    measure: Callable[[Any], Coefficient], table: list[list[str | None]]
):
    assert measure(table) == Coefficient(None, "no_overlap")


@pytest.mark.parametrize("seed", range(20))
def test_complete_tables_equal_statsmodels(seed: int):
    rng = np.random.default_rng(seed)
    raters, units, categories = rng.integers(2, 9), rng.integers(2, 60), rng.integers(2, 7)
    table = rng.integers(0, categories, (raters, units))
    counts = np.stack([(table == category).sum(axis=0) for category in range(categories)], axis=1)
    assert fleiss_kappa(table).value == pytest.approx(statsmodels_fleiss(counts), abs=1e-12)


@pytest.mark.parametrize("measure", ALL)
def test_ratings_of_any_level_and_tables_give_the_same(measure: Callable[[Any], Coefficient]):
    table = np.random.default_rng(0).integers(0, 4, (5, 30)).astype(float)
    table[:, ::7] = np.nan
    table[2, 5:20] = np.nan
    expected = measure(table)
    assert all(measure(ratings.read(table, level)) == expected for level in ratings.LEVELS)
    labels = [["xyzw"[int(cell)] if cell == cell else None for cell in row] for row in table]
    assert measure(labels).value == pytest.approx(expected.value, abs=1e-14)


@pytest.mark.parametrize("measure", ALL)
def test_what_is_no_table_is_refused(measure: Callable[[Any], Coefficient]):
    with pytest.raises(BadInput, match="must be a table"):
        measure(["AB", "AB"])


def test_a_million_answers_of_which_no_two_are_alike_fit_into_memory():
    # 10^6 units x 10^6 categories would be 10^12 counts. Two raters, all pairs differ: p_a = 0, p_e = 10^-6.
    n = 500_000
    rater, unit = np.repeat([0, 1], n), np.tile(np.arange(n), 2)
    coded = ratings.from_long(rater, unit, np.arange(2 * n), "nominal")
    assert percent_agreement(coded).value == 0
    assert fleiss_kappa(coded).value == pytest.approx(-1e-6 / (1 - 1e-6), rel=1e-9)
