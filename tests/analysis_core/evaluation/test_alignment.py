"""Alignment on planted models: each readout's scores follow from the planting, by hand."""

from __future__ import annotations

import json
from math import sqrt

import pytest
import torch

from analysis_core import Logit, models, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation import alignment
from analysis_core.evaluation.alignment.phrases import word_spans, words_of
from tests.analysis_core.toys_alignment import BOXES, TEXT, PlantedPixels, PlantedRegions, question

# Words: what 0, color 1, are 2, the 3, red 4, cube 5, and 6, the 7, ball 8.
STRENGTH = torch.zeros(9, 3)
STRENGTH[4, 2], STRENGTH[5, 2], STRENGTH[8, 0], STRENGTH[0, 1] = 2, 1, 3, 5


def scores(model, readout, **fields):
    report = alignment.evaluate(model, [question(**fields)], readouts=[readout], target=Logit(0))
    return report.questions[0].scores[readout]


def close(rows):
    return [pytest.approx(row, abs=1e-9) for row in rows]


def test_planted_pairs_are_found_by_every_readout_of_interactions():
    report = alignment.evaluate(PlantedRegions(STRENGTH), [question()] * 3)
    for readout in ("second_order_norm", "hutchinson", "removal"):
        assert report.rate(readout).value == 1
        assert report.rate(readout, joint=True).value == 1
        assert report.rate(readout).n == 6


def test_words_of_a_phrase_are_added_after_the_norm():
    # d2f / d word_i d region_j = strength[i, j] * identity, and the direction has length 1: red cube 2 + 1, ball 3.
    assert list(scores(PlantedRegions(STRENGTH), "second_order_norm")) == close([[0, 0, 3], [3, 0, 0]])


def test_hutchinson_is_the_frobenius_norm_in_expectation():
    # |strength * identity|_F = strength * sqrt(3) over three components.
    report = alignment.evaluate(
        PlantedRegions(STRENGTH), [question()], readouts=["hutchinson"], target=Logit(0), projections=4000
    )
    found = report.questions[0].scores["hutchinson"]
    assert found[0][2] == pytest.approx(3 * sqrt(3), rel=0.03)
    assert found[1] == pytest.approx([3 * sqrt(3), 0, 0], rel=0.03)


def test_removal_takes_whole_phrases_and_boxes_away():
    # <word, region> = 3 for words and regions of three ones, 0 where one is absent: (2 + 1) * 3 and 3 * 3.
    assert list(scores(PlantedRegions(STRENGTH), "removal")) == close([[0, 0, 9], [9, 0, 0]])


def test_first_order_is_the_same_for_both_phrases_and_so_right_for_one_at_most():
    # |df / d region_j| = sqrt(3) * the sum of the strengths in column j: 3, 5, 3.
    first = scores(PlantedRegions(STRENGTH), "first_order")
    assert list(first) == close([[3 * sqrt(3), 5 * sqrt(3), 3 * sqrt(3)]] * 2)
    strong_ball = STRENGTH.clone()
    strong_ball[8, 0] = 9
    report = alignment.evaluate(PlantedRegions(strong_ball), [question()])
    assert report.rate("first_order").value == 0.5
    assert report.rate("first_order", joint=True) is None


def test_function_words_stand_in_for_every_phrase():
    # "what" is tied to box 1, the other function words to nothing; "color" is no function word.
    strength = STRENGTH.clone()
    strength[1, 2] = 50
    found = scores(PlantedRegions(strength), "function_words")
    assert found[0] == found[1]
    assert found[0][1] > 0
    assert (found[0][0], found[0][2]) == (0, 0)
    without = question(text="red cube ball", phrases=({"span": (0, 8), "boxes": (2,)},))
    report = alignment.evaluate(PlantedRegions(torch.ones(3, 3)), [without], readouts=["function_words"])
    assert report.questions[0].scores == {"function_words": None}
    assert report.rate("function_words") is None


def test_a_swapped_phrase_finds_the_other_phrases_box():
    model = PlantedRegions(STRENGTH)
    report = alignment.evaluate(model, [question()], readouts=["hutchinson", "swapped_phrase"])
    one, two = report.questions[0].scores["hutchinson"]
    assert report.questions[0].scores["swapped_phrase"] == (two, one)
    assert report.rate("swapped_phrase").value == 0


def test_attention_is_read_where_a_model_shows_it():
    assert scores(PlantedRegions(STRENGTH), "attention") is None
    seen = torch.arange(27).reshape(9, 3)
    # red 12 13 14 + cube 15 16 17; ball 24 25 26
    assert scores(PlantedRegions(STRENGTH, seen), "attention") == ((27, 29, 31), (24, 25, 26))


