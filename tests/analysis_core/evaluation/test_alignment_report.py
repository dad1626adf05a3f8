"""Rates of an alignment report: ranks, ties, joint assignment and intervals, from scores written by hand."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation.alignment import AlignmentReport, Ranked


def report(*questions):
    """questions: (scores, gold) with one readout "r"."""
    ranked = [
        Ranked(str(i), "", "pair" if i % 2 == 0 else "same", tuple("ab"[: len(gold)]), gold, {"r": scores})
        for i, (scores, gold) in enumerate(questions)
    ]
    return AlignmentReport(tuple(ranked), {"readouts": ["r"]})


def test_top_one_and_top_two_count_the_boxes_above_the_named_one():
    # Phrase a: box 1 is second; phrase b: box 2 is third.
    found = report((((3.0, 2.0, 1.0), (3.0, 2.0, 1.0)), ((1,), (2,))))
    assert [found.rate("r", top=k).hits for k in (1, 2, 3)] == [0, 1, 2]


def test_ties_count_against_the_readout():
    found = report((((1.0, 1.0, 0.0),), ((0,),)), (((0.0, 0.0, 0.0),), ((0,),)))
    assert found.rate("r").hits == 0
    # In the first question one other box is as high, in the second two are.
    assert found.rate("r", top=2).hits == 1


def test_a_phrase_with_several_boxes_is_found_by_any_of_them():
    assert report((((3.0, 1.0, 2.0),), ((0, 1),))).rate("r").hits == 1
    assert report((((1.0, 2.0, 3.0),), ((0, 1),))).rate("r").hits == 0


def test_joint_assignment_gives_every_phrase_a_box_of_its_own():
    # Both phrases prefer box 0, phrase a more so. Shares: .6 .3 .1 and .5 .4 .1; a0 + b1 = 1.0 is above b0 + a1 = .8.
    found = report((((6.0, 3.0, 1.0), (50.0, 40.0, 10.0)), ((0,), (1,))))
    assert found.rate("r").hits == 1
    assert found.rate("r", joint=True).hits == 2


def test_joint_assignment_says_nothing_where_all_phrases_score_alike():
    assert report((((3.0, 2.0), (3.0, 2.0)), ((0,), (1,)))).rate("r", joint=True) is None


def test_more_phrases_than_boxes_leave_one_without():
    found = report((((3.0, 1.0), (1.0, 3.0), (1.0, 1.1)), ((0,), (1,), (0,))))
    assert found.rate("r", joint=True).hits == 2


def test_a_phrase_without_any_score_is_a_miss_and_leaves_the_others_alone():
    found = report((((0.0, 0.0, 0.0), (0.0, 2.0, 1.0)), ((0,), (1,))))
    assert found.rate("r").hits == 1
    assert found.rate("r", joint=True).hits >= 1


def test_intervals_are_wilsons():
    right, wrong = (((2.0, 1.0),), ((0,),)), (((1.0, 2.0),), ((0,),))
    rate = report(*[right] * 7, *[wrong] * 3).rate("r")
    assert (rate.hits, rate.n, rate.value) == (7, 10, 0.7)
    assert (rate.low, rate.high) == pytest.approx(proportion_confint(7, 10, method="wilson"))


def test_rates_are_given_per_kind_of_question():
    right, wrong = (((2.0, 1.0),), ((0,),)), (((1.0, 2.0),), ((0,),))
    found = report(right, wrong)
    assert (found.rate("r", kind="pair").hits, found.rate("r", kind="same").hits) == (1, 0)
    assert found.rate("r", kind="count") is None


def test_wrong_names_and_wrong_uses_are_refused():
    found = report((((2.0, 1.0),), ((0,),)))
    with pytest.raises(UnknownName, match="readout"):
        found.rate("q")
    with pytest.raises(BadInput, match="top must be 1"):
        found.rate("r", top=2, joint=True)


def test_the_table_has_a_row_per_readout_with_intervals():
    lines = str(report((((2.0, 1.0),), ((0,),)))).splitlines()
    # Wilson's interval of 1 of 1: 1 / (1 + 1.96^2) = 0.207 to 1. One phrase alone scores "all phrases alike".
    assert lines[2] == "| r | 1.000 [0.207, 1.000] | 1.000 [0.207, 1.000] | - | 1 |"
