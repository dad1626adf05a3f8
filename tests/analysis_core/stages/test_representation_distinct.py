"""Examples of which no two show the same picture or words, and what happens where there are only repetitions."""

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.stages import representation

PICTURES = ["sea.png", "sea.png", "hill.png", "hill.png", "road.png", "town.png"]
WORDS = ["a boat", "a cow", "a cow", "a tree", "a car", "a car"]
#: Row 0 has the highest value, row 5 the lowest.
VALUES = np.array([[6.0], [5.0], [4.0], [3.0], [2.0], [1.0]])


def marks(row):
    return PICTURES[row], WORDS[row]


def test_neither_the_picture_nor_the_words_come_twice():
    found = representation.distinct(VALUES, marks, k=3)
    # Down: 0 (sea, boat); 1 has the sea; 2 (hill, cow); 3 has the hill; 4 (road, car).
    assert found.top.tolist() == [[0, 2, 4]]
    assert found.top_values.tolist() == [[6.0, 4.0, 2.0]]
    # Up: 5 (town, car); 4 has the car; 3 (hill, tree); 2 has the hill; 1 (sea, cow).
    assert found.bottom.tolist() == [[5, 3, 1]]
    assert found.bottom_values.tolist() == [[1.0, 3.0, 5.0]]


def test_without_it_the_same_picture_does_come_twice():
    assert representation.extremes(VALUES, k=3).top.tolist() == [[0, 1, 2]]


def test_what_the_explained_datapoint_shows_does_not_come_up_either():
    # 0 is explained: 1 has its picture. Then 2 (hill, cow), 4 (road, car), and nothing distinct is left: 1 follows.
    assert representation.distinct(VALUES, marks, k=2, exclude=[0]).top.tolist() == [[2, 4]]
    assert representation.distinct(VALUES, marks, k=3, exclude=[0]).top.tolist() == [[2, 4, 1]]


def test_where_only_repetitions_exist_they_follow_in_their_order():
    x = np.arange(40.0)[:, None]
    found = representation.distinct(x, lambda row: ["the same picture"], k=3)
    assert found.top.tolist() == [[39, 38, 37]]
    assert found.bottom.tolist() == [[0, 1, 2]]
    # Also where the only picture is the explained one.
    assert representation.distinct(x, lambda row: ["the same"], k=2, exclude=[39]).top.tolist() == [[38, 37]]


def test_distinct_ones_are_looked_for_beyond_the_first_candidates():
    # 90 repetitions lie before the second picture: far more than the candidates of a first pass.
    found = representation.distinct(np.arange(100.0)[:, None], lambda row: ["first" if row > 9 else row], k=3)
    assert found.top.tolist() == [[99, 9, 8]]


def test_datapoints_without_a_mark_repeat_nothing():
    assert representation.distinct(VALUES, lambda row: [], k=6).top.tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("given", ["sea.png", b"sea", 3, None])
def test_marks_that_are_no_list_are_refused_because_a_text_is_a_list_of_letters(given):
    with pytest.raises(BadInput, match=r"marks of datapoint 0 must be a list, such as \[path, words\]"):
        representation.distinct(VALUES, lambda row: given)


def test_marks_that_cannot_be_compared_are_refused():
    with pytest.raises(BadInput, match="must be texts, numbers or tuples"):
        representation.distinct(VALUES, lambda row: [np.zeros(2)])
