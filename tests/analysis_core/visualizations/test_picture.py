"""Pictures from outside: limits when opening, nothing but visible pixels when encoding."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from analysis_core.errors import BadData, BadInput
from analysis_core.visualizations import picture

RED = (200, 30, 40)


def reopened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def test_encoding_leaves_no_metadata(tmp_path: Path):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("answer", "blue")
    exif = Image.Exif()
    exif[0x010E] = "blue"
    Image.new("RGB", (4, 3), RED).save(
        tmp_path / "a.png", pnginfo=notes, exif=exif, dpi=(300, 300), icc_profile=b"x" * 200
    )
    png = picture.encode(picture.open_checked(tmp_path / "a.png"))
    found = reopened(png)
    found.load()
    assert (found.format, found.mode, found.size, found.info) == ("PNG", "RGB", (4, 3), {})
    # Signature, IHDR, one IDAT, IEND: no other chunk.
    assert [png[at : at + 4] for at in (12, 37)] == [b"IHDR", b"IDAT"]
    assert b"blue" not in png


def test_what_transparency_hides_is_gone():
    hidden = Image.new("RGBA", (2, 1), (*RED, 0))
    hidden.putpixel((1, 0), (*RED, 255))
    assert list(reopened(picture.encode(hidden)).get_flattened_data()) == [(255, 255, 255), RED]


def test_a_palette_with_a_transparent_colour_becomes_plain_pixels():
    indexed = Image.new("P", (2, 1))
    indexed.putpalette([*RED, 1, 2, 3])
    indexed.putpixel((1, 0), 1)
    indexed.info["transparency"] = 1
    found = reopened(picture.encode(indexed))
    assert found.mode == "RGB"
    assert list(found.get_flattened_data()) == [RED, (255, 255, 255)]


def test_sixteen_bits_are_brought_to_eight():
    # 65535 / 257 = 255, 32896 / 257 = 128.
    deep = Image.fromarray(np.array([[0, 32896, 65535]], dtype=np.uint16))
    assert list(reopened(picture.encode(deep)).convert("L").get_flattened_data()) == [0, 128, 255]


def test_arrays_are_pictures_too():
    assert reopened(picture.encode(np.full((2, 3, 3), RED, dtype=np.uint8))).size == (3, 2)
    assert reopened(picture.encode(np.zeros((2, 3), dtype=np.uint8))).mode == "RGB"


@pytest.mark.parametrize(("size", "expected"), [((400, 100), (200, 50)), ((30, 20), (30, 20)), ((1000, 1), (200, 1))])
def test_large_pictures_are_made_smaller_and_small_ones_kept(size: tuple[int, int], expected: tuple[int, int]):
    assert reopened(picture.encode(Image.new("RGB", size), max_side=200)).size == expected


def test_the_same_pixels_give_the_same_bytes_whatever_file_they_came_from(tmp_path: Path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8))
    noise.save(tmp_path / "a.png", compress_level=1)
    noise.save(tmp_path / "a.webp", lossless=True)
    files = [picture.encode(picture.open_checked(tmp_path / name)) for name in ("a.png", "a.webp")]
    assert files[0] == files[1] == picture.encode(noise)


def test_a_photo_lies_upright(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it a quarter turn clockwise
    Image.new("RGB", (40, 10), RED).save(tmp_path / "photo.jpg", exif=exif)
    assert picture.open_checked(tmp_path / "photo.jpg").size == (10, 40)


def test_more_pixels_than_allowed_are_refused_before_decoding(tmp_path: Path):
    Image.new("L", (100, 101)).save(tmp_path / "large.png")
    with pytest.raises(BadData, match=r"large\.png: 100 x 101 pixels are more than the 10,000 allowed"):
        picture.open_checked(tmp_path / "large.png", max_pixels=10_000)


def test_a_decompression_bomb_is_refused(tmp_path: Path):
    # A valid header of 30,000 x 30,000 pixels over the data of one.
    png = bytearray(picture.encode(Image.new("RGB", (1, 1))))
    png[16:24] = (30_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(bytes(png[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(bytes(png))
    with pytest.raises(BadData, match=r"bomb\.png: has more than the 50,000,000 pixels allowed"):
        picture.open_checked(tmp_path / "bomb.png")


def test_other_formats_damaged_and_missing_files_are_named(tmp_path: Path):
    Image.new("L", (4, 4)).save(tmp_path / "a.gif")
    (tmp_path / "text.png").write_text("not a picture")
    whole = picture.encode(np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8))
    (tmp_path / "cut.png").write_bytes(whole[:2000])
    for name, sentence in {
        "a.gif": "is not a picture in one of the formats PNG, JPEG, WEBP",
        "text.png": "is not a picture in one of the formats PNG, JPEG, WEBP",
        "cut.png": "cannot be read as a picture",
        "nowhere.png": "nowhere.png: is missing",
    }.items():
        with pytest.raises(BadData, match=sentence) as caught:
            picture.open_checked(tmp_path / name)
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (np.zeros((2, 3, 3)), "must be uint8, not float64"),
        (torch.zeros(2, 3, 3, requires_grad=True), "must be uint8, not float32"),
        (np.zeros((2, 3), dtype=np.int64), "must be uint8, not int64"),
        (None, "must be uint8, not object"),
        ([[1, 2], [3]], r"an array uint8 \[H, W, 3\]"),
        (torch.zeros(2, 3, 3, dtype=torch.bfloat16), r"an array uint8 \[H, W, 3\]"),
        (np.zeros((3, 5, 7), dtype=np.uint8), r"\[H, W, 3\].*not \[3, 5, 7\]"),
        (np.zeros((5, 7, 2), dtype=np.uint8), r"not \[5, 7, 2\]"),
        (np.zeros(4, dtype=np.uint8), r"not \[4\]"),
        (np.zeros((0, 4, 3), dtype=np.uint8), r"with pixels, not \[0, 4, 3\]"),
        (Image.new("RGB", (0, 4)), "0 x 4 has no pixels"),
        ("photo.png", "picture.open_checked"),
        (Path("photo.png"), "picture.open_checked"),
    ],
)
def test_what_is_no_picture_is_refused_with_what_is_needed(image: object, sentence: str):
    with pytest.raises(BadInput, match=sentence):
        picture.flatten(image)


def test_a_tensor_of_bytes_is_a_picture():
    # A transposed view of [3, H, W], as loaders give them.
    tensor = torch.tensor(RED, dtype=torch.uint8)[:, None, None].expand(3, 2, 4).permute(1, 2, 0)
    flat = picture.flatten(tensor)
    assert (flat.size, flat.getpixel((3, 1))) == ((4, 2), RED)
