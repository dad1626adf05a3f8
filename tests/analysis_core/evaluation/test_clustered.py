"""Intervals of clustered shares: by hand, against statsmodels, and whether they cover."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.proportion import proportion_confint

from analysis_core.evaluation.alignment.clustered import chance, clustered_interval


def test_clusters_of_one_are_clopper_and_pearsons_interval_nearly():
    # The variance p(1 - p) / (n - 1) of single trials stands for n - 1 of them; degrees of freedom do not differ.
    found = clustered_interval([[True]] * 30 + [[False]] * 10)
    assert found == pytest.approx(proportion_confint(0.75 * 39, 39, method="beta"))


def test_clusters_whose_trials_end_alike_count_once_each():
    # 12 clusters of 5 equal trials, 9 of hits: the variance is that of 12 - 1 = 11 trials; t with 59 and 11 degrees.
    found = clustered_interval([[True] * 5] * 9 + [[False] * 5] * 3)
    trials = 11 * (t.ppf(0.975, 59) / t.ppf(0.975, 11)) ** 2
    assert found == pytest.approx(proportion_confint(0.75 * trials, trials, method="beta"))


def test_clusters_that_balance_inside_never_count_for_more_than_their_trials():
    # One hit of two in each of 20 clusters: no variance between clusters.
    trials = 40 * (t.ppf(0.975, 39) / t.ppf(0.975, 19)) ** 2
    found = clustered_interval([[True, False]] * 20)
    assert found == pytest.approx(proportion_confint(trials / 2, trials, method="beta"))


def test_where_all_hit_or_none_does_each_cluster_is_one_trial():
    # Clopper and Pearson at 10 of 10: low = .025 ** (1 / 10).
    assert clustered_interval([[True] * 4] * 10) == pytest.approx((0.025**0.1, 1))
    assert clustered_interval([[False] * 4] * 10) == pytest.approx((0, 1 - 0.025**0.1))


def test_one_cluster_says_nothing():
    assert clustered_interval([[True, False, True]]) == (0, 1)


def test_the_interval_covers_the_truth_in_most_samples_of_dependent_trials():
    # Shares per cluster from Beta(2, 2): half of the variance lies between clusters. Wilson's interval, which takes
    # trials as independent, covers in .78 of these samples (measured).
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        shares = rng.beta(2, 2, 20)
        low, high = clustered_interval([(rng.random(10) < share).tolist() for share in shares])
        covered += low <= 0.5 <= high
    # Binomial standard error of .95 over 300: .0126.
    assert covered / 300 > 0.95 - 3 * 0.0126


@pytest.mark.parametrize(
    ("named", "candidates", "top", "expected"),
    # 1 - (4 / 6)(3 / 5) = .6 for one of two named among two drawn of six.
    [(1, 4, 1, 1 / 4), (1, 4, 2, 1 / 2), (2, 6, 2, 0.6), (1, 2, 2, 1), (1, 1, 2, 1)],
)
def test_chance_is_drawing_without_replacement(named, candidates, top, expected):
    assert chance(named, candidates, top) == pytest.approx(expected)
