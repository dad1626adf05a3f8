"""Tests of agreement by relabelling whole annotators: equal to brute force with the package; what has no p says why."""

from __future__ import annotations

from itertools import combinations

import krippendorff
import numpy as np
import pytest
from scipy import stats

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import Population, alpha, alpha_test, alpha_trend_test, simulate_answers
from analysis_core.statistics.alpha_tests import Relabelled
from analysis_core.statistics.permutation import SAMPLED, all_labels
from analysis_core.statistics.ratings import LEVELS, read
from analysis_core.statistics.simulation import as_letters, draw_items


def answers(raters: int, units: int, agree: float, seed: int, missing: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 5, units)
    table = np.where(rng.random((raters, units)) < agree, truth, rng.integers(1, 5, (raters, units))).astype(float)
    table[rng.random(table.shape) < missing] = np.nan
    return table


def by_package(table: np.ndarray, level: str) -> float:
    return float(krippendorff.alpha(table, level_of_measurement=level))


def sides(n: int, of_a: int) -> list[tuple[list[int], list[int]]]:
    """All ways to choose who is in a, the observed one first."""
    return [(list(a), sorted(set(range(n)) - set(a))) for a in combinations(range(n), of_a)]


def relabelled(a: np.ndarray, b: np.ndarray, level: str) -> float:
    """Share of all ways to choose who is in a whose |difference of alphas| is at least the observed one."""
    rows = np.vstack([a, b])
    found = [abs(by_package(rows[x], level) - by_package(rows[y], level)) for x, y in sides(len(rows), len(a))]
    return float(np.mean(np.array(found) >= found[0] - 1e-9))


def pseudo_values(table: np.ndarray, level: str) -> np.ndarray:
    n = len(table)
    left_out = np.array([by_package(np.delete(table, i, axis=0), level) for i in range(n)])
    return by_package(table, level) + (n - 1) * (left_out.mean() - left_out)


