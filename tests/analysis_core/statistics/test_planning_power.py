"""Power of a design: the tests inside the simulation are those of permutation.py, and small cases agree with sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import Design, holm, permutation_test, power, power_grid, trend_test
from analysis_core.statistics.permutation import smallest_p
from analysis_core.statistics.relabelling import holm_rejections, p_values
from analysis_core.statistics.simulated_power import right_counts


@pytest.mark.parametrize("sizes", [(3, 3), (4, 6), (5, 5)])
def test_pairs_have_the_p_of_the_permutation_test(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 12, (20, sum(sizes)))
    found = p_values(scores, sizes, (0, 1), seed=0)
    for row, p in zip(scores, found, strict=True):
        assert p == pytest.approx(permutation_test(row[: sizes[0]] / 20, row[sizes[0] :] / 20).p, abs=1e-12)


def test_trends_have_the_p_of_the_trend_test() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 12, (20, 9))
    found = p_values(scores, (3, 3, 3), (0, 1, 2), seed=0)
    for row, p in zip(scores, found, strict=True):
        assert p == pytest.approx(trend_test([row[:3], row[3:6], row[6:]]).p, abs=1e-12)


def test_large_groups_are_tested_with_sampled_relabellings_near_the_permutation_test() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 12, (10, 30)) + np.repeat([0, 2], 15)
    found = p_values(scores, (15, 15), (0, 1), seed=0)
    for row, p in zip(scores, found, strict=True):
        # Two samples of relabellings, 3,999 and 19,999: 4 standard errors of the smaller one
        assert p == pytest.approx(permutation_test(row[:15], row[15:]).p, abs=4 * math.sqrt(0.25 / 3999))


def test_sampled_relabellings_count_the_observed_one() -> None:
    # Of 9e9 ways to choose 18 of 36 people two are as extreme as this: no sample of 3,999 meets them, and p is not 0.
    assert p_values(np.repeat([[0, 20]], 18, axis=1), (18, 18), (0, 1), seed=0) == pytest.approx([1 / 4000])


@pytest.mark.parametrize("sizes", [(3, 3), (3, 4), (8, 8), (20, 20)])
def test_the_smallest_p_is_that_of_the_permutation_test(sizes: tuple[int, int]) -> None:
    # The largest difference that can be has the smallest p.
    apart = [0.0] * sizes[0], [1.0] * sizes[1]
    assert smallest_p(sizes) == pytest.approx(permutation_test(*apart).smallest_p)


def test_holm_inside_the_simulation_is_holm() -> None:
    p = np.random.default_rng(0).random((200, 6)) * 0.1
    expected = [[adjusted <= 0.05 for adjusted in holm(list(row))] for row in p]
    assert holm_rejections(p, 0.05).tolist() == expected


def test_power_of_single_answers_is_the_chance_of_a_clean_split() -> None:
    # Without effects and with one item an annotator is right with .9 or .1. Of 4 and 4 only a clean split has p <= .05
    # (2 / 70; one exception more gives 10 / 70): .9^8 + .1^8 = .4305.
    design = Design(accuracies=(0.9, 0.1), annotators=4, items=1, annotator_sd=0, item_sd=0)
    found = power(design, simulations=4000, tables=0)
    assert found.power is not None
    assert found.error is not None
    assert found.error == pytest.approx(math.sqrt(0.4305 * 0.5695 / 4000), rel=0.05)
    assert found.power == pytest.approx(0.4305, abs=4 * found.error)


def test_three_per_condition_never_find_a_pair() -> None:
    found = power(Design(accuracies=(0.05, 0.95), annotators=3, items=50), simulations=200, tables=0)
    assert (found.power, found.smallest_p) == (0.0, 0.1)


def test_pairs_are_corrected_by_holm_in_their_smallest_p() -> None:
    # 5 and 5: 2 / 252; with 3 conditions the least of 3 pairs is multiplied by 3.
    found = power(Design(accuracies=(0.5, 0.6, 0.7), annotators=5), simulations=10, tables=0)
    assert found.smallest_p == pytest.approx(6 / 252)
    assert [(pair.a, pair.b) for pair in found.pairs] == [(0, 1), (0, 2), (1, 2)]


def test_power_of_pairs_is_that_of_the_conditions_that_differ_most() -> None:
    found = power(Design(accuracies=(0.5, 0.8, 0.6), annotators=8), simulations=300, tables=0)
    assert found.power == found.pairs[0].power > found.pairs[2].power > found.pairs[1].power


@pytest.mark.parametrize("test", ["pairs", "trend"])
def test_without_a_difference_the_test_finds_one_as_often_as_its_level_says(test: str) -> None:
    conditions = 2 if test == "pairs" else 4
    found = power(Design(accuracies=(0.7,) * conditions, annotators=6, test=test), simulations=4000, tables=0)
    # 4 standard errors around .05; ties of whole counts make the tests reject a little less often
    assert found.power is not None
    assert 0.03 <= found.power <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 4000)


def test_a_grid_is_the_power_of_each_of_its_points() -> None:
    grid = power_grid(Design(), [4, 8], [10, 40], simulations=500)
    for row, items in enumerate((10, 40)):
        for column, annotators in enumerate((4, 8)):
            alone = power(Design(annotators=annotators, items=items), simulations=500, tables=0)
            assert grid[row, column] == alone.power


def test_items_are_shared_by_conditions_and_new_in_each_study() -> None:
    # With items of SD 3 and nothing else the conditions' counts go together over studies: the part of the variance of
    # a count (20 items) that comes from the items is most of it.
    design = Design(accuracies=(0.5, 0.5), annotators=1, items=20, annotator_sd=0, item_sd=3)
    counts = right_counts(design, [20], simulations=3000, seed=0)[0]
    assert np.corrcoef(counts.T)[0, 1] > 0.5


def test_the_same_seed_gives_the_same_figures() -> None:
    assert power(Design(), simulations=200, seed=3, tables=3) == power(Design(), simulations=200, seed=3, tables=3)


def test_one_condition_has_widths_and_no_power() -> None:
    found = power(Design(accuracies=(0.7,), annotators=5), tables=20)
    assert (found.power, found.trend, found.smallest_p, found.pairs) == (None, None, None, ())
    assert found.alpha_width[0] is not None
    assert found.accuracy_width[0] is not None
    with pytest.raises(BadInput, match="nothing to compare"):
        power_grid(Design(accuracies=(0.7,)), [4], [20])


def test_two_annotators_have_no_interval_of_alpha() -> None:
    assert power(Design(annotators=2), simulations=10, tables=10).alpha_width == (None, None)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accuracies": (0.5, 1.0)}, "accuracy lies between 0 and 1"),
        ({"accuracies": ()}, "1 to 20 conditions"),
        ({"accuracies": (0.5, math.nan)}, "accuracy lies|finite"),
        ({"annotators": 0}, "annotators: a whole number from 1"),
        ({"annotators": (3, 4, 5)}, "3 numbers for 2 conditions"),
        ({"annotators": 1500}, "in all conditions together, not 3,000"),
        ({"items": 2.5}, "items: a whole number"),
        ({"items": True}, "items: a whole number"),
        ({"choices": 1}, "2 to 100 choices"),
        ({"annotator_sd": -1}, "not negative"),
        ({"item_sd": math.inf}, "finite"),
        ({"level": 5}, "level: a chance between 0 and 1"),
    ],
)
def test_a_design_that_makes_no_sense_says_which_field(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Design(**wrong)  # type: ignore[arg-type]


def test_an_unknown_test_names_those_that_there_are() -> None:
    with pytest.raises(UnknownName, match="trend"):
        Design(test="trends")
