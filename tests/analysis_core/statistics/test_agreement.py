"""Alpha: values derived by hand, the package's, and its traps. Published values: test_golden_values.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import LEVELS, alpha, disagreement
from tests.analysis_core.statistics.random_tables import by_package, odd_tables


def test_a_table_of_four_units_gives_the_value_derived_by_hand():
    # Coincidences: AA 2, AB 1, BA 1, BB 4; n_A = 3, n_B = 5, n = 8.
    # D_o = 2, D_e = 2 * 3 * 5 / 7 = 30 / 7, alpha = 1 - 2 * 7 / 30 = 8 / 15.
    found = alpha([["A", "A", "B", "B"], ["A", "B", "B", "B"]], "nominal")
    assert found.value == pytest.approx(8 / 15, abs=1e-15)
    assert (found.reason, found.level, found.raters, found.units) == (None, "nominal", 2, 4)


@pytest.mark.parametrize("level", LEVELS)
def test_random_tables_with_missing_answers_equal_the_package(level: str):
    tables = list(odd_tables())
    expected = np.array([by_package(table, level) for table in tables])
    found = np.array([np.nan if (value := alpha(table, level).value) is None else value for table in tables])
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.isnan(expected).any()
    assert np.nanmax(np.abs(found - expected)) < 1e-12


@pytest.mark.parametrize("level", LEVELS)
def test_a_table_whose_variation_is_in_one_unit_equals_the_package(level: str):
    table = np.full((3, 10), 2.0)
    table[:, 4] = 1, 5, 3
    assert alpha(table, level).value == pytest.approx(by_package(table, level), abs=1e-12)


def test_values_of_any_size_have_an_alpha():
    assert alpha([[0, 1e-300], [0, 1e-300]], "interval").value == 1
    # Units (a, b) and (b, b), whatever the distance d: D_o = 2 d, D_e = 2 * 1 * 3 * d / 3, so alpha = 0.
    assert alpha([[1.7e308, -1.7e308], [-1.7e308, -1.7e308]], "interval").value == pytest.approx(0, abs=1e-15)
    assert alpha([[1.7e308, 1e308], [1e308, 1e308]], "ratio").value == pytest.approx(0, abs=1e-15)
    assert alpha([[1e16, 1e16 + 2], [1e16, 1e16]], "interval").value == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("level", LEVELS)
def test_as_many_values_as_answers_take_no_table_of_values_by_values(level: str):
    # 100,000 distinct values would make 80 GB. Answers in random order agree as by chance: the standard error of
    # alpha over 50,000 pairs is about 1 / sqrt(50,000) = .0045.
    values = np.random.default_rng(1).permutation(100_000).reshape(2, 50_000) * 1.5
    assert abs(alpha(values, level).value) < 0.018
    # Every unit's answers differ by one step out of 100,000: next to nothing of the spread that chance would give.
    pairs = np.arange(10, 100_010).reshape(50_000, 2).T * 1.5
    assert alpha(pairs, level).value == pytest.approx(0 if level == "nominal" else 1, abs=1e-4)


@pytest.mark.parametrize("offset", [0, 1e6])
def test_many_values_at_ratio_level_equal_the_sum_over_all_pairs(offset: float, monkeypatch: pytest.MonkeyPatch):
    # With the offset all values lie within two per mille of each other, which nodes cannot tell to 12 digits.
    table = np.random.default_rng(2).random((3, 500)) * 2_000 + offset
    found = alpha(table, "ratio").value
    monkeypatch.setattr(disagreement, "MANY", 10_000)
    assert found == pytest.approx(alpha(table, "ratio").value, abs=1e-13)


@pytest.mark.parametrize("level", LEVELS)
def test_unanimous_answers_have_no_variation_and_no_value(level: str):
    found = alpha([[2, 2, 2], [2, 2, 2]], level)
    assert (found.value, found.reason) == (None, "no_variation")


@pytest.mark.parametrize("level", LEVELS)
def test_variation_in_answers_that_cannot_be_compared_is_no_variation(level: str):
    assert alpha([[1, 1, 3], [1, 1, None]], level).reason == "no_variation"


@pytest.mark.parametrize("table", [[["A", "B"]], [["A", None], [None, "B"]], [[None], [None]], [[], []], []])
def test_without_a_unit_that_two_raters_answered_there_is_no_overlap(table: list[list[str | None]]):
    found = alpha(table, "nominal")
    assert (found.value, found.reason, found.raters) == (None, "no_overlap", len(table))


def test_missing_answers_may_be_none_nan_or_pandas_na():
    expected = alpha([["A", "B", "B", "A"], ["A", "B", "A", None]], "nominal").value
    assert alpha([["A", "B", "B", "A"], ["A", "B", "A", float("nan")]], "nominal").value == expected
    assert alpha(pd.DataFrame([["A", "B", "B", "A"], ["A", "B", "A", pd.NA]]), "nominal").value == expected
    assert alpha(np.ma.array([[0, 1, 1, 0], [0, 1, 0, 7]], mask=[[0] * 4, [0, 0, 0, 1]]), "nominal").value == expected


def test_an_answer_spelled_nan_is_a_label():
    # The same table with the label spelled "x": nothing but the spelling differs.
    assert alpha([["nan", "B", "nan"], ["nan", "B", "B"]], "nominal") == alpha(
        [["x", "B", "x"], ["x", "B", "B"]], "nominal"
    )
    assert alpha(np.array([["nan", "B"], ["nan", "B"]]), "nominal").value == 1.0


def test_booleans_and_any_other_labels_are_nominal_answers():
    expected = alpha([[1, 0, 0], [1, 0, 1]], "nominal").value
    assert alpha([[True, False, False], [True, False, True]], "nominal").value == expected
    assert alpha(np.array([[True, False, False], [True, False, True]]), "nominal").value == expected
    assert alpha([[("a", 1), None, "b"], [("a", 1), "z", "b"]], "nominal").value == 1.0


def test_levels_differ_on_the_same_data():
    # 1 against 4 weighs 9 at interval level and 1 at nominal level; n = (3, 2, 1).
    # Nominal: D_o = 2, D_e = (36 - 14) / 5.
    # Interval: D_o = 2 * 9 = 18, D_e = 2 * (3 * 2 * 1 + 3 * 1 * 9 + 2 * 1 * 4) / 5 = 82 / 5.
    table = [[1, 1, 2], [1, 4, 2]]
    assert alpha(table, "nominal").value == pytest.approx(1 - 10 / 22)
    assert alpha(table, "interval").value == pytest.approx(1 - 90 / 82)


@pytest.mark.parametrize(
    ("table", "level", "sentence"),
    [
        ([["A", "B"], ["A"]], "nominal", "rater 1 has 1 answers, rater 0 has 2"),
        (["AB", "AB"], "nominal", "must be a table"),
        (np.zeros(3), "nominal", "not an array of shape"),
        ([["A", "B"], ["A", "C"]], "ordinal", "rater 0, unit 0: 'A' is not a number"),
        ([[1, 2], [1, float("inf")]], "interval", "rater 1, unit 1: inf; level interval needs finite numbers"),
        ([[1, 2], [1, -2]], "ratio", "rater 1, unit 1: -2; level ratio needs numbers of at least 0"),
        ([[["A"]], [["A"]]], "nominal", "cannot be a label"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_the_place(table: object, level: str, sentence: str):
    with pytest.raises(BadInput, match=sentence):
        alpha(table, level)


def test_a_misspelt_level_names_the_nearest():
    with pytest.raises(UnknownName, match="did you mean nominal"):
        alpha([[1, 2], [1, 2]], "nominl")