def studentized(a: np.ndarray, b: np.ndarray, level: str) -> float:
    """Share of all ways to share pseudo-values out whose |Welch's t| is at least the observed one."""
    values = np.concatenate([pseudo_values(a, level), pseudo_values(b, level)])
    found = [abs(stats.ttest_ind(values[x], values[y], equal_var=False)[0]) for x, y in sides(len(values), len(a))]
    return float(np.mean(np.array(found) >= found[0] * (1 - 1e-9)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", [1, 4])
def test_the_exact_p_equals_brute_force_with_the_package(level: str, seed: int):
    a, b = answers(4, 12, 0.8, seed, missing=0.1), answers(3, 12, 0.3, seed + 1, missing=0.1)
    found = alpha_test(a, b, level)
    assert found.p == pytest.approx(max(relabelled(a, b, level), studentized(a, b, level)), abs=1e-12)
    assert found.statistic == pytest.approx(by_package(a, level) - by_package(b, level), abs=1e-12)
    # 7! / (4! 3!) = 35 relabellings, no mirror image.
    assert (found.exact, found.smallest_p, found.unit) == (True, 1 / 35, "annotator")


@pytest.mark.parametrize(("seed", "larger"), [(4, "studentized"), (7, "relabelled")])
def test_the_exact_p_equals_the_larger_of_two_of_scipys_permutation_tests(seed: int, larger: str):
    a, b = answers(4, 15, 0.7, 3), answers(4, 15, 0.4, seed)

    def difference(x: np.ndarray, y: np.ndarray) -> float:
        rows = np.vstack([a, b])
        return by_package(rows[x.astype(int)], "nominal") - by_package(rows[y.astype(int)], "nominal")

    def welch(x: np.ndarray, y: np.ndarray) -> float:
        return float(stats.ttest_ind(x, y, equal_var=False)[0])

    # Two-sided as twice the smaller tail, equal for equal arms. In the first the numbers of annotators are permuted.
    data = {
        "relabelled": ((np.arange(4), np.arange(4, 8)), difference),
        "studentized": ((pseudo_values(a, "nominal"), pseudo_values(b, "nominal")), welch),
    }
    p = {
        name: stats.permutation_test(samples, by, n_resamples=np.inf, alternative="two-sided", vectorized=False).pvalue
        for name, (samples, by) in data.items()
    }
    assert max(p, key=lambda name: p[name]) == larger
    assert alpha_test(a, b, "nominal").p == pytest.approx(p[larger])


@pytest.mark.parametrize("level", LEVELS)
def test_every_relabelling_has_the_alpha_of_the_package(level: str):
    table = answers(7, 10, 0.5, 5, missing=0.2)
    labels = np.random.default_rng(6).permuted(np.tile([0, 0, 0, 1, 1, 1, 1], (20, 1)), axis=1)
    found = Relabelled(read(table, level)).alphas(labels, 2)
    expected = [[by_package(table[row == side], level) for side in (0, 1)] for row in labels]
    assert np.abs(found - expected).max() < 1e-12


def test_a_large_offset_costs_no_digits():
    a, b = answers(3, 12, 0.8, 7), answers(3, 12, 0.5, 8)
    near, far = alpha_test(a, b, "interval"), alpha_test(a + 1e7, b + 1e7, "interval")
    assert far.p == near.p
    assert far.statistic == pytest.approx(near.statistic, abs=1e-9)


@pytest.mark.parametrize("level", ["interval", "ratio"])
@pytest.mark.parametrize("unit", [2.0**1020, 2.0**600, 2.0**-600, 2.0**-1000])
def test_the_unit_of_measurement_changes_nothing_however_large_or_small(level: str, unit: float):
    a, b = answers(3, 8, 0.9, 5), answers(3, 8, 0.4, 6)
    # Squares of 2^600 are beyond the largest float, those of 2^-600 below the smallest one.
    assert alpha_test(a * unit, b * unit, level) == alpha_test(a, b, level)


def test_equal_conditions_tell_nothing():
    a = answers(3, 12, 0.6, 9)
    assert alpha_test(a, a, "nominal").p == 1


def test_sides_that_agree_perfectly_but_differently_cannot_be_told_apart():
    # Every relabelling that mixes the two has less agreement on both sides; the difference is 0, which all reach.
    found = alpha_test([[1, 2, 1, 2]] * 3, [[2, 1, 2, 1]] * 3, "nominal")
    assert (found.statistic, found.p) == (0, 1)


def test_undefined_relabellings_enlarge_p():
    rows = [["x", "x", "x", "x"], ["x", "x", "x", "y"], ["x", "x", "x", "x"], ["y", "y", "x", "x"]]
    found = alpha_test(rows[:2], rows[2:], "nominal")
    everyone = {0, 1, 2, 3}
    pairs = [
        [alpha([rows[i] for i in side], "nominal").value for side in (chosen, sorted(everyone - set(chosen)))]
        for chosen in combinations(range(4), 2)
    ]
    # {0, 2} says x only: its alpha is undefined, and so it and its mirror image count as extreme.
    assert [None in pair for pair in pairs] == [False, True, False, False, True, False]
    defined = [abs(pair[0] - pair[1]) for pair in pairs if None not in pair]
    extreme = 2 + sum(difference >= defined[0] - 1e-9 for difference in defined)
    assert found.p == pytest.approx(extreme / 6)


@pytest.mark.parametrize(("a", "reason"), [([[1, 1, 1]] * 2, "no_variation"), ([[1, 2, 1]], "no_overlap")])
def test_where_a_conditions_own_alpha_is_undefined_there_is_no_p_but_a_reason(a: list[list[int]], reason: str):
    found = alpha_test(a, [[1, 2, 1], [1, 2, 2]], "nominal")
    assert (found.p, found.statistic, found.reason) == (None, None, reason)


def test_many_relabellings_are_sampled_reproducibly_with_the_observed_one_counted():
    rng = np.random.default_rng(11)
    same = np.tile(rng.integers(1, 5, 20), (12, 1))
    found = alpha_test(same, rng.integers(1, 5, (12, 20)), "nominal")
    assert (found.exact, found.p, found.smallest_p) == (False, 1 / (SAMPLED + 1), 1 / (SAMPLED + 1))
    a, b = answers(12, 10, 0.5, 12), answers(12, 10, 0.55, 13)
    assert alpha_test(a, b, "nominal", seed=1) == alpha_test(a, b, "nominal", seed=1)


def test_a_trend_equals_brute_force():
    groups = [answers(2, 10, agree, seed) for seed, agree in enumerate((0.2, 0.5, 0.9))]
    rows = np.vstack(groups)
    slopes = []
    for low in combinations(range(6), 2):
        rest = [i for i in range(6) if i not in low]
        for middle in combinations(rest, 2):
            high = [i for i in rest if i not in middle]
            slopes.append(abs(by_package(rows[high], "nominal") - by_package(rows[list(low)], "nominal")))
    found = alpha_trend_test(groups, "nominal")
    assert found.p == pytest.approx(np.mean(np.array(slopes) >= slopes[0] - 1e-9))
    alphas = [by_package(group, "nominal") for group in groups]
    assert found.statistic == pytest.approx(np.corrcoef([0, 1, 2], alphas)[0, 1])
    # 6! / 8 = 90 relabellings; reading the order backwards is the mirror image.
    assert found.smallest_p == 2 / 90


def test_a_trend_of_three_and_more_is_the_larger_of_both_relabellings():
    groups = [answers(3, 12, agree, seed) for seed, agree in enumerate((0.5, 0.6, 0.7), start=20)]
    rows = np.vstack(groups)
    # The middle condition has the weight 0: the slope is high minus low, its studentized form Welch's t of these two.
    values = np.concatenate([pseudo_values(group, "nominal") for group in groups])
    alpha_of = {side: by_package(rows[list(side)], "nominal") for side in combinations(range(9), 3)}
    shared = [(low, high) for low in alpha_of for high in alpha_of if not set(low) & set(high)]
    slopes = np.array([abs(alpha_of[high] - alpha_of[low]) for low, high in shared])
    welch = np.abs(
        stats.ttest_ind(*(values[np.array(side)] for side in zip(*shared, strict=True)), axis=1, equal_var=False)[0]
    )
    own = shared.index(((0, 1, 2), (6, 7, 8)))
    expected = max(np.mean(slopes >= slopes[own] - 1e-9), np.mean(welch >= welch[own] * (1 - 1e-9)))
    # 9! / (3! 3! 3!)
    assert len(shared) == 1680
    assert alpha_trend_test(groups, "nominal").p == pytest.approx(expected)


@pytest.mark.parametrize(("size", "least"), [(3, 0.1), (4, 2 / 70), (5, 2 / 252)])
def test_the_smallest_p_is_reached(size: int, least: float):
    rng = np.random.default_rng(14)
    same = np.tile(rng.integers(1, 5, 40), (size, 1))
    found = alpha_test(same, rng.integers(1, 5, (size, 40)), "nominal")
    assert found.p == pytest.approx(least)
    assert found.smallest_p == pytest.approx(least)


def test_conditions_that_agree_as_much_on_other_answers_are_told_apart_no_more_often_than_by_chance():
    # The second condition's answers are each the next letter: both have the same agreement, item by item.
    rng, population, together, alone = np.random.default_rng(15), Population(), 0, 0
    items = draw_items(population, items=20, tables=300, rng=rng)
    drawn = simulate_answers(population, annotators=10, items=20, tables=300, rng=rng, item_effects=items)
    for letters in as_letters(drawn, 4, rng=rng):
        a, b = letters[:5], (letters[5:] + 1) % 4
        relabel = Relabelled(read(np.vstack([a, b]), "nominal")).alphas(all_labels([5, 5]), 2)
        apart = np.abs(relabel[:, 0] - relabel[:, 1])
        alone += np.mean(apart >= apart[0] - 1e-9) <= 0.05
        together += (alpha_test(a, b, "nominal").p or 0) <= 0.05
    # Two standard errors of 5 % in 300 studies are .025, of 20 % .046.
    assert together / 300 <= 0.05 + 0.025
    assert alone / 300 >= 0.2


def test_labels_are_compared_across_conditions():
    # "nan" is a label: the first condition agrees perfectly on two of them, the second says x against y and b.
    other = [["x", "b"], ["y", "b"]]
    found = alpha_test([["nan", "b"], ["nan", "b"]], other, "nominal")
    assert found.statistic == pytest.approx(1 - alpha(other, "nominal").value)
    numbers = alpha_test([[1, 2, 3], [1, 2, 1]], [[1, 1, 3], [2, 1, 3]], "nominal")
    texts = alpha_test([["a", "b", "c"], ["a", "b", "a"]], [["a", "a", "c"], ["b", "a", "c"]], "nominal")
    assert numbers == texts


def test_tables_that_cannot_be_compared_are_refused():
    with pytest.raises(BadInput, match="same items; they have 2, 3"):
        alpha_test([[1, 2]], [[1, 2, 3]], "nominal")
    with pytest.raises(BadInput, match="condition 1 has no annotator"):
        alpha_test([[1, 2]], [], "nominal")
    with pytest.raises(BadInput, match="codes of two tables"):
        alpha_test(read([[1, 2]], "nominal"), [[1, 2]], "nominal")
    with pytest.raises(BadInput, match="at least two ordered"):
        alpha_trend_test([[[1, 2], [1, 2]]], "nominal")
    with pytest.raises(UnknownName):
        alpha_test([[1, 2]], [[1, 2]], "nominl")
