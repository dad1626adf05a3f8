"""Alpha without each annotator and each item: the package on the smaller table, at every level and odd shape."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics import LEVELS, disagreement, leave_one_out, pairable, shifted_ranks
from analysis_core.statistics.ratings import from_long, read
from tests.analysis_core.statistics.random_tables import Table, answers, by_package, odd_tables


def one_by_one(table: Table, level: str) -> tuple[list[float], list[float]]:
    """The same by deleting rows and columns."""
    overlapping = (~np.isnan(table)).sum(axis=0) >= 2
    raters = [r for r in range(len(table)) if (~np.isnan(table[r]) & overlapping).any()]
    by_annotator = [by_package(np.delete(table, rater, axis=0), level) for rater in raters]
    return by_annotator, [by_package(np.delete(table, unit, axis=1), level) for unit in np.flatnonzero(overlapping)]


def assert_equal(table: Table, level: str) -> None:
    for found, expected in zip(leave_one_out.leave_one_out(read(table, level)), one_by_one(table, level), strict=True):
        assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("level", LEVELS)
def test_tables_of_odd_shapes_equal_the_package(level: str) -> None:
    for table in odd_tables():
        assert_equal(table, level)


@pytest.mark.parametrize("level", LEVELS)
def test_a_sparse_table_with_many_values_equals_the_package(level: str) -> None:
    assert_equal(answers(12, 30, missing=0.7, values=40), level)


@pytest.mark.parametrize("offset", [0, 5_000])
def test_an_annotator_with_many_values_at_ratio_level_equals_the_package(
    offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Above 5 values (1,000 as shipped) a group stands on nodes; at an offset of 5,000 these would cost digits.
    monkeypatch.setattr(disagreement, "MANY", 5)
    assert_equal(answers(5, 40, missing=0.2, values=60) + offset, "ratio")


@pytest.mark.parametrize("level", LEVELS)
def test_work_is_cut_into_pieces_without_a_seam(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairable, "EXPANDED", 7)
    monkeypatch.setattr(shifted_ranks, "CELLS", 30)
    monkeypatch.setattr(disagreement, "BLOCK", 30)
    assert_equal(answers(6, 14, missing=0.4, values=12), level)


@pytest.mark.parametrize("level", LEVELS)
def test_what_holds_nearly_all_variation_leaves_an_exact_rest(level: str) -> None:
    table = answers(4, 12, missing=0)
    table[1, 3] = 1e7
    assert_equal(table, level)


@pytest.mark.parametrize("level", LEVELS)
def test_an_item_or_annotator_that_holds_all_variation_leaves_no_alpha(level: str) -> None:
    table = np.ones((3, 5))
    table[0, 4] = 2
    by_annotator, by_item = leave_one_out.leave_one_out(read(table, level))
    assert np.isnan(by_annotator).tolist() == [True, False, False]
    assert np.isnan(by_item).tolist() == [False, False, False, False, True]


def test_of_two_annotators_neither_can_be_left_out() -> None:
    by_annotator, by_item = leave_one_out.leave_one_out(read([["a", "b", "a"], ["a", "b", "b"]], "nominal"))
    assert np.isnan(by_annotator).all()
    # Without the first unit: (b, b), (a, b); 3 of b, 1 of a: D_o = 2, D_e = 2 * 3 / 3, alpha = 0. Without the
    # second: (a, a), (a, b), the same. Without the third nothing is in dispute.
    assert by_item == pytest.approx([0, 0, 1])


@pytest.mark.parametrize(
    ("table", "lengths"), [([], (0, 0)), ([["a", None], [None, "b"]], (0, 0)), ([["a"], ["a"]], (2, 1))]
)
def test_where_alpha_is_undefined_so_is_everything(table: list[list[str | None]], lengths: tuple[int, int]) -> None:
    found = leave_one_out.leave_one_out(read(table, "nominal"))
    assert tuple(map(len, found)) == lengths
    assert all(np.isnan(values).all() for values in found)


@pytest.mark.parametrize("level", LEVELS)
def test_a_thousand_annotators_and_fifty_thousand_answers_are_no_matter(level: str) -> None:
    rng = np.random.default_rng(0)
    cells = rng.choice(1_000 * 10_000, size=50_000, replace=False)
    table = from_long(cells % 1_000, cells // 1_000, rng.integers(1, 6, 50_000), level, raters=1_000, units=10_000)
    by_annotator, by_item = leave_one_out.leave_one_out(table)
    assert (len(by_annotator), np.isnan(by_annotator).any(), np.isnan(by_item).any()) == (1_000, False, False)
    # A spot check: one annotator and one item deleted from the rows.
    for kept, found in (
        (table.rater != 17, by_annotator[17]),
        (table.unit != table.unit[99], by_item[_place(table, 99)]),
    ):
        rest = from_long(table.rater[kept], table.unit[kept], table.values[table.code[kept]], level)
        p = pairable.pairable(rest)
        assert found == pytest.approx(disagreement.weighted_alpha(p, np.ones(p.units.groups)), abs=1e-12)


def _place(table: object, answer: int) -> int:
    p = pairable.pairable(table)  # type: ignore[arg-type]
    return int(np.searchsorted(p.unit, table.unit[answer]))  # type: ignore[attr-defined]
