"""Both ways of the claim about agreement compute the same alphas."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics import LEVELS, alpha
from analysis_core.statistics.agreement import coded_alpha
from analysis_core.statistics.replicates import bootstrap_alphas
from benchmarks import agreement


@pytest.mark.parametrize("level", LEVELS)
def test_the_loops_compute_what_the_bootstrap_computes(level: str) -> None:
    answers = agreement.complete(5, 40)
    counts = agreement.value_counts(answers)
    assert np.array_equal(agreement.loop(counts, level, 3), agreement.raw_loop(answers, level, 3))
    assert agreement.by_package(counts, level) == pytest.approx(alpha(answers, level).value, abs=1e-12)
    # The loops draw other resamples of the same table: the same mean within five standard errors.
    many = bootstrap_alphas(answers, level, replicates=2_000, seed=1)
    assert agreement.loop(counts, level, 100).mean() == pytest.approx(many.mean(), abs=many.std() / 2)


def test_the_sparse_table_is_as_sparse_as_is_said() -> None:
    table = agreement.thin(1_000, 10_000, "nominal", agreement.VALUES)
    assert len(table.code) / (table.raters * table.units) == 0.005
    assert agreement.by_package(table.counts(), "nominal") == pytest.approx(coded_alpha(table)[0], abs=1e-12)


def test_columns_and_value_counts_are_the_same_answers() -> None:
    columns = agreement.long_columns(5_000, agreement.VALUES)
    found = agreement.alpha_long(*columns, "interval").value
    assert agreement.package_long(*columns) == pytest.approx(found, abs=1e-12)
