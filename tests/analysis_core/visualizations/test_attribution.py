"""An attribution drawn over its picture: superpixels are filled, regions outlined, words have strengths."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core.errors import BadInput
from analysis_core.types import Atoms
from analysis_core.visualizations import attribution


def opened(content: bytes | None) -> np.ndarray:
    assert content is not None
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))


def test_what_speaks_against_the_target_is_not_shown() -> None:
    assert attribution.positive([0.5, -0.25]).tolist() == [0.5, 0.0]


def test_the_strongest_superpixel_is_opaque_and_one_without_weight_transparent() -> None:
    # Two superpixels, left and right half of a picture of 4 x 4 pixels, drawn 96 times as large.
    groups = torch.tensor([0, 0, 1, 1] * 4)
    atoms = Atoms(("left", "right"), "superpixel", groups=groups)
    drawn = opened(attribution.overlay([1.0, 0.0], atoms, leaf_shape=(1, 3, 4, 4), picture_size=(480, 320)))
    assert drawn.shape == (384, 384, 4)
    assert drawn[192, 20, 3] == 255
    assert drawn[192, 360, 3] == 0


def test_regions_are_outlined_so_that_their_own_colours_stay() -> None:
    boxes = torch.tensor([[10.0, 10.0, 30.0, 30.0], [60.0, 10.0, 80.0, 30.0]])
    atoms = Atoms(("object 1", "object 2"), "region", boxes=boxes)
    drawn = opened(attribution.overlay([2.0, 0.0], atoms, leaf_shape=(1, 2, 5), picture_size=(100, 50)))
    scale = drawn.shape[1] // 100
    inside = drawn[10 * scale : 30 * scale, 10 * scale : 30 * scale, 3]
    assert not inside.any()
    assert drawn[: 10 * scale, 10 * scale : 30 * scale, 3].any()  # the outline lies around the box
    assert not drawn[:, 45 * scale :, 3].any()  # a region without weight has none


def test_atoms_without_a_place_in_the_picture_have_no_overlay() -> None:
    assert attribution.overlay([1.0], Atoms(("cube",), "word"), leaf_shape=(1, 1, 8), picture_size=(9, 9)) is None


def test_a_single_peak_of_a_gradient_is_spread_so_that_it_can_be_seen() -> None:
    peak = np.zeros((96, 96))
    peak[48, 48] = 1.0
    drawn = opened(attribution.pixels(peak))[:, :, 3]
    scale = drawn.shape[0] // 96
    assert drawn[48 * scale, 48 * scale] == drawn.max()
    assert (drawn > 64).sum() > 20 * scale**2  # a spot of more than 20 of the map's pixels, not of one
    assert drawn[5 * scale, 5 * scale] == 0


def test_words_carry_their_strength_relative_to_the_strongest() -> None:
    rows = attribution.word_levels([1.0, 0.5, 0.0], Atoms(("red", "cube", "the"), "word"))
    # Class c holds the shares from (c - 0.5) / 5 up to (c + 0.5) / 5: 1 is 5, one half is 3 (0.5 to 0.7), 0 is 0.
    assert [(row["text"], row["level"]) for row in rows] == [("red", 5), ("cube", 3), ("the", 0)]


def test_a_few_pixels_on_a_tall_map_are_seen_and_the_map_stays_small() -> None:
    line = np.zeros((500, 1))
    line[250, 0] = 1.0
    drawn = opened(attribution.pixels(line))
    assert drawn.shape[0] <= 4096
    assert drawn[:, :, 3].max() > 200


def test_what_is_no_map_is_refused() -> None:
    with pytest.raises(BadInput, match=r"weights \[H, W\]"):
        attribution.pixels(np.ones(5))
