"""Alpha's interval: every replicate equals the package, the jackknife equals a brute-force one, nothing is faked."""

from __future__ import annotations

from statistics import NormalDist

import krippendorff
import numpy as np
import pytest
from scipy.stats import t as student

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import alpha, alpha_interval
from analysis_core.statistics.intervals import jackknife_variance
from analysis_core.statistics.ratings import LEVELS, read
from analysis_core.statistics.replicates import BLOCK, weighted_alphas


def answers(raters: int, units: int, *, missing: float = 0.1, seed: int = 0) -> np.ndarray:
    """Correlated answers 1-4 with missing ones."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 5, units)
    table = np.where(rng.random((raters, units)) < 0.6, truth, rng.integers(1, 5, (raters, units))).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table


def by_package(table: np.ndarray, level: str) -> float:
    return float(krippendorff.alpha(table, level_of_measurement=level))


@pytest.mark.parametrize("level", LEVELS)
def test_every_replicate_equals_the_package(level: str):
    table = answers(5, 20)
    coded = read(table, level)
    drawn = np.random.default_rng(1).integers(0, 20, (50, 20))
    weights = np.array([np.bincount(row, minlength=20) for row in drawn]).astype(float)
    found = weighted_alphas(coded.counts(), coded.values, level, weights)
    expected = [by_package(table[:, row], level) for row in drawn]
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("level", ["interval", "ordinal"])
def test_a_large_offset_costs_no_digits(level: str):
    table = answers(4, 15)
    coded = read(table + 1e7, level)
    found = weighted_alphas(coded.counts(), coded.values, level, np.ones((1, 15)))[0]
    assert found == pytest.approx(by_package(table, level), abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_both_is_the_brute_force_jackknife_over_items_and_annotators(level: str):
    table = answers(4, 12)
    items = np.array([by_package(np.delete(table, unit, axis=1), level) for unit in range(12)])
    annotators = np.array([by_package(np.delete(table, rater, axis=0), level) for rater in range(4)])
    variance = 11 / 12 * ((items - items.mean()) ** 2).sum() + 3 / 4 * ((annotators - annotators.mean()) ** 2).sum()
    spread = NormalDist().inv_cdf(0.975) * variance**0.5
    found = alpha_interval(table, level)
    assert (found.over, found.undefined_replicates) == ("both", 0)
    assert found.low == pytest.approx(max(-1, by_package(table, level) - spread), abs=1e-12)
    assert found.high == pytest.approx(min(1, by_package(table, level) + spread), abs=1e-12)
    assert found.interval == (found.low, found.high)


def test_annotators_alone_use_students_t():
    table = answers(5, 30, missing=0)
    left_out = np.array([by_package(np.delete(table, rater, axis=0), "nominal") for rater in range(5)])
    spread = float(student.ppf(0.975, 4)) * jackknife_variance(left_out) ** 0.5
    found = alpha_interval(table, "nominal", over="annotators")
    assert found.high == pytest.approx(by_package(table, "nominal") + spread, abs=1e-12)


def test_the_jackknife_variance_of_a_mean_is_the_textbook_one():
    # Leave-one-out means of (1, 2, 6): 4, 3.5, 1.5; s^2 / n = 7 / 3.
    assert jackknife_variance(np.array([4, 3.5, 1.5])) == pytest.approx(7 / 3)


def test_more_to_generalise_to_means_a_wider_interval():
    table = answers(5, 40, seed=3)
    value = alpha(table, "nominal").value
    found = {over: alpha_interval(table, "nominal", over=over, replicates=2_000) for over in ("items", "both")}
    assert all(interval.low < value < interval.high for interval in found.values())
    assert found["items"].high - found["items"].low < found["both"].high - found["both"].low


def test_more_items_and_annotators_mean_a_narrower_interval():
    small, large = alpha_interval(answers(3, 20), "nominal"), alpha_interval(answers(10, 80), "nominal")
    assert large.high - large.low < 0.6 * (small.high - small.low)


def test_items_are_drawn_reproducibly_and_in_blocks_without_a_seam():
    table = answers(3, 20)
    first = alpha_interval(table, "nominal", over="items", replicates=BLOCK + 7)
    assert first == alpha_interval(table, "nominal", over="items", replicates=BLOCK + 7)
    assert first != alpha_interval(table, "nominal", over="items", replicates=BLOCK + 7, seed=1)


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
