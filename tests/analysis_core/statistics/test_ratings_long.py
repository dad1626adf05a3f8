"""Answers in long form and sparse rating tables: the same as the dense table, in little memory, or refused by row."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import LEVELS, alpha
from analysis_core.statistics.ratings import Ratings, from_long, read
from tests.analysis_core.statistics.random_tables import Table, answers


def long_form(table: Table, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The answers of a table as shuffled rows (rater, unit, value)."""
    rater, unit = np.nonzero(~np.isnan(table))
    order = np.random.default_rng(seed).permutation(len(rater))
    return rater[order], unit[order], table[rater, unit][order]


@pytest.mark.parametrize("level", LEVELS)
def test_rows_in_any_order_are_the_table(level: str) -> None:
    table = answers(5, 12, missing=0.4)
    dense, sparse = read(table, level), from_long(*long_form(table), level, raters=5, units=12)
    for name in ("rater", "unit", "code", "values"):
        assert np.array_equal(getattr(dense, name), getattr(sparse, name)), name
    assert (dense.raters, dense.units) == (sparse.raters, sparse.units) == (5, 12)
    assert alpha(sparse, level) == alpha(table, level)


def test_the_dense_table_and_the_counts_come_back() -> None:
    coded = read([[1, None, 3], [3, None, 3]], "interval")
    assert coded.codes.tolist() == [[0, -1, 1], [1, -1, 1]]
    assert coded.counts().tolist() == [[1, 1], [0, 0], [0, 2]]


def test_labels_are_numbered_in_order_of_appearance() -> None:
    coded = from_long(["bea", "ann", "bea"], [7, 7, 3], ["no", "yes", "no"], "nominal")
    # bea 0, ann 1; unit 7 is 0, unit 3 is 1; no 0, yes 1: sorted by unit, then rater.
    assert [coded.rater.tolist(), coded.unit.tolist(), coded.code.tolist()] == [[0, 1, 0], [0, 0, 1], [0, 1, 0]]
    numbers = from_long(np.array([9, 4, 9]), np.array([7, 7, 3]), ["no", "yes", "no"], "nominal")
    assert numbers.codes.tolist() == coded.codes.tolist()


def test_a_row_without_a_value_is_no_answer_but_its_rater_and_unit_count() -> None:
    coded = from_long(["a", "b", "c"], [1, 1, 2], ["x", "x", None], "nominal")
    assert (coded.raters, coded.units, len(coded.code)) == (3, 2, 2)


def test_no_rows_are_an_empty_table() -> None:
    assert alpha(from_long([], [], [], "ratio"), "ratio").reason == "no_overlap"


def test_a_million_answers_take_no_dense_table() -> None:
    # 100,000 raters x 200,000 units would be 20 billion cells.
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(200_000), 5)
    raters = (rng.integers(0, 99_000, 200_000)[:, None] + rng.permuted(np.arange(5))).ravel()
    coded = from_long(raters, units, rng.integers(0, 3, len(units)), "nominal", raters=100_000, units=200_000)
    # Answers drawn at random agree as often as by chance; the standard error is about 1 / sqrt(2 x 2 million pairs).
    assert abs(alpha(coded, "nominal").value) < 4e-3  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="100,000 raters x 200,000 units are too many for a dense table"):
        _ = coded.codes


def test_numbers_can_be_read_at_any_level_that_they_allow() -> None:
    table = answers(4, 10)
    coded = read(table, "interval")
    assert read(coded, "interval") is coded
    assert all(alpha(coded, level) == alpha(table, level) for level in LEVELS)
    with pytest.raises(BadInput, match="-1; level ratio needs numbers of at least 0"):
        read(read([[-1, 2], [-1, 2]], "ordinal"), "ratio")
    with pytest.raises(BadInput, match="coded as nominal labels"):
        read(read([["a", "b"]], "nominal"), "ordinal")


@pytest.mark.parametrize(
    ("columns", "level", "sentence"),
    [
        (
            (["a", "b", "a"], [1, 1, 1], ["x", "x", "y"]),
            "nominal",
            "row 2: rater a has answered unit 1 already, in row 0",
        ),
        ((["a", "b"], [1, 1], ["x"]), "nominal", "one entry per row each; they have 2, 2, 1"),
        ((["a", None], [1, 1], ["x", "x"]), "nominal", "row 1 has no rater"),
        ((["a", ["b"]], [1, 1], ["x", "x"]), "nominal", r"row 1: \['b'\] cannot be a label"),
        ((["a", "b"], [1, float("nan")], ["x", "x"]), "nominal", "row 1 has no unit"),
        ((["a", "b"], [1, 1], [1, "x"]), "interval", "row 1: 'x' is not a number, as level interval needs"),
        ((["a", "b"], [1, 1], np.array([1, -3])), "ratio", "row 1: -3; level ratio needs numbers of at least 0"),
        (("ab", [1, 1], [1, 1]), "nominal", "a column of rows is needed, not 'ab'"),
        ((np.zeros((2, 2)), [1, 1], [1, 1]), "nominal", "not an array of shape"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_by_their_number(columns: tuple, level: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        from_long(*columns, level)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_whole_numbers_stay_different_labels(dtype: type) -> None:
    # 2^60 and 2^60 + 1 are the same float. The raters agree on one item of three, as with the labels a, b and c.
    table = np.array([[2**60, 2**60 + 1, 5], [2**60 + 1, 2**60, 5]], dtype=dtype)
    named = alpha([["a", "b", "c"], ["b", "a", "c"]], "nominal")
    assert alpha(table, "nominal") == named
    assert alpha(from_long([0, 0, 0, 1, 1, 1], [0, 1, 2] * 2, table.ravel(), "nominal"), "nominal") == named


def test_raters_out_of_the_given_range_are_refused() -> None:
    with pytest.raises(BadInput, match="row 1: rater 2, but they are numbered from 0 to 1"):
        from_long([0, 2], [0, 0], [1, 1], "nominal", raters=2, units=1)
    with pytest.raises(BadInput, match="each unit is an integer from 0 to 4"):
        from_long([0, 1], ["x", "x"], [1, 1], "nominal", raters=2, units=5)


def test_a_misspelt_level_is_refused_in_long_form_too() -> None:
    with pytest.raises(UnknownName, match="did you mean ordinal"):
        from_long([0], [0], [1], "ordnal")


def test_ratings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        read([[1]], "nominal").raters = 3  # type: ignore[misc]
    assert isinstance(read([[1]], "nominal"), Ratings)
