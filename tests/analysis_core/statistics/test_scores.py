"""Accuracy per annotator, its spread and its interval over annotators and items."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from analysis_core.errors import BadInput
from analysis_core.statistics import accuracy, crossed_accuracy, summary
from analysis_core.statistics.scores import wilson


def right(*counts: int, items: int = 20) -> list[list[int]]:
    return [[1] * count + [0] * (items - count) for count in counts]


def test_eight_ten_and_thirteen_of_twenty_are_51_7_plus_minus_12_6():
    found = accuracy(right(8, 10, 13))
    assert found.per_annotator == (0.4, 0.5, 0.65)
    # Deviations of 40, 50, 65 from 51.667: squares 136.1 + 2.8 + 177.8 = 316.7; 316.7 / 2 = 158.3 = 12.58^2.
    assert (round(100 * found.mean, 1), round(100 * found.std, 1)) == (51.7, 12.6)


def test_one_annotator_has_no_standard_deviation_and_no_interval():
    found = crossed_accuracy(right(8))
    assert (found.mean, found.std, found.interval) == (0.4, None, None)


def test_a_missing_answer_is_not_counted_as_wrong():
    found = accuracy([[1, 1, None, None], [1, 0, float("nan"), 0], [None] * 4])
    assert found.per_annotator == (1.0, pytest.approx(1 / 3), None)
    assert found.mean == pytest.approx(2 / 3)


def test_without_any_answer_there_is_no_mean():
    found = crossed_accuracy([[None, None]])
    assert (found.mean, found.std, found.interval, found.per_annotator) == (None, None, None, (None,))


def test_the_interval_of_a_complete_table_is_the_two_way_analysis_of_variance():
    chances = np.linspace(0.2, 0.6, 20) + np.linspace(0, 0.4, 6)[:, None]
    table = (np.random.default_rng(4).random((6, 20)) < chances).astype(float)
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    between_annotators = 20 * ((rows - mean) ** 2).sum() / 5
    between_items = 6 * ((columns - mean) ** 2).sum() / 19
    residual = ((table - rows[:, None] - columns + mean) ** 2).sum() / (5 * 19)
    # Var(mean) = (MS_annotators + MS_items - MS_residual) / cells, unbiased for crossed random effects.
    variance = (between_annotators + between_items - residual) / 120
    freedom = variance**2 / ((between_annotators / 120) ** 2 / 5 + (between_items / 120) ** 2 / 19)
    t = float(student.ppf(0.975, freedom))
    found = crossed_accuracy(table)
    assert variance > max(between_annotators, between_items) / 120
    assert found.over == "both"
    # Wilson's ends are the shares p whose distance from the mean is t standard errors at p: variance / (m (1 - m)) is
    # what one unit of p (1 - p) adds to it.
    for end in found.interval:
        assert abs(mean - end) == pytest.approx(t * (end * (1 - end) * variance / (mean * (1 - mean))) ** 0.5)


def test_with_the_variance_of_independent_answers_the_interval_is_wilsons():
    expected = proportion_confint(30, 40, method="wilson")
    assert wilson(0.75, 0.75 * 0.25 / 40, NormalDist().inv_cdf(0.975)) == pytest.approx(expected, abs=1e-12)


def test_the_interval_stays_among_shares_and_holds_the_mean():
    low, high = crossed_accuracy(right(19, 20, 18)).interval
    assert 0 <= low < 0.95 < high <= 1


def test_missing_answers_widen_the_interval():
    table = (np.random.default_rng(5).random((8, 40)) < 0.7).astype(float)
    thinned = np.where(np.random.default_rng(6).random(table.shape) < 0.5, np.nan, table)
    whole, thin = crossed_accuracy(table).interval, crossed_accuracy(thinned).interval
    assert thin[1] - thin[0] > whole[1] - whole[0]


@pytest.mark.parametrize("table", [[[1, 1], [1, 1]], [[0, 0, 0], [0, 0, 0]], [[1], [0]]])
def test_a_table_that_tells_nothing_about_scatter_has_no_interval(table: list[list[int]]):
    found = crossed_accuracy(table)
    assert (found.interval, found.over) == (None, "both")


def test_two_by_two_has_an_interval_that_says_nothing():
    # Variance 1 / 16 with one degree of freedom, t = 12.7.
    low, high = crossed_accuracy([[1, 1], [1, 0]]).interval
    assert low < 0.02
    assert high > 0.98


@pytest.mark.parametrize("confidence", [-0.5, 0.0, 1.0, 95.0, float("nan")])
def test_a_confidence_that_is_no_chance_is_refused(confidence: float):
    with pytest.raises(BadInput, match="between 0 and 1"):
        crossed_accuracy([[1, 0, 1], [1, 1, 0]], confidence=confidence)


def test_booleans_count_and_anything_else_is_refused():
    assert accuracy([[True, False]]).mean == 0.5
    with pytest.raises(BadInput, match=r"right and wrong are 1 and 0; found 0, 0\.5"):
        accuracy([[0, 0.5]])


def test_summaries_of_confidences_leave_out_what_is_missing():
    found = summary([3, None, 5, float("nan"), 4])
    assert (found.mean, found.std, found.n) == (4, 1, 3)
    assert summary([]).mean is None
    assert summary([2]).std is None