def test_box_area_and_random_know_nothing_of_the_phrase_and_repeat_for_a_seed():
    model = PlantedRegions(STRENGTH)
    assert scores(model, "box_area") == ((16, 16, 32), (16, 16, 32))
    assert scores(model, "random") == scores(model, "random")
    assert scores(model, "random") != scores(model, "random", id="another")


def test_pixel_maps_are_averaged_inside_the_box_in_the_maps_own_coordinates():
    # The map has 4 x 4 pixels, the picture 8 x 8: box 2 is the lower half (8 pixels), box 0 the upper left quarter (4).
    strength = torch.zeros(9, 16)
    strength[4, 8], strength[8, 0], strength[8, 2] = 4, 2, 1
    model = PlantedPixels(strength)
    assert list(scores(model, "second_order_norm")) == close([[0, 0, 4 / 8], [2 / 4, 1 / 4, 0]])
    # Removal takes the two lower superpixels, or the upper left one, or the upper right one.
    assert list(scores(model, "removal")) == close([[0, 0, 4], [2, 1, 0]])
    assert list(scores(model, "first_order")) == close([[2 / 4, 1 / 4, 4 / 8]] * 2)


def test_a_model_that_crops_tells_where_boxes_lie_in_its_input():
    strength = torch.zeros(9, 16)
    strength[8, 15] = 8
    model = PlantedPixels(strength)
    model.boxes_in_input = lambda sample, boxes: 4 - boxes.flip(1) / 2  # turned by 180 degrees
    assert scores(model, "second_order_norm")[1] == pytest.approx((8 / 4, 0, 0))


def test_a_box_stands_for_the_region_that_overlaps_it_most():
    # The regions are the boxes in another order, slightly moved.
    moved = [[v + 0.3 for v in BOXES[j]] for j in (2, 0, 1)]

    class Detector(PlantedRegions):
        def encode(self, sample):
            return super().encode({**sample, "boxes": moved})

    found = scores(Detector(STRENGTH[:, [2, 0, 1]]), "second_order_norm")
    assert list(found) == close([[0, 0, 3], [3, 0, 0]])


def test_only_questions_with_phrases_and_two_boxes_count():
    one_box = question(boxes=BOXES[:1], regions=[[1.0, 1.0, 1.0]], phrases=({"span": (19, 27), "boxes": (0,)},))
    asked = [question(phrases=()), question(), one_box]
    report = alignment.evaluate(PlantedRegions(STRENGTH), asked, readouts=["random"])
    assert (len(report.questions), report.skipped) == (1, 2)
    with pytest.raises(BadInput, match="nothing to align"):
        alignment.evaluate(PlantedRegions(STRENGTH), asked[:1])


def test_wrong_names_and_places_are_named():
    model = PlantedRegions(STRENGTH)
    with pytest.raises(UnknownName, match="did you mean hutchinson"):
        alignment.evaluate(model, [question()], readouts=["hutchinsen"])
    with pytest.raises(UnknownName, match="modality"):
        alignment.evaluate(model, [question()], to="picture")
    with pytest.raises(BadInput, match="no word of the model"):
        alignment.evaluate(model, [question(phrases=({"span": (40, 41), "boxes": (0,)},))])
    with pytest.raises(BadInput, match="boxes"):
        alignment.evaluate(model, [question(boxes=[[0, 0, 0, 0], [1, 1, 1, 1]])])
    with pytest.raises(BadInput, match="outside the picture"):
        alignment.evaluate(PlantedPixels(torch.ones(9, 16)), [question(boxes=[[0, 0, 4, 4], [80, 80, 90, 90]])])


def test_words_are_found_in_their_order_and_phrases_by_their_characters():
    spans = word_spans("The cube, the Cube?", ["the", "cube", "the", "cube"])
    assert spans == [(0, 3), (4, 8), (10, 13), (14, 18)]
    assert words_of((10, 18), spans) == [2, 3]
    with pytest.raises(BadInput, match="'ball'"):
        word_spans("The cube", ["ball"])


def test_questions_that_a_model_answers_wrong_are_left_out():
    # Logit 0 is positive here, so the model predicts class 0.
    asked = [question(id="right", label=0), question(id="wrong", label=1)]
    kept = alignment.answered_right(PlantedRegions(STRENGTH), asked)
    assert [sample["id"] for sample in kept] == ["right"]


def test_a_report_is_saved_and_loaded_without_loss(tmp_path):
    report = alignment.evaluate(PlantedRegions(STRENGTH), [question(question_type="pair")])
    assert alignment.AlignmentReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report
    results.save(report, tmp_path / "report.npz")
    assert results.load(tmp_path / "report.npz") == report
    assert results.dumps(report) == results.dumps(
        alignment.evaluate(PlantedRegions(STRENGTH), [question(question_type="pair")])
    )


def test_the_toys_text_holds_its_phrases():
    assert [TEXT[slice(*p["span"])] for p in question()["phrases"]] == ["red cube", "ball"]
    assert "lxmert" in models.names()
