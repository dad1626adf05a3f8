"""What each annotator adds to alpha, by hand; studentized differences against scipy's Welch test and at no variance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis_core.statistics import alpha
from analysis_core.statistics.crossed import jackknife_variance
from analysis_core.statistics.leave_one_out import leave_one_out
from analysis_core.statistics.permutation import all_labels
from analysis_core.statistics.pseudo_values import as_extreme, pseudo_values, studentized
from analysis_core.statistics.ratings import LEVELS, read

NAN = np.nan


def of(table: object, level: str = "nominal") -> np.ndarray | None:
    return pseudo_values(read(table, level), alpha(table, level).value or 0.0)


def test_pseudo_values_of_three_annotators_by_hand():
    # All: items AAA AAA BBB BBA, D_o = 2 / 12, 7 A and 5 B: D_e = 70 / 132, alpha = 1 - 132 / 420 = 24 / 35.
    # Without the first or second: D_o = 2 / 8, 5 A and 3 B: D_e = 30 / 56, alpha = 8 / 15; without the third 1.
    # Mean 31 / 45: 24 / 35 + 2 (31 / 45 - 24 / 45), and 24 / 35 + 2 (31 / 45 - 1) for the third.
    found = of([list("AABB"), list("AABB"), list("AABA")])
    assert found == pytest.approx([24 / 35 + 14 / 45, 24 / 35 + 14 / 45, 24 / 35 - 28 / 45])


@pytest.mark.parametrize("level", LEVELS)
def test_their_mean_is_alpha_and_their_standard_error_the_jackknifes(level: str):
    rng = np.random.default_rng(1)
    table = rng.integers(1, 5, (6, 15)).astype(float)
    table[rng.random(table.shape) < 0.2] = NAN
    found = of(table, level)
    by_annotator, _ = leave_one_out(read(table, level))
    assert found.mean() == pytest.approx(alpha(table, level).value)
    assert found.var(ddof=1) / 6 == pytest.approx(jackknife_variance(by_annotator))


def test_who_has_nothing_to_compare_has_alpha():
    # The fourth answers alone at the last item, and nothing else.
    found = of([[1, 1, 2, NAN], [1, 2, 2, NAN], [1, 1, 1, NAN], [NAN, NAN, NAN, 1]])
    assert found[3] == pytest.approx(found.mean())


@pytest.mark.parametrize(
    "table", [[[1, 2, 1], [1, 2, 2]], [[1, 1, 1], [1, 1, 1], [1, 1, 2]]], ids=["two annotators", "one who differs"]
)
def test_there_are_none_where_alpha_hangs_on_one_annotator(table: list[list[int]]):
    assert of(table) is None


def test_the_studentized_difference_is_welchs_t():
    values = np.random.default_rng(2).normal(size=9)
    labels = all_labels([4, 5])[::10]
    found = studentized(values, labels, np.array([1.0, -1.0]))
    expected = [stats.ttest_ind(values[row == 0], values[row == 1], equal_var=False)[0] for row in labels]
    assert found == pytest.approx(np.abs(expected))


def test_without_variance_an_equal_mean_is_nothing_and_another_one_more_than_anything():
    pair = np.array([1.0, -1.0])
    own = np.array([[0, 0, 0, 1, 1, 1]])
    assert studentized(np.ones(6), own, pair) == [0]
    assert studentized(np.array([1, 1, 1, 0.5, 0.5, 0.5]), own, pair) == [np.inf]
    # Of 20 ways to share these out only the observed one and its mirror image have no variance within.
    assert as_extreme(np.array([1, 1, 1, 0.5, 0.5, 0.5]), own[0], all_labels([3, 3]), pair) == 2
    # One side without variance is no difficulty: 0 0 0 against 1 2 3, mean 2, variance 1: 2 / sqrt(1 / 3).
    assert studentized(np.array([0, 0, 0, 1, 2, 3.0]), own, pair) == pytest.approx([2 / (1 / 3) ** 0.5])


def test_exchanging_equal_annotators_counts_as_equal_although_sums_round_differently():
    # .1 + .2 + .3 depends on the order of its terms in the last bit.
    values = np.array([0.1, 0.2, 0.3, 0.3, 0.2, 0.1]) / 3
    labels = all_labels([3, 3])
    # Differences of 0 are reached by all: the observed one is 0.
    assert as_extreme(values, [0, 0, 0, 1, 1, 1], labels, np.array([1.0, -1.0])) == 20
