"""The smallest sufficient design, why there may be none, and what a design costs."""

from __future__ import annotations

import pytest

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import Design, Population, cost, for_alpha_width, power, smallest_design
from analysis_core.statistics.planning import alpha_width_of_endless_annotators, power_of_endless_items
from analysis_core.statistics.widths import alpha_widths


def test_the_smallest_design_suffices_and_one_annotator_fewer_does_not() -> None:
    found = smallest_design(Design(), power=0.8, simulations=1000)
    assert found.design is not None
    assert found.value is not None
    assert found.value >= 0.8
    below = dict(found.tried)[int(found.design.sizes[0]) - 1]
    assert below is not None
    assert below < 0.8
    assert power(found.design, simulations=1000, tables=0).power == found.value


def test_the_smallest_number_of_items_suffices_and_one_item_fewer_does_not() -> None:
    found = smallest_design(Design(annotators=10), over="items", simulations=1000)
    assert found.design is not None
    assert found.design.sizes == (10, 10)
    below = dict(found.tried)[found.design.items - 1]
    assert below is not None
    assert below < 0.8 <= (found.value or 0)


def test_three_per_condition_are_told_that_items_do_not_help() -> None:
    found = smallest_design(Design(annotators=3), over="items")
    assert (found.design, found.tried) == (None, ())
    assert found.reason is not None
    assert "p = 0.1" in found.reason
    assert "more annotators" in found.reason


def test_people_who_differ_set_a_floor_that_items_cannot_pass() -> None:
    found = smallest_design(Design(accuracies=(0.55, 0.65), annotators=6), over="items", limit=60, simulations=300)
    assert found.design is None
    assert found.reason is not None
    assert "people differ" in found.reason


def test_equal_accuracies_have_no_difference_to_find() -> None:
    found = smallest_design(Design(accuracies=(0.7, 0.7)))
    assert found.reason == "All conditions have the same accuracy: there is no difference to find."


def test_a_small_difference_within_a_small_limit_says_how_far_it_came() -> None:
    found = smallest_design(Design(accuracies=(0.55, 0.6)), limit=10, simulations=300)
    assert found.design is None
    assert found.tried[-1][0] == 10
    assert found.reason is not None
    assert found.reason.startswith("With 10 annotators per condition the power is 0.")


def test_endless_items_are_the_limit_of_many() -> None:
    design = Design(annotators=5, items=1000)
    many = power(design, simulations=1000, tables=0).power
    # Both have a standard error of at most .016; a thousand items are short of endless by less than .01.
    assert power_of_endless_items(design, simulations=1000) == pytest.approx(many, abs=0.08)


def test_alpha_is_narrow_enough_at_the_answer_and_not_below() -> None:
    found = for_alpha_width(Design(), width=0.4, tables=40)
    assert found.design is not None
    assert found.value is not None
    assert found.value <= 0.4
    below = dict(found.tried)[found.design.sizes[0] - 1]
    assert below is None or below > 0.4


def test_items_set_a_floor_that_annotators_cannot_pass() -> None:
    found = for_alpha_width(Design(), width=0.1, limit=24, tables=10)
    assert found.design is None
    assert found.reason is not None
    assert "items differ" in found.reason


def test_endless_annotators_are_the_limit_of_many() -> None:
    # The bootstrap over items of 200 annotators' answers to 100 items, 30 tables
    population = Population()
    widths = alpha_widths(population, 200, 100, tables=30, seed=0, over="items")
    assert sum(widths) / 30 == pytest.approx(alpha_width_of_endless_annotators(population, 100), rel=0.08)


def test_two_annotators_are_told_that_alpha_has_no_interval() -> None:
    found = for_alpha_width(Design(annotators=2), over="items", limit=10, tables=5)
    assert found.reason is not None
    assert "at least three annotators" in found.reason


def test_questions_without_an_answer_are_refused() -> None:
    with pytest.raises(UnknownName, match="annotators"):
        smallest_design(Design(), over="anotators")
    with pytest.raises(BadInput, match="power: a chance"):
        smallest_design(Design(), power=80)
    with pytest.raises(BadInput, match="nothing to compare"):
        smallest_design(Design(accuracies=(0.7,)))
    with pytest.raises(BadInput, match="width: a number"):
        for_alpha_width(Design(), width=0)
    with pytest.raises(BadInput, match="whole number"):
        smallest_design(Design(), over="items", limit=5000)


def test_cost_counts_everybody_and_every_item() -> None:
    # One annotator: 10 + 1.5 * (20 + 2) = 43 minutes. 8 + 4 annotators: 8.6 hours; at 12 and a third: 137.6.
    found = cost(
        Design(annotators=(8, 4)), minutes_per_item=1.5, minutes_fixed=10, pay_per_hour=12, fee=1 / 3, further_items=2
    )
    assert found.minutes == 43
    assert found.hours == pytest.approx(8.6)
    assert found.money == pytest.approx(137.6)
    assert [arm.annotators for arm in found.arms] == [8, 4]
    assert found.arms[0].money == pytest.approx(2 * found.arms[1].money)


def test_a_negative_pay_is_refused() -> None:
    with pytest.raises(BadInput, match="pay_per_hour"):
        cost(Design(), minutes_per_item=1, pay_per_hour=-1)
