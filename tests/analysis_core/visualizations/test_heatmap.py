"""Heatmap overlays: pixel values derived by hand."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFilter

from analysis_core.errors import BadInput
from analysis_core.visualizations import colours, heatmap


def pixels(png: bytes) -> np.ndarray:
    """RGBA [H, W, 4] as plain integers."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGBA")).astype(int)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Relative luminance as WCAG 2.2 defines it."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_the_largest_weight_is_opaque_in_the_top_colour_and_zero_is_transparent():
    found = pixels(heatmap.overlay([[0, 2], [1, -2]]))
    assert found[0, 0].tolist() == [0, 0, 0, 0]
    assert found[0, 1].tolist() == [0xFF, 0xF0, 0x4D, 255]
    assert found[1, 1].tolist() == [0xFF, 0xF0, 0x4D, 255]
    # Half of the largest: level 127.5, drawn as 128, near the middle anchor #d7453f.
    assert found[1, 0, 3] == 128
    assert np.abs(found[1, 0, :3] - [0xD7, 0x45, 0x3F]).max() <= 1


def test_signs_are_blue_and_orange():
    found = pixels(heatmap.overlay([[1, -1, 0]], signed=True))
    assert found[0].tolist() == [[0xE6, 0x61, 0x00, 255], [0x0F, 0x5F, 0xB5, 255], [0, 0, 0, 0]]


def test_equal_strengths_of_both_signs_are_equally_opaque():
    shares = np.linspace(0, 1, 50)
    found = pixels(heatmap.overlay([shares, -shares], signed=True))
    assert (found[0, :, 3] == found[1, :, 3]).all()
    # 127 levels per sign: opacity is right to half a level.
    assert np.abs(found[0, :, 3] / 255 - shares).max() <= 0.5 / 127 + 0.5 / 255


def test_the_ramp_can_be_read_without_seeing_colours():
    assert (np.diff(luminance(colours.ramp(colours.SEQUENTIAL, 64).astype(float))) > 0).all()


def test_a_map_of_zeros_is_transparent():
    assert not pixels(heatmap.overlay(np.zeros((3, 3)))).any()


def test_several_maps_share_a_scale():
    # 1 of 4: level 63.75, drawn as 64; more than the scale stays at the top.
    assert pixels(heatmap.overlay([[1, 8]], largest=4))[0, :, 3].tolist() == [64, 255]


def test_soft_edges_interpolate_weights_between_centres():
    # Two pixels become four; centres at 0.25, 0.75, 1.25, 1.75 of the old grid: weights 0, 1/4, 3/4, 1.
    assert pixels(heatmap.overlay([[0, 1]], upscale=2))[0, :, 3].tolist() == [0, 64, 191, 255]


def test_soft_edges_pass_from_orange_to_blue_through_nothing():
    found = pixels(heatmap.overlay([[1, -1]], signed=True, upscale=8))[0]
    assert found[:, 3].min() <= 255 * 0.2
    assert found[0, 0] > found[0, 2]
    assert found[-1, 0] < found[-1, 2]


def test_hard_edges_repeat_pixels():
    assert (
        pixels(heatmap.overlay([[0, 1]], upscale=3, edges="hard"))[:, :, 3].tolist() == [[0, 0, 0, 255, 255, 255]] * 3
    )


def test_round_edges_keep_areas_whole_and_cut_their_corners():
    table = np.zeros((12, 12))
    table[4:8, 4:8] = 1
    found = pixels(heatmap.overlay(table, upscale=8, edges="round"))[:, :, 3]
    assert set(np.unique(found)) == {0, 255}
    assert found[48, 48] == 255
    assert found[32, 32] == 0
    # Rounding the four corners takes a few percent off the square of 32 x 32.
    assert 0.9 * 1024 < (found == 255).sum() < 1024


def rounded_by_whole_masks(areas: np.ndarray, upscale: int) -> np.ndarray:
    """The oracle: each area's mask is blurred and enlarged in the size of the whole picture."""
    size = (areas.shape[1] * upscale, areas.shape[0] * upscale)
    owner = np.zeros(size[::-1], dtype=int)
    strongest = np.zeros(owner.shape, dtype=np.uint8)
    for area in range(areas.max() + 1):
        mask = Image.fromarray(np.where(areas == area, 255, 0).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.7))
        strength = np.asarray(mask.resize(size, Image.Resampling.BICUBIC))
        owner[strength > strongest] = area
        strongest = np.maximum(strongest, strength)
    return owner


