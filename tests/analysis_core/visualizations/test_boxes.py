"""Region outlines: which pixels are line, dark case and left free."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from analysis_core.errors import BadInput
from analysis_core.visualizations import boxes

WHITE, CASE, FREE = [255, 255, 255, 255], [20, 20, 20, 255], [0, 0, 0, 0]
TOP, BLUE = [255, 240, 77, 255], [109, 184, 247, 255]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def test_an_unweighted_box_has_a_thin_white_line_between_dark_ones_around_it():
    found = pixels(boxes.overlay((20, 20), [[5, 5, 15, 15]]))
    # Case, line, case on columns 2, 3, 4; the box itself, columns 5 to 14, is free; then the same mirrored.
    assert found[10, 1:6].tolist() == [FREE, CASE, WHITE, CASE, FREE]
    assert found[10, 14:19].tolist() == [FREE, CASE, WHITE, CASE, FREE]
    assert not found[5:15, 5:15].any()


def test_the_strongest_box_has_a_wide_line_in_the_top_colour():
    found = pixels(boxes.overlay((20, 20), [[5, 5, 15, 15]], [0.3]))
    assert found[10, 0:6].tolist() == [CASE, TOP, TOP, TOP, CASE, FREE]


def test_a_negative_weight_is_dashed_and_blue():
    found = pixels(boxes.overlay((40, 40), [[5, 5, 35, 35]], [-1]))
    # Line width 3: dashes of 3 * 3 + 2 = 11 pixels from column 1 on, then as long a gap that shows the case.
    assert found[2, [1, 11, 23, 33]].tolist() == [BLUE] * 4
    assert found[2, [12, 22]].tolist() == [CASE] * 2


def test_the_strongest_box_lies_on_top():
    found = pixels(boxes.overlay((30, 30), [[5, 5, 25, 25], [5, 5, 25, 25]], [1.0, 0.01]))
    assert found[15, 2].tolist() == TOP


def test_boxes_at_the_border_keep_all_four_sides():
    found = pixels(boxes.overlay((20, 10), [[0, 0, 20, 10]]))
    assert found[5, 1].tolist() == found[5, 18].tolist() == found[1, 10].tolist() == found[8, 10].tolist() == WHITE


def test_enlarging_scales_the_boxes():
    found = pixels(boxes.overlay((20, 20), [[5, 5, 15, 15]], upscale=2))
    assert found.shape == (40, 40, 4)
    assert found[20, 8].tolist() == WHITE
    assert not found[10:30, 10:30].any()


def test_a_label_stands_in_a_dark_tag_above_its_box():
    plain, tagged = (pixels(boxes.overlay((60, 60), [[20, 30, 50, 50]], labels=labels)) for labels in (None, ["1"]))
    assert not plain[:26].any()
    assert (tagged[:26] == CASE).all(axis=2).any()
    assert (tagged[27:] == plain[27:]).all()


def test_no_boxes_give_an_empty_layer_and_the_same_call_the_same_bytes():
    assert not pixels(boxes.overlay((8, 4), np.zeros((0, 4)))).any()
    assert boxes.overlay((9, 9), [[1, 1, 5, 5]], [1], ["a"]) == boxes.overlay((9, 9), [[1, 1, 5, 5]], [1], ["a"])


@pytest.mark.parametrize(
    ("box", "weights", "labels"),
    [
        ([[0, 0, 5]], None, None),
        ([[0, 0, 5, float("inf")]], None, None),
        ([[0, 0, 5, 5]], [1, 2], None),
        ([[0, 0, 5, 5]], None, ["a", "b"]),
    ],
)
def test_what_does_not_go_together_is_refused(box: object, weights: object, labels: list[str] | None):
    with pytest.raises(BadInput):
        boxes.overlay((10, 10), box, weights, labels)


def test_a_label_of_several_lines_is_one_line() -> None:
    one, two = (boxes.overlay((100, 100), [[10, 40, 60, 60]], [1], [text]) for text in ("a cube", "a\ncube"))
    assert one == two
