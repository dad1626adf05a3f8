"""What a pilot tells: the moments by counting pairs, the estimates and their intervals on simulated pilots."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.statistics import Population, from_pilot, pilot_estimates, simulate_answers
from analysis_core.statistics.pilot import BY_ANNOTATOR, BY_ITEM, _covariance
from analysis_core.statistics.ratings import Floats


def pilots(population: Population, annotators: int, items: int, tables: int) -> Floats:
    rng = np.random.default_rng(0)
    drawn = simulate_answers(population, annotators=annotators, items=items, tables=tables, rng=rng)
    return (drawn == 0).astype(np.float64)


@pytest.mark.parametrize("axis", [BY_ANNOTATOR, BY_ITEM])
def test_covariances_are_those_of_all_pairs_counted_one_by_one(axis: int) -> None:
    cells = np.array([[1, 0, 1, np.nan], [1, 1, 0, 1], [0, 0, 1, 1]])
    there = [place for place in product(range(3), range(4)) if not np.isnan(cells[place])]
    sharing, apart = [], []
    for one, other in product(there, there):
        if one[0] != other[0] and one[1] != other[1]:
            apart.append(cells[one] * cells[other])
        elif one != other and one[1 - axis] == other[1 - axis]:
            sharing.append(cells[one] * cells[other])
    assert _covariance([cells], axis) == pytest.approx(np.mean(sharing) - np.mean(apart), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("truth", [Population(0.7, 0.5, 1.0), Population(0.55, 1.0, 0.6), Population(0.8, 0.3, 1.5)])
def test_large_pilots_give_back_what_they_were_drawn_from(truth: Population) -> None:
    found = [from_pilot(table) for table in pilots(truth, 30, 40, 60)]
    estimates = np.array([(one.accuracy, one.annotator_sd, one.item_sd) for one in found])
    expected = np.array([truth.accuracy, truth.annotator_sd, truth.item_sd])
    error = estimates.std(axis=0) / np.sqrt(60)
    # 4 standard errors, and a bias of .03 that pilots of this size may have (an SD cannot be below 0)
    assert (np.abs(estimates.mean(axis=0) - expected) <= 4 * error + 0.03).all()


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    truth = Population(0.7, 0.5, 1.0)
    found = [pilot_estimates([table], simulations=100) for table in pilots(truth, 8, 20, 50)]
    # 95 % of 50, less 3.5 standard errors of .031
    assert np.mean([one.annotator_sd[0] <= 0.5 <= one.annotator_sd[1] for one in found]) >= 0.84
    assert np.mean([one.item_sd[0] <= 1.0 <= one.item_sd[1] for one in found]) >= 0.84
    assert np.mean([r[0] <= 0.7 <= r[1] for one in found for r in one.accuracy if r is not None]) >= 0.84


def test_people_who_are_all_alike_have_no_variance() -> None:
    # Every annotator is right on the same items: what differs are the items.
    found = from_pilot([[1, 1, 1, 0, 0, 1, 0, 1]] * 6)
    assert found.annotator_sd == 0
    assert found.item_sd > 2


def test_conditions_share_their_standard_deviations_and_keep_their_accuracies() -> None:
    rng = np.random.default_rng(0)
    tables = [
        simulate_answers(Population(share, 0.5, 1.0), annotators=20, items=30, tables=1, rng=rng)[0] == 0
        for share in (0.5, 0.8)
    ]
    found = pilot_estimates([table.astype(float) for table in tables], choices=3, simulations=50)
    first, second = found.populations
    assert (first.annotator_sd, first.item_sd, first.choices) == (second.annotator_sd, second.item_sd, 3)
    assert first.accuracy < 0.65 < second.accuracy
    assert found.warnings == ()


def test_a_small_pilot_says_what_it_does_not_tell() -> None:
    found = pilot_estimates(pilots(Population(), 3, 6, 1), simulations=50)
    assert [sentence.split(" do ")[0] for sentence in found.warnings] == ["3 annotators", "6 items"]


def test_missing_answers_are_left_out() -> None:
    table = pilots(Population(), 12, 30, 1)[0]
    table[3, 4:9] = np.nan
    assert 0.4 < from_pilot(table).accuracy < 0.95


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([[1, 0, 1]], "1 x 3 answers tells nothing"),
        ([[1], [0]], "2 x 1 answers tells nothing"),
        ([[1, 1], [1, 1]], "equally right"),
        ([[1, 2], [0, 1]], "right and wrong are 1 and 0"),
    ],
)
def test_a_pilot_that_tells_nothing_is_refused(table: list[list[int]], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        from_pilot(table)


def test_no_condition_is_no_pilot() -> None:
    with pytest.raises(BadInput, match="at least one condition"):
        pilot_estimates([])
