"""What the tests of alpha are judged by: populations with equal alphas, and the tests that are not offered."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics import alpha, population_alpha
from analysis_core.statistics.crossed import jackknife_variance
from analysis_core.statistics.leave_one_out import leave_one_out
from analysis_core.statistics.permutation import all_labels
from analysis_core.statistics.ratings import read
from benchmarks.coverage import alpha_rejections as judged
from benchmarks.coverage.rejections import Study, rejections, studies

SEED = 12


def test_true_nulls_have_equal_alphas_and_differences_have_not():
    assert population_alpha(judged.ALIKE) == pytest.approx(population_alpha(judged.UNALIKE), abs=0.001)
    assert population_alpha(judged.BETTER) - population_alpha(judged.USUAL) > 0.3
    assert all(null.is_true for null in judged.equal_alphas())
    assert not any(null.is_true for null in judged.differences())


def test_another_consensus_leaves_the_agreement_of_each_condition_as_it_is():
    null = judged.equal_alphas()[0]
    first, second = next(studies(null, 1, SEED)).letters
    same = (second - 1) % 4
    assert alpha(second, "nominal").value == pytest.approx(alpha(same, "nominal").value)
    # The most frequent letters of the items: the second condition's are the next ones where both agree enough to tell.
    modes = [[np.bincount(item.astype(int), minlength=4).argmax() for item in part.T] for part in (first, same)]
    assert np.mean(np.equal(*modes)) > 0.6
    assert np.mean(np.equal(modes[0], (np.array(modes[1]) + 1) % 4)) < 0.3


def test_unequal_numbers_are_simulated_as_they_are_named():
    null = next(null for null in judged.equal_alphas() if null.sizes == (3, 8))
    study = next(studies(null, 1, SEED))
    assert [part.shape for part in study.letters] == [(3, 20), (8, 20)]
    assert (null.size, null.where) == ("3 v 8, 20", "0.7, SDs 0.5 and 1; another consensus in each condition")


def test_the_studentized_test_that_is_not_offered_divides_by_the_jackknifes_standard_error():
    table = np.random.default_rng(3).integers(0, 4, (7, 12))
    members = all_labels([3, 4])[:5] == 0
    alphas, variances = judged.jackknifed(table, members)
    for row, value, variance in zip(members, alphas, variances, strict=True):
        side = table[row]
        assert value == pytest.approx(alpha(side, "nominal").value)
        assert variance == pytest.approx(jackknife_variance(leave_one_out(read(side, "nominal"))[0]))


def test_a_condition_in_perfect_agreement_against_one_without_any_is_the_most_extreme_relabelling():
    rng = np.random.default_rng(4)
    same = np.tile(rng.integers(0, 4, 40), (4, 1)).astype(float)
    study = Study([same, rng.integers(0, 4, (4, 40)).astype(float)], [], [])
    assert judged.relabelled(study) == judged.studentized_anew(study) == pytest.approx(2 / 70)


@pytest.mark.slow
def test_with_equal_alphas_and_another_consensus_only_the_test_that_is_offered_keeps_its_level():
    nulls = [null for null in judged.equal_alphas() if null.consensus == "other" and null.sizes == (7, 7)]
    for null in nulls:
        found = rejections(null, 400, SEED)
        if null.offered:
            assert found.rejected <= 0.05 + 3 * found.error
        else:
            assert found.rejected > 0.15
    assert len(nulls) == 6
