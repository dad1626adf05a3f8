"""Tests at annotator level: counted by hand on small tables, compared with scipy on larger ones."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from analysis_core.errors import BadInput
from analysis_core.statistics import holm, permutation_test, trend_test
from analysis_core.statistics.permutation import SAMPLED


def test_three_against_three_cannot_go_below_a_tenth():
    # 6! / (3! 3!) = 20 relabellings; the observed one and its mirror are the most extreme.
    found = permutation_test([0.8, 0.9, 1.0], [0.1, 0.2, 0.3])
    assert (found.p, found.smallest_p, found.exact) == (0.1, 0.1, True)
    assert found.statistic == pytest.approx(0.7)


def test_two_against_two_counted_by_hand():
    # Sums of the pairs of (3, 1, 2, 0): 4 5 3 3 1 2, so |difference of means| = 1 2 0 0 2 1; four of six are >= 1.
    found = permutation_test([3, 1], [2, 0])
    assert found.p == pytest.approx(4 / 6)
    assert found.smallest_p == pytest.approx(2 / 6)


def test_unequal_arms_have_no_mirror():
    # 3 relabellings; 9 alone on one side is the only one as extreme.
    found = permutation_test([9], [1, 2])
    assert (found.p, found.smallest_p) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_equal_scores_tell_nothing():
    assert permutation_test([0.5, 0.5], [0.5, 0.5]).p == 1
    found = trend_test([[0.5, 0.5], [0.5]])
    assert (found.p, found.statistic) == (1, None)


def test_rounding_does_not_break_ties():
    # 0.1 + 0.2 and 0.3 + 0.0 differ in the last bit; the true difference is 0, which every relabelling reaches.
    assert permutation_test([0.3, 0.0], [0.1, 0.2]).p == 1


def test_exact_values_equal_scipy():
    a, b = np.random.default_rng(0).normal(size=(2, 5))
    expected = stats.permutation_test(
        (a, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=np.inf, vectorized=True
    )
    assert permutation_test(a, b).p == pytest.approx(expected.pvalue)


def test_every_relabelling_counts_as_enumeration_counts_it():
    a, b = [0.3, 0.7, 0.5], [0.4, 0.9, 0.8, 0.6]
    scores, differences = a + b, []
    for side in combinations(range(7), 3):
        rest = [scores[i] for i in range(7) if i not in side]
        differences.append(abs(np.mean([scores[i] for i in side]) - np.mean(rest)))
    found = permutation_test(a, b)
    assert found.p == pytest.approx(np.mean(np.array(differences) >= differences[0] - 1e-12))
    assert (found.smallest_p, found.unit, found.reason) == (1 / 35, "annotator", None)


def test_a_trend_counts_every_way_to_fill_the_conditions():
    groups = [[0.2, 0.4], [0.6, 0.3], [0.9]]
    scores, sums = [0.2, 0.4, 0.6, 0.3, 0.9], []
    for order in set(permutations([0, 0, 1, 1, 2])):
        sums.append(abs(sum(place * (score - 0.48) for place, score in zip(order, scores, strict=True))))
    observed = abs(sum(place * (score - 0.48) for place, score in zip([0, 0, 1, 1, 2], scores, strict=True)))
    assert trend_test(groups).p == pytest.approx(np.mean(np.array(sums) >= observed - 1e-12))


def test_large_arms_are_sampled_with_the_observed_one_counted():
    a, b = np.arange(20.0) + 100, np.arange(20.0)
    found = permutation_test(a, b)
    assert (found.p, found.smallest_p, found.exact) == (1 / (SAMPLED + 1), 1 / (SAMPLED + 1), False)
    close = permutation_test(a - 99, b, seed=3)
    assert close == permutation_test(a - 99, b, seed=3)
    # The t test of the same data; Monte Carlo error of p is at most 4 * .5 / sqrt(19,999) = .014.
    assert close.p == pytest.approx(stats.ttest_ind(a - 99, b).pvalue, abs=0.02)


def test_a_trend_over_three_single_annotators_counted_by_hand():
    # 3! = 6 orders, the rising and the falling one are perfect.
    found = trend_test([[1], [2], [3]])
    assert (found.p, found.smallest_p, found.statistic) == (
        pytest.approx(1 / 3),
        pytest.approx(1 / 3),
        pytest.approx(1),
    )


def test_a_trend_over_three_pairs_counted_by_hand():
    # Three ones on the orders 0 0 1 1 2 2: order sums of 5 (two ways: both 2s and a 1) or 1 (two ways) of 20 placings.
    found = trend_test([[0, 0], [0, 1], [1, 1]])
    assert found.p == pytest.approx(4 / 20)
    assert found.smallest_p == pytest.approx(2 / (math.factorial(6) / 8))
    assert found.exact


def test_a_trend_over_five_arms_of_three_is_found():
    groups = [[0.3 + 0.1 * arm + 0.02 * k for k in range(3)] for arm in range(5)]
    found = trend_test(groups)
    assert not found.exact
    assert found.p < 0.001
    assert found.statistic > 0.9


def test_p_values_are_uniform_when_nothing_differs():
    rng = np.random.default_rng(0)
    p = np.array([trend_test(rng.normal(size=(3, 3)).tolist()).p for _ in range(300)])
    # Binomial(300, .2): mean .2, standard error .023.
    assert abs((p <= 0.2).mean() - 0.2) < 0.07


def test_holm_keeps_the_order_given():
    # Sorted: .005 * 4 = .02, .01 * 3 = .03, .03 * 2 = .06, .04 * 1 = .04 but not below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


@pytest.mark.parametrize("p", [[1.2], [-0.1], [float("nan")]])
def test_holm_refuses_what_is_no_p_value(p: list[float]):
    with pytest.raises(BadInput):
        holm(p)


def test_annotators_without_a_score_are_refused_by_place():
    with pytest.raises(BadInput, match="condition b: annotator 1 has no score"):
        permutation_test([1.0], [1.0, float("nan")])
    with pytest.raises(BadInput, match="condition 1 has no annotator"):
        trend_test([[1.0], []])
    with pytest.raises(BadInput, match="at least two"):
        trend_test([[1.0]])
