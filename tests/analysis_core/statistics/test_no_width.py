"""Where leaving out changes nothing there is no interval, rather than one of width 0."""

from __future__ import annotations

from analysis_core import statistics


def test_perfect_agreement_has_a_value_and_no_interval() -> None:
    ratings = [["a", "b", "a", "c"]] * 3
    assert statistics.alpha(ratings, "nominal").value == 1.0
    assert statistics.alpha_interval(ratings, "nominal").interval is None
    # Other draws of the items agree as perfectly: width 0 as well
    assert statistics.alpha_interval(ratings, "nominal", over="items", replicates=200).interval is None


def test_annotators_and_items_that_are_all_alike_in_sum_have_a_mean_and_no_interval() -> None:
    # Each annotator and each item is right two times of three: leaving any of them out leaves two thirds.
    found = statistics.crossed_accuracy([[1, 0, 1], [1, 1, 0], [0, 1, 1]])
    assert round(found.mean, 3) == 0.667
    assert found.interval is None
