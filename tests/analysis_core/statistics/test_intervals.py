"""Alpha's interval: the jackknife equals a brute-force one by the package, and nothing is faked."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from scipy.stats import t as student

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import alpha, alpha_interval
from analysis_core.statistics.ratings import LEVELS


def answers(raters: int, units: int, *, missing: float = 0.1, seed: int = 0) -> np.ndarray:
    """Correlated answers 1-4 with missing ones."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 5, units)
    table = np.where(rng.random((raters, units)) < 0.6, truth, rng.integers(1, 5, (raters, units))).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table


def by_package(table: np.ndarray, level: str) -> float:
    return float(krippendorff.alpha(table, level_of_measurement=level))


def ends(value: float, variance: float, quantile: float) -> tuple[float, float]:
    """On the scale of log(1 - alpha), whose standard error is that of alpha / (1 - alpha)."""
    centre, error = np.log(1 - value), variance**0.5 / (1 - value)
    return max(-1, 1 - np.exp(centre + quantile * error)), 1 - np.exp(centre - quantile * error)


def jackknifed(table: np.ndarray, level: str) -> tuple[float, float, float]:
    """Variances of alpha without each annotator, item and answer, by the package."""
    raters, units = table.shape
    single = []
    for rater, unit in zip(*np.nonzero(~np.isnan(table)), strict=True):
        if (~np.isnan(table[:, unit])).sum() >= 2:
            fewer = table.copy()
            fewer[rater, unit] = np.nan
            single.append(by_package(fewer, level))
    ways = (
        [by_package(np.delete(table, rater, axis=0), level) for rater in range(raters)],
        [by_package(np.delete(table, unit, axis=1), level) for unit in range(units)],
        single,
    )
    return tuple((len(way) - 1) ** 2 / len(way) * np.var(way, ddof=1) for way in ways)


@pytest.mark.parametrize("level", LEVELS)
def test_both_is_the_jackknife_over_annotators_and_items_less_what_they_share(level: str):
    table = answers(6, 12, seed=22)
    annotators, items, single = jackknifed(table, level)
    variance = max(annotators, items, annotators + items - single)
    assert variance > max(annotators, items)
    freedom = variance**2 / (annotators**2 / 5 + items**2 / 11)
    found = alpha_interval(table, level)
    assert (found.over, found.undefined_replicates) == ("both", 0)
    expected = ends(by_package(table, level), variance, student.ppf(0.975, freedom))
    assert found.interval == pytest.approx(expected, abs=1e-12)


def test_annotators_alone_use_students_t():
    table = answers(5, 30, missing=0)
    expected = ends(by_package(table, "nominal"), jackknifed(table, "nominal")[0], float(student.ppf(0.975, 4)))
    assert alpha_interval(table, "nominal", over="annotators").interval == pytest.approx(expected, abs=1e-12)


def test_high_agreement_has_an_upper_end_below_one_and_a_wide_lower_one():
    table = answers(4, 30, missing=0)
    table[1:] = table[0]
    table[1, :2] = table[0, :2] % 4 + 1
    found, value = alpha_interval(table, "nominal"), alpha(table, "nominal").value
    assert value < found.high < 1
    assert value - found.low > found.high - value


def test_an_interval_that_says_nothing_is_cut_at_minus_one():
    assert alpha_interval([[1, 2, 1, 2], [1, 2, 2, 1], [2, 1, 1, 1]], "nominal").low == -1


def test_more_to_generalise_to_means_a_wider_interval():
    table = answers(5, 40, seed=3)
    value = alpha(table, "nominal").value
    found = {over: alpha_interval(table, "nominal", over=over, replicates=2_000) for over in ("items", "both")}
    assert all(interval.low < value < interval.high for interval in found.values())
    assert found["items"].high - found["items"].low < found["both"].high - found["both"].low


def test_more_items_and_annotators_mean_a_narrower_interval():
    small, large = alpha_interval(answers(3, 20), "nominal"), alpha_interval(answers(10, 80), "nominal")
    assert large.high - large.low < 0.6 * (small.high - small.low)


def test_items_are_drawn_reproducibly():
    table = answers(3, 20)
    first = alpha_interval(table, "nominal", over="items", replicates=600)
    assert first == alpha_interval(table, "nominal", over="items", replicates=600)
    assert first != alpha_interval(table, "nominal", over="items", replicates=600, seed=1)


def test_units_with_one_answer_change_nothing():
    table = answers(3, 20, missing=0)
    lonely = np.full((3, 5), np.nan)
    lonely[0] = 1
    for over in ("both", "items"):
        assert alpha_interval(np.hstack([table, lonely]), "nominal", over=over, replicates=100) == alpha_interval(
            table, "nominal", over=over, replicates=100
        )


def test_two_annotators_have_no_interval_over_annotators_but_one_over_items():
    table = answers(2, 20, missing=0)
    found = alpha_interval(table, "nominal")
    assert (found.interval, found.undefined_replicates) == (None, 2)
    assert alpha_interval(table, "nominal", over="items", replicates=200).interval is not None


def test_a_table_whose_variation_is_in_one_item_has_no_jackknife_interval():
    table = np.ones((3, 10))
    table[0, 4] = 2
    found = alpha_interval(table, "nominal")
    # Without the item, or without annotator 0, all answers are the same.
    assert (found.interval, found.undefined_replicates) == (None, 2)


def test_undefined_bootstrap_replicates_are_dropped_and_counted():
    table = np.ones((3, 10))
    table[0, 4] = 2
    found = alpha_interval(table, "nominal", over="items", replicates=4_000)
    # The item is missed with probability .9^10 = .3487; 4 standard errors are 120.
    assert abs(found.undefined_replicates - 1394.7) < 121
    assert found.interval is not None


@pytest.mark.parametrize("over", ["both", "annotators", "items"])
def test_where_alpha_is_undefined_the_interval_is_none(over: str):
    assert alpha_interval([[1, 1], [1, 1]], "nominal", over=over).interval is None


def test_wrong_arguments_are_refused():
    with pytest.raises(UnknownName, match="did you mean items"):
        alpha_interval([[1, 2], [1, 2]], "nominal", over="item")
    with pytest.raises(BadInput):
        alpha_interval([[1, 2], [1, 2]], "nominal", confidence=95)
