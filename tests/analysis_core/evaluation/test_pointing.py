"""The pointing game: where a phrase's map is largest, against objects' centres; planted, and on a real CLEVR scene."""

from __future__ import annotations

from math import hypot
from pathlib import Path

import pytest
import torch
from PIL import Image

from analysis_core import Logit, datasets, models
from analysis_core.errors import BadInput
from analysis_core.evaluation.alignment import point
from analysis_core.evaluation.alignment.clevr_phrases import named_objects
from tests.analysis_core.toys_alignment import SPANS, TEXT, PlantedPixels

PROJECT = Path(__file__).resolve().parents[3]
SAMPLES = PROJECT / "../shared/data/clevr_samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/clevr_samples is absent")

# Words: what 0, color 1, are 2, the 3, red 4, cube 5, and 6, the 7, ball 8; the map has 4 x 4 pixels.
STRENGTH = torch.zeros(9, 16)
# "red" 2 + "cube" 2 on pixel (1, 2), "red" alone 3 on pixel (0, 0); "ball" on pixel (3, 3).
STRENGTH[4, 9], STRENGTH[5, 9], STRENGTH[4, 0], STRENGTH[8, 15] = 2, 2, 3, 5


def sample(first=0, second=1):
    phrases = ({"span": SPANS[0], "boxes": (first,)}, {"span": SPANS[1], "boxes": (second,)})
    return {"id": "q", "text": TEXT, "image": Image.new("RGB", (8, 8)), "phrases": phrases}


def test_the_maximum_of_a_phrases_words_together_is_measured_to_every_centre():
    # Centres in the 8 x 8 picture, halved in the map: (1, 2) and (3.5, 3.5).
    red, ball = point(PlantedPixels(STRENGTH), sample(), [(2, 4), (7, 7)], target=Logit(0))
    assert (red.phrase, red.maximum, ball.maximum) == ("red cube", (1.5, 2.5), (3.5, 3.5))
    assert red.distances == pytest.approx((hypot(0.5, 0.5), hypot(2, 1)))
    assert ball.distances == pytest.approx((hypot(2.5, 1.5), 0))
    assert (red.hit, ball.hit) == (True, True)


def test_a_phrase_whose_maximum_is_nearer_to_another_object_is_no_hit():
    red, ball = point(PlantedPixels(STRENGTH), sample(1, 0), [(2, 4), (7, 7)], target=Logit(0))
    assert (red.hit, ball.hit) == (False, False)


def test_a_model_that_crops_tells_where_points_lie_in_its_input():
    model = PlantedPixels(STRENGTH)
    model.boxes_in_input = lambda sample, boxes: boxes / 2 + 1
    _, ball = point(model, sample(), [(2, 4), (5, 5)], target=Logit(0))
    assert ball.distances[1] == pytest.approx(0)


def test_one_point_is_no_game():
    with pytest.raises(BadInput, match="two points"):
        point(PlantedPixels(STRENGTH), sample(0, 0), [(2, 4)])


@needs_samples
def test_a_real_scene_is_pointed_at_from_its_pixel_coords():
    # A picture of CLEVR v1.0 and the shipped checkpoint, which was trained on generated scenes only: what is shown is
    # that the way from pixel_coords to the map works, not that it finds the objects (docs/methods has what it finds).
    asked = datasets.load("clevr", root=SAMPLES, split="val")
    found = next(s for s in (asked[i] for i in range(len(asked))) if s["text"].startswith("How many large shiny balls"))
    phrases, _ = named_objects(found["text"], found["program"], found["objects"])
    assert [p["text"] for p in phrases] == ["green matte cylinder"]
    model = models.load("cnn_lstm_sa", checkpoint=PROJECT / "fixtures/checkpoints/clevr_cnn_lstm_sa")
    points = [thing["pixel_coords"][:2] for thing in found["objects"]]
    (pointed,) = point(model, {**found, "phrases": phrases}, points)
    x, y = pointed.maximum
    assert 0 < x < 96
    assert 0 < y < 96
    # The green cylinder's centre is (161, 118) of 480 x 320 pixels: (32.2, 35.4) of 96 x 96.
    assert pointed.named == 2
    assert pointed.distances[2] == pytest.approx(hypot(32.2 - x, 35.4 - y))
    assert pointed.hit == (min(pointed.distances) == pointed.distances[2])
