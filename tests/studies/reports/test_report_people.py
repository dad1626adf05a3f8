"""Annotators who differ more than items: found from right answers, and said with what was measured."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analysis_core.statistics import Population
from benchmarks.coverage.designs import Design, tables
from benchmarks.coverage.document import DOCUMENT
from benchmarks.coverage.measured import PEOPLE_APART
from benchmarks.coverage.methods import DEFAULT
from studies.reports.people import MEASURED, people_apart


def shares(right: list[int], items: int = 40) -> list[list[int]]:
    """Annotators with so many right answers, each one's wrong ones at other items."""
    return [[int((item + 7 * row) % items < count) for item in range(items)] for row, count in enumerate(right)]


def test_people_who_differ_more_than_items_are_named_with_both_standard_deviations():
    apart, alike = shares([39, 35, 20, 5, 1]), shares([30, 30, 30, 30, 30])
    (said,) = people_apart({"U": apart, "C": alike, "P": apart})
    found = re.findall(r"(\w+) ([\d.]+) against ([\d.]+)", said)
    assert [name for name, *_ in found] == ["U", "P"]
    # From 1 to 39 of 40 are 7 logits: a standard deviation of two to three. Each item is right for 2 or 3 of five.
    assert all(2 <= float(people) <= 3 and float(items) < 0.5 for _, people, items in found)
    assert "covers 87.9% to 94.7% in simulated studies where 95% is meant" in said


def test_items_that_differ_more_than_people_need_no_sentence():
    by_items = np.transpose(shares([38, 20, 2] * 14, items=40))[:, :40].tolist()
    assert people_apart({"U": by_items}) == ()


def test_where_nothing_can_be_told_of_people_nothing_is_said():
    apart = shares([39, 35, 20, 5, 1])
    assert people_apart({"few people": apart[:4], "few items": [row[:39] for row in apart]}) == ()
    assert people_apart({"all right": [[1] * 40] * 5, "nobody": [], "no items": [[]] * 5}) == ()
    assert people_apart({}) == ()


@pytest.mark.slow
def test_most_populations_of_people_who_differ_are_found_and_hardly_any_others():
    def found(population: Population, size: tuple[int, int]) -> float:
        drawn = tables(Design(population, *size), 200, 7)
        return float(np.mean([bool(people_apart({"U": table.right.tolist()})) for table in drawn]))

    apart, usual = Population(accuracy=0.5, annotator_sd=1.0, item_sd=0.5), Population()
    # 72, 85 and 3 % of 300; two standard errors of 200 are .065, .055 and .024.
    assert found(apart, (5, 40)) > 0.72 - 0.065
    assert found(apart, (10, 40)) > 0.85 - 0.055
    assert found(usual, (5, 40)) < 0.03 + 0.024


def test_what_is_said_is_what_the_documented_table_measured():
    text, method = DOCUMENT.read_text(encoding="utf-8"), re.escape(f"**{DEFAULT.name}**")
    covered = [
        float(share)
        for population in PEOPLE_APART
        for share in re.findall(rf"\| {re.escape(Design(population, 5, 40).where)} \| {method} \| ([\d.]+) %", text)
    ]
    assert len(covered) >= 20
    assert (min(covered), max(covered)) == pytest.approx([100 * share for share in MEASURED])