@pytest.mark.parametrize("upscale", [2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(30, 41), (9, 5), (1, 17)])
def test_round_edges_are_those_of_masks_as_large_as_the_picture(shape: tuple[int, int], upscale: int):
    rng = np.random.default_rng(3)
    rows, columns = np.indices(shape)
    seeds = rng.random((12, 2)) * shape
    near = ((rows[..., None] - seeds[:, 0]) ** 2 + (columns[..., None] - seeds[:, 1]) ** 2).argmin(-1)
    # Areas around seeds, some of several pieces, one scattered over everything.
    scattered = np.where(rng.random(shape) < 0.1, 12, near % 9)
    for table in (near, near % 4, scattered):
        areas = np.unique(table, return_inverse=True)[1].reshape(shape)
        found = heatmap._enlarged(areas.astype(float), upscale, "round")
        assert np.array_equal(found, rounded_by_whole_masks(areas, upscale))


def test_the_size_follows_the_scale_and_the_bytes_are_the_same_again():
    weights = np.random.default_rng(0).random((5, 7))
    png = heatmap.overlay(weights, upscale=4)
    assert Image.open(BytesIO(png)).size == (28, 20)
    assert png == heatmap.overlay(weights.tolist(), upscale=4)


def test_the_file_carries_the_same_palette_whatever_it_shows_and_no_text():
    one, other = (Image.open(BytesIO(heatmap.overlay(weights))) for weights in ([[0, 1]], [[0.2, 0.3], [0.9, 0]]))
    assert one.getpalette() == other.getpalette()
    assert set(one.info) == {"transparency"}
    assert one.info == other.info


def test_groups_spread_values_over_their_pixels_row_by_row():
    found = heatmap.spread_groups([5.0, 7.0], [0, 0, -1, 1, 1, 0], 2, 3)
    assert found.tolist() == [[5, 5, 0], [7, 7, 5]]
    assert heatmap.spread_groups([1, 2], None, 1, 2).tolist() == [[1, 2]]


@pytest.mark.parametrize(("opacity", "expected"), [(0, [0, 0, 0]), (1, [255, 240, 77]), (0.5, [128, 120, 39])])
def test_composing_follows_the_opacity(opacity: float, expected: list[int]):
    black = np.zeros((1, 2, 3), dtype=np.uint8)
    found = pixels(heatmap.compose(black, heatmap.overlay([[0, 1]], upscale=3, edges="hard"), opacity))
    assert found.shape == (3, 6, 4)
    assert found[1, 0, :3].tolist() == [0, 0, 0]
    assert np.abs(found[1, 5, :3] - expected).max() <= 1


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1, 2], r"needs weights \[H, W\], not \[2\]"),
        (np.zeros((0, 3)), "needs weights"),
        ([[0, float("nan")]], r"pixel \(0, 1\) is nan"),
    ],
)
def test_what_is_no_map_is_refused(weights: object, sentence: str):
    with pytest.raises(BadInput, match=sentence):
        heatmap.overlay(weights)


def test_groups_that_do_not_fit_are_refused():
    with pytest.raises(BadInput, match="4 pixels; a picture of 2 x 3 has 6"):
        heatmap.spread_groups([1], [0, 0, 0, 0], 2, 3)
    with pytest.raises(BadInput, match="atoms 0 to 1, there are 1 values"):
        heatmap.spread_groups([1], [0, 1], 1, 2)
    with pytest.raises(BadInput, match="at least 1"):
        heatmap.overlay([[1]], upscale=0)


@pytest.mark.parametrize("opacity", [-0.1, 1.1, 60, float("nan")])
def test_an_opacity_that_is_no_share_is_refused(opacity: float):
    with pytest.raises(BadInput, match=r"between 0|opacity must be a finite"):
        heatmap.compose(Image.new("RGB", (2, 1)), heatmap.overlay([[0, 1]]), opacity)


@pytest.mark.parametrize("size", [1e-50, 1e39, 1e308])
@pytest.mark.parametrize("signed", [False, True])
def test_a_map_of_any_size_is_drawn_as_its_multiple_of_ordinary_size(size, signed):
    weights = np.array([[1, 0.3], [0, -0.4]])
    plain = heatmap.overlay(weights, signed=signed, upscale=8)
    found = heatmap.overlay(size * weights, signed=signed, upscale=8)
    # One of 127 levels of a sign is two of opacity; round-off decides which of two a weight between them gets.
    assert np.abs(pixels(found) - pixels(plain)).max() <= 3
    # On a scale of its own, as well.
    found = heatmap.overlay(size * weights, signed=signed, upscale=8, largest=size)
    assert np.abs(pixels(found) - pixels(plain)).max() <= 3


def test_a_narrow_and_tall_map_is_not_enlarged_beyond_the_memory():
    assert heatmap.display_scale(96, 96) == 4
    assert heatmap.display_scale(384, 384) == heatmap.display_scale(3000, 2000) == 1
    assert heatmap.display_scale(800, 600, least=2) == 2
    # 384 times would be 384 x 1,152,000 pixels.
    assert heatmap.display_scale(1, 3000) == 1
    assert heatmap.display_scale(8, 500) == 8
