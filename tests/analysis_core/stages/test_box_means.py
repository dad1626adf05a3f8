"""Means of pixel maps inside boxes, by hand, and the boxes that are refused."""

import math

import numpy as np
import pytest
import torch

from analysis_core import Attribution
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal

#: One word's map: the left half 1, the right half 3, of 2 x 4 pixels.
MAP = torch.tensor([[[1.0, 1.0, 3.0, 3.0], [1.0, 1.0, 3.0, 3.0]]], dtype=torch.float64)


def mapped() -> Attribution:
    return Attribution({}, {}, "second_order", {"source": "text", "to": "image", "atoms": [0]}, {}, pixels=MAP)


def test_boxes_may_be_lists_arrays_or_tensors():
    # The left half: 1; columns 1 to 3 cover one pixel of either half: 2.
    boxes = [[0, 0, 2, 2], [1, 0.5, 3, 2]]
    for given in (boxes, np.array(boxes), torch.tensor(boxes), torch.tensor(boxes, requires_grad=True)):
        assert crossmodal.box_means(mapped(), given).pairs.tolist() == [[1.0, 2.0]]


def test_boxes_in_lists_keep_their_double_precision():
    (box,) = crossmodal.box_means(mapped(), [[0, 0, 0.1, 2]]).config["boxes"]
    assert box == [0.0, 0.0, 0.1, 2.0]


def test_boxes_on_a_picture_of_another_size_are_brought_to_the_map():
    # On a picture of 20 x 40, the right half is 20 to 40.
    assert crossmodal.box_means(mapped(), [[20, 0, 40, 20]], picture=(20, 40)).pairs.tolist() == [[3.0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_boxes_that_are_not_finite_are_refused(bad: float):
    with pytest.raises(BadInput, match="not finite"):
        crossmodal.box_means(mapped(), [[0, 0, 1, 1], [0, 0, bad, 2]])


@pytest.mark.parametrize("boxes", [[], [[0, 0, 1]], [0, 0, 1, 1], [[0, 0, 1, 1], [0, 0]], [["a", "b", "c", "d"]], None])
def test_what_is_no_list_of_boxes_is_refused(boxes: object):
    with pytest.raises(BadInput, match="boxes must be"):
        crossmodal.box_means(mapped(), boxes)


@pytest.mark.parametrize("picture", [(0, 0), (20, 0), (-1, 5), (math.nan, 5), (math.inf, 5), (5,)])
def test_a_picture_without_size_is_refused(picture: tuple[float, ...]):
    with pytest.raises(BadInput, match="both above 0"):
        crossmodal.box_means(mapped(), [[0, 0, 1, 1]], picture=picture)
