"""Sentences about the intervals of small tables, held against the coverage table of the documentation."""

from __future__ import annotations

import re

import pytest

from analysis_core.statistics import interval_notes
from analysis_core.statistics.interval_notes import MEASURED, MEASURED_ITEMS, MEASURED_TWO
from benchmarks.coverage.document import DOCUMENT
from benchmarks.coverage.methods import DEFAULT, ITEMS


def test_a_table_of_three_by_twenty_says_how_wide_and_how_safe_its_interval_is():
    assert interval_notes(3, 20) == (
        "3 annotators x 20 items: alpha's interval for new annotators and items is 1.2 wide on average in simulated"
        " tables of 3 x 20 (0.4 at 5 x 40) and covers 98.1% where 95% is meant: too few annotators to say it more"
        " exactly.",
        "3 annotators x 20 items: alpha's interval for these annotators and new items covers 92.3% in simulated tables"
        " of 3 x 20 where 95% is meant: it is too narrow with few items.",
    )


def test_sizes_in_between_are_told_by_the_next_smaller_simulated_one():
    (found,) = interval_notes(4, 60)
    assert "simulated tables of 4 x 40" in found
    found, items = interval_notes(7, 22)
    assert "simulated tables of 5 x 20" in found
    assert "covers 90.4% in simulated tables of 5 x 20" in items
    assert found.endswith("too few items to say it more exactly.")


def test_many_annotators_of_few_items_are_not_told_the_safe_coverage_of_few_annotators():
    # With more people the items are what is too few, and the interval covers less: 97.0 % at 5 x 10, 91.5 % at 20 x 10.
    found, items, _ = interval_notes(30, 12)
    assert "covers 87.6% in simulated tables of 5 x 12" in items
    assert "simulated tables of 20 x 10" in found
    assert MEASURED[20, 10][0] < 0.93 < MEASURED[5, 10][0]


@pytest.mark.parametrize("size", [(5, 40), (6, 41), (20, 40), (5, 1000)])
def test_larger_tables_need_no_note(size: tuple[int, int]):
    assert interval_notes(*size) == ()


def test_two_choices_have_a_wide_interval_at_five_by_forty_alone():
    (said,) = interval_notes(6, 60, 2)
    assert said == (
        "6 annotators x 60 items: with two choices alpha's interval for new annotators and items covers 97.9% in"
        " simulated tables of 5 x 40 where 95% is meant: it is wider than need be."
    )
    assert interval_notes(6, 60, 3) == interval_notes(7, 40, 2) == interval_notes(10, 40, 2) == ()
    assert interval_notes(5, 100, 2) == ()
    # Smaller tables are told what was measured with four.
    assert interval_notes(3, 20, 2) == interval_notes(3, 20)


def test_small_tables_are_told_about_accuracy_too():
    items, accuracy = interval_notes(2, 20)
    assert items.startswith(
        "2 annotators x 20 items: alpha's interval for these annotators and new items covers 92.3% in"
    )
    assert accuracy == "2 annotators x 20 items: accuracy's interval was checked from 3 x 20 on."
    alpha, accuracy = interval_notes(3, 4)
    assert "smaller than any simulated table" in alpha
    assert "accuracy's" in accuracy
    assert interval_notes(1, 20) == ()


def documented(
    name: str, population: str = "0.7, SDs 0.5 and 1, 4 choices"
) -> dict[tuple[int, int], tuple[float, float]]:
    """Coverage in per cent and mean width of an offered method, by size."""
    where, name = re.escape(population), re.escape(f"**{name}**")
    line = re.compile(rf"^\| (\d+) x (\d+) \| {where} \| {name} \| ([\d.]+) % \| ([\d.]+) \|", re.MULTILINE)
    found = line.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {(int(a), int(i)): (float(c), float(w)) for a, i, c, w in found}


def test_what_is_said_is_what_the_documented_table_measured():
    rows, over_items = documented(DEFAULT.name), documented(ITEMS.name)
    for size, share in MEASURED_ITEMS.items():
        assert over_items[size][0] == pytest.approx(100 * share)
    for size, (coverage, width) in MEASURED.items():
        assert rows[size] == (pytest.approx(100 * coverage), width)
    two = documented(DEFAULT.name, "0.7, SDs 0.5 and 1, 2 choices")
    for size, share in MEASURED_TWO.items():
        assert two[size][0] == pytest.approx(100 * share)
