"""The bootstrap over items: every replicate equals the package on the columns that it drew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.statistics import LEVELS, kernels, replicates, resamples, unit_sums
from analysis_core.statistics.pairable import pairable
from analysis_core.statistics.ratings import Ratings, from_long, read
from analysis_core.statistics.resamples import Resampling, resampling
from tests.analysis_core.statistics.random_tables import Table, answers, by_package

REPLICATES = 100


def assert_each_equals_the_package(table: Table, level: str, seed: int = 3) -> None:
    found = replicates.bootstrap_alphas(table, level, replicates=REPLICATES, seed=seed)
    expected = [by_package(table[:, drawn], level) for drawn in columns(read(table, level), REPLICATES, seed)]
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def columns(coded: Ratings, replicates: int, seed: int) -> Iterator[np.ndarray]:
    """Which columns each replicate has: as many as there are with two answers or more."""
    p = pairable(coded)
    drawing = resampling(p)
    for drawn in drawing.batches(replicates, seed):
        for weights in drawn.astype(np.int64):
            assert weights.sum() == p.units.groups
            yield np.repeat(drawing.table.unit, weights)


@pytest.mark.parametrize("level", LEVELS)
def test_a_table_with_missing_answers(level: str) -> None:
    assert_each_equals_the_package(answers(5, 20), level)


@pytest.mark.parametrize("level", LEVELS)
def test_a_table_of_mostly_missing_answers_with_units_that_nobody_shares(level: str) -> None:
    assert_each_equals_the_package(answers(12, 30, missing=0.85), level)


@pytest.mark.parametrize("level", LEVELS)
def test_more_values_than_are_kept_dense(level: str) -> None:
    table = answers(6, 40, values=101)
    assert len(np.unique(table)) > unit_sums.COLUMNS
    assert_each_equals_the_package(table, level)


@pytest.mark.parametrize("level", LEVELS)
def test_as_many_values_as_answers(level: str) -> None:
    assert_each_equals_the_package(np.exp(answers(6, 25, values=2_000, missing=0) / 300), level)


@pytest.mark.parametrize("level", LEVELS)
def test_replicates_without_variation_are_undefined(level: str) -> None:
    table = np.ones((3, 5))
    table[0, 4] = 2
    found = replicates.bootstrap_alphas(table, level, replicates=REPLICATES, seed=0)
    without = [4 not in drawn for drawn in columns(read(table, level), REPLICATES, 0)]
    assert np.isnan(found).tolist() == without
    assert 0 < sum(without) < REPLICATES
    assert_each_equals_the_package(table, level)


@pytest.mark.parametrize("level", LEVELS)
def test_a_replicate_that_misses_an_outlier_keeps_its_digits(level: str) -> None:
    table = answers(4, 12, missing=0, values=3)
    table[1, 3] = 1e7
    assert_each_equals_the_package(table, level)


@pytest.mark.parametrize("level", ["interval", "ordinal"])
def test_a_large_offset_costs_no_digits(level: str) -> None:
    table = answers(4, 15)
    near, far = (replicates.bootstrap_alphas(x, level, replicates=50, seed=1) for x in (table, table + 2.0**40))
    assert near == pytest.approx(far, abs=1e-12)


def test_close_values_at_ratio_level_with_a_distant_one_keep_their_digits() -> None:
    table = 1 + answers(4, 30, values=500, missing=0) * 1e-6
    table[0, 0] = 1e9
    assert_each_equals_the_package(table, "ratio")


@pytest.mark.parametrize("level", LEVELS)
def test_few_replicates_are_the_first_of_many_across_blocks(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resamples, "HELD", 700)
    table = answers(5, 100)
    many = replicates.bootstrap_alphas(table, level, replicates=25, seed=4)
    few = replicates.bootstrap_alphas(table, level, replicates=10, seed=4)
    assert few == pytest.approx(many[:10], abs=1e-15)
    assert np.array_equal(many, replicates.bootstrap_alphas(table, level, replicates=25, seed=4))
    assert not np.array_equal(many, replicates.bootstrap_alphas(table, level, replicates=25, seed=5))


def test_the_scatter_is_the_textbook_one() -> None:
    # Two annotators, half of the units (0, 1), the others evenly (0, 0) and (1, 1): the values stay even, so nearly
    # alpha = 1 - 2 P(split), P = k / U with k ~ Binomial(U, 1/2): standard deviation 2 sqrt(.25 / U) = 1 / sqrt(U).
    table = np.array([[0, 0, 0, 1] * 50, [1, 0, 1, 1] * 50], dtype=np.float64)
    found = replicates.bootstrap_alphas(table, "nominal", replicates=4_000, seed=0)
    # Four standard errors of a standard deviation from 4,000 draws are 4.5 %.
    assert found.std() == pytest.approx(200**-0.5, rel=0.05)


@pytest.mark.parametrize("level", LEVELS)
def test_units_with_equal_counts_are_drawn_together(level: str) -> None:
    table = np.tile(answers(3, 12, missing=0.2, values=3), 60)
    coded = read(table, level)
    assert len(resampling(pairable(coded)).table.unit) <= 12
    assert_each_equals_the_package(table, level)
    # The same distribution as unit by unit: mean and scatter within five standard errors of 4,000 replicates.
    together = replicates.bootstrap_alphas(coded, level, replicates=4_000, seed=1)
    p = pairable(coded)
    one_by_one = np.concatenate(list(Resampling(p, None).batches(4_000, 2))).astype(np.float64)
    kernel = kernels.kernel_of(p)
    observed, expected, n, _ = kernel.parts(kernel.sums(one_by_one))
    apart = 1 - (n - 1) * observed / expected
    assert together.mean() == pytest.approx(apart.mean(), abs=5 * apart.std() * (2 / 4_000) ** 0.5)
    assert together.std() == pytest.approx(apart.std(), rel=5 * (1 / 4_000) ** 0.5)


@pytest.mark.parametrize("level", LEVELS)
def test_a_large_sparse_table_is_computed_from_its_answers(level: str) -> None:
    # 10,000 raters x 20,000 units, 3 answers each: a dense table would have 200 million cells.
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(20_000), 3)
    rater = (rng.integers(0, 9_000, 20_000)[:, None] + np.arange(3)).ravel()
    value = rng.integers(1, 6, len(unit))
    coded = from_long(rater, unit, value, level, raters=10_000, units=20_000)
    found = replicates.bootstrap_alphas(coded, level, replicates=20, seed=0)
    drawn = next(columns(coded, 1, 0))
    assert found[0] == pytest.approx(by_package(value.reshape(-1, 3)[drawn].T.astype(np.float64), level), abs=1e-12)


def test_undefined_tables_give_undefined_replicates() -> None:
    for table in ([[1, None], [None, 1]], [[1, 1], [1, 1]]):
        assert np.isnan(replicates.bootstrap_alphas(table, "ordinal", replicates=3, seed=0)).tolist() == [True] * 3


def test_no_replicates_are_refused() -> None:
    with pytest.raises(BadInput, match="at least one replicate"):
        replicates.bootstrap_alphas([[1, 2], [1, 2]], "nominal", replicates=0, seed=0)
