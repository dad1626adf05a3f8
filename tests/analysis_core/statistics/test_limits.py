"""What small designs cannot show, counted by hand."""

from __future__ import annotations

import pytest

from analysis_core.errors import BadInput
from analysis_core.statistics import annotators_needed, limit_sentence
from analysis_core.statistics.permutation import smallest_p


def test_four_per_condition_are_the_fewest_that_reach_five_percent():
    # 2 of 20 ways, 2 of 70, 2 of 252.
    assert [smallest_p((n, n)) for n in (3, 4, 5)] == [2 / 20, 2 / 70, 2 / 252]
    assert annotators_needed(0.05) == 4
    # At .01 with five: 2 / 252 = .008.
    assert annotators_needed(0.01) == 5


def test_ten_pairs_need_more():
    # 10 * 2 / 252 = .079; 10 * 2 / 924 = .022.
    assert annotators_needed(0.05, pairs=10) == 6


def test_a_sample_of_relabellings_reaches_no_tiny_level():
    assert annotators_needed(1e-6) is None
    assert smallest_p((40, 40)) == 1 / 20_000


def test_the_sentence_says_what_is_out_of_reach_and_what_is_enough():
    assert limit_sentence((3, 3)) == (
        "3 annotators per condition: the annotator-level test cannot go below p = 0.10; with two conditions"
        " 4 per condition can reach 0.029, 5 per condition can reach 0.008."
    )
    # 1 of 5!/(2! 3!) = 10 ways: unequal arms have no mirror image, but .10 is above .05 all the same.
    assert limit_sentence((2, 3)).startswith("2 and 3 annotators: the annotator-level test cannot go below p = 0.10")
    # 1 of 6! / (2! 4!) = 15 ways is .067; ".07" would claim more than is so.
    assert "cannot go below p = 0.067;" in limit_sentence((2, 4))
    assert limit_sentence((4, 4)) is None
    assert "no number" in limit_sentence((3, 3), 1e-6)


@pytest.mark.parametrize(("level", "pairs"), [(0, 1), (1, 1), (0.05, 0)])
def test_levels_that_cannot_be_are_refused(level: float, pairs: int):
    with pytest.raises(BadInput):
        annotators_needed(level, pairs)
