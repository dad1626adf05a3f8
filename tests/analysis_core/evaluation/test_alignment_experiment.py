"""What an experiment's report says: intervals, comparisons with controls, saving; from scores written by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analysis_core import results
from analysis_core.errors import UnknownName
from analysis_core.evaluation.alignment import AlignmentExperiment, AlignmentReport, Pair, Ranked
from analysis_core.evaluation.alignment.boxes import union_area
from analysis_core.evaluation.alignment.clustered import clustered_interval


def experiment(n, per_picture=1, **hits):
    """n questions with one phrase and two boxes; hits: readout -> how many of them it gets right (None: no scores)."""
    ranked = tuple(
        Ranked(
            f"q{i}",
            "the cube",
            "query",
            ("cube",),
            ((0,),),
            {name: None if k is None else (((2.0, 1.0),) if i < k else ((1.0, 2.0),)) for name, k in hits.items()},
        )
        for i in range(n)
    )
    boxes = ((0.0, 0.0, 4.5, 4.0),)
    pairs = tuple(Pair("g", i, f"q{i}", f"p{i // per_picture}", "the cube", "cube", (4, 8), boxes, 2) for i in range(n))
    report = AlignmentReport(ranked, {"readouts": list(hits)})
    return AlignmentExperiment("toy", {"g": report}, pairs, {"seed": 0}, ("A note.",))


def test_intervals_over_pictures_take_the_phrases_of_a_picture_together():
    # 10 pictures with 4 phrases each, all right on 5 pictures and all wrong on 5.
    found = experiment(40, per_picture=4, first_order=20)
    rate = found.over_pictures("g", "first_order")
    assert (rate.hits, rate.n) == (20, 40)
    assert (rate.low, rate.high) == clustered_interval([[True] * 4] * 5 + [[False] * 4] * 5)
    binomial = found.rate("g", "first_order")
    assert rate.high - rate.low > 1.5 * (binomial.high - binomial.low)


def test_overlapping_intervals_are_said_to_be_indistinguishable():
    found = experiment(52, second_order_norm=51, first_order=52, random=13)
    (said,) = found.findings("g")
    assert said == (
        "second_order_norm (0.981) is not distinguishable from first_order (1.000): "
        "their intervals over pictures overlap."
    )
    assert said in str(found)


def test_a_readout_below_and_above_its_controls_is_said_to_be_so():
    below = experiment(100, hutchinson=50, first_order=99, random=48)
    assert below.findings("g") == (
        "hutchinson (0.500) is not distinguishable from random (0.480): their intervals over pictures overlap; "
        "it lies below first_order (0.990).",
    )
    above = experiment(100, hutchinson=90, first_order=40, random=48)
    assert above.findings("g") == ("hutchinson (0.900) lies above every control.",)


def test_controls_that_could_not_be_had_are_named():
    found = experiment(10, hutchinson=9, swapped_phrase=None, random=2)
    assert "swapped_phrase could not be had" in found.findings("g")[-1]
    assert "| swapped_phrase | - | - | - | - | - | 0 |" in found.table("g")


def test_chance_is_exact_and_printed():
    found = experiment(10, random=2)
    assert (found.chance("g"), found.chance("g", top=2)) == (0.5, 1)
    assert "| chance | 0.500 | | 1.000 | | | |" in str(found)
    assert str(found).endswith("A note.")


def test_a_group_that_does_not_exist_is_named():
    found = experiment(10, random=2)
    for call in (found.rate, found.over_pictures):
        with pytest.raises(UnknownName, match="group"):
            call("h", "random")
    with pytest.raises(UnknownName, match="readout"):
        found.over_pictures("g", "attention")


def test_an_experiment_is_saved_and_loaded_without_loss(tmp_path):
    found = experiment(6, random=2, attention=None)
    assert AlignmentExperiment.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    results.save(found, tmp_path / "found.npz")
    assert results.load(tmp_path / "found.npz") == found


def test_the_area_of_several_boxes_counts_what_they_share_once():
    # 4 x 4 and 4 x 2, sharing 2 x 2; and one far away of 3 x 1.
    boxes = np.array([[0, 0, 4, 4], [2, 2, 6, 4], [10, 10, 13, 11]], float)
    assert union_area(boxes[:1]) == 16
    assert union_area(boxes[:2]) == 16 + 8 - 4
    assert union_area(boxes) == 16 + 8 - 4 + 3
