"""The variance of crossed tables, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics.crossed import crossed_variance, jackknife_variance


def test_what_both_ways_contain_counts_once():
    # 5 + 4 - 3 = 6; 36 / (25 / 5 + 16 / 8) = 36 / 7.
    assert crossed_variance(5, 4, 3, 6, 9) == (6, pytest.approx(36 / 7))


def test_the_variance_is_never_below_either_way_alone():
    # 5 + 1 - 4 = 2 is less than 5; 25 / (25 / 2 + 1 / 2) = 25 / 13.
    assert crossed_variance(5, 1, 4, 3, 3) == (5, pytest.approx(25 / 13))


def test_there_is_at_least_one_degree_of_freedom():
    # 9 / (9 / 1 + 9 / 1) would be a half.
    assert crossed_variance(3, 3, 3, 2, 2) == (3, 1.0)
    assert crossed_variance(0, 0, 0, 2, 2) == (0, 1.0)


def test_the_jackknife_variance_of_a_mean_is_the_textbook_one():
    # Leave-one-out means of (1, 2, 6): 4, 3.5, 1.5; s^2 / n = 7 / 3.
    assert jackknife_variance(np.array([4, 3.5, 1.5])) == pytest.approx(7 / 3)
