"""Atoms that a pre-selection left out are hatched and named in words: nothing is known of them, which is no 0."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal
from analysis_core.types import Atoms, Attribution, Encoded
from analysis_core.visualizations import formats, time_map, words
from analysis_core.visualizations.drawings import Drawing, draw, draw_interaction

PHOTO = np.full((64, 64, 3), 200, dtype=np.uint8)
SAID = "hatched: not looked at (1 of 4), which is no 0"
GROUPS = (torch.arange(64 * 64) % 64) // 16
CORNERS = torch.tensor([[5, 5, 30, 30], [40, 5, 60, 30], [5, 40, 30, 60], [40, 40, 60, 60.0]])
NAMES = ("one", "two", "three", "four")
KINDS = {
    "superpixel": (Atoms(NAMES, "superpixel", groups=GROUPS), torch.rand(1, 3, 64, 64)),
    "region": (Atoms(NAMES, "region", boxes=CORNERS), torch.rand(1, 4, 3)),
    "word": (Atoms(NAMES, "word"), torch.rand(1, 4, 3)),
    "static": (Atoms(NAMES, "static"), torch.rand(1, 4, 1)),
    "step_channel": (Atoms(NAMES, "step_channel"), torch.rand(1, 2, 2)),
    "time_step": (Atoms(NAMES, "time_step"), torch.rand(1, 4, 3)),
}


def encoded(kind: str) -> Encoded:
    atoms, x = KINDS[kind]
    return Encoded({"text": torch.rand(1, 2, 3), "to": x}, {}, {"text": Atoms(("red", "cube"), "word"), "to": atoms})


def found(selected: list[int] | None) -> Attribution:
    """Atom 1 is a true 0 or, where it was not selected, unknown; atom 0 speaks against, 2 is 0, 3 speaks for."""
    values = torch.tensor([-1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    config = {"source": "text", "to": "to", "atoms": [0, 1]}
    config |= {} if selected is None else {"selected": {"text": [0, 1], "to": selected}}
    return Attribution({"to": values}, {}, "crossmodal_shap", config, {}, pairs=values.repeat(2, 1))


def pixels(drawing: Drawing) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(drawing.png())).convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_looked_at_is_told_apart_and_named(kind: str) -> None:
    for picture in (
        lambda selected: draw(found(selected), encoded(kind), image=PHOTO)["to"],
        lambda selected: draw_interaction(found(selected), encoded(kind), "cube", image=PHOTO),
    ):
        left_out, zero, all_looked_at = picture([0, 2, 3]), picture(None), picture([0, 1, 2, 3])
        assert zero == all_looked_at
        assert SAID in left_out.title
        assert SAID not in zero.title
        assert SAID.encode() in left_out.svg()
        # The line of words is below the picture, in both formats.
        assert pixels(left_out).shape[0] > pixels(zero).shape[0]


def test_superpixels_are_striped_where_nothing_is_known_and_clear_where_they_are_0() -> None:
    bare = draw(found([0, 2, 3]), encoded("superpixel"))["to"]
    alpha = np.asarray(Image.open(BytesIO(bare.data)).convert("RGBA"))[:, :, 3]
    wide = alpha.shape[1] // 4
    unknown, zero = alpha[:, wide + 4 : 2 * wide - 4], alpha[:, 2 * wide + 4 : 3 * wide - 4]
    assert len(np.unique(unknown)) == 2
    assert (unknown > 0).all()
    assert (zero == 0).all()
    # An overlay has no room for words: they are in its note, and below it as SVG.
    assert bare.note == SAID
    assert f">{SAID}</text>".encode() in bare.svg()


def test_regions_that_were_left_out_are_filled_with_stripes_and_not_outlined() -> None:
    looked, hatched = (pixels(draw(found(s), encoded("region"), image=PHOTO)["to"]) for s in (None, [0, 2, 3]))
    scale = looked.shape[1] // 64
    inside = slice(12 * scale, 24 * scale), slice(45 * scale, 55 * scale)
    assert len(np.unique(looked[inside])) == 1
    assert len(np.unique(hatched[inside])) > 1


def test_cards_without_anything_left_out_are_as_they_were() -> None:
    for marks in (None, [False, False]):
        assert words.svg(["a", "b"], [1, 0], title="t", not_looked_at=marks) == words.svg(["a", "b"], [1, 0], title="t")
    with pytest.raises(BadInput, match=r"marks of what was not looked at are \[1\]"):
        words.svg(["a", "b"], [1, 0], title="t", not_looked_at=[True])
    with pytest.raises(BadInput, match="marks of what was not looked at"):
        time_map.svg(np.ones((2, 2)), ["u", "v"], title="t", not_looked_at=[True, False])


def test_phrases_of_a_selected_result_are_drawn_with_the_same_marks() -> None:
    summed = crossmodal.phrases(found([0, 2, 3]), [[0, 1]])
    assert SAID in draw(summed, encoded("word"))["to"].title


def test_a_picture_in_an_svg_has_its_words_below_it() -> None:
    png = draw(found(None), encoded("superpixel"))["to"].data
    assert b"<text" not in formats.svg_of(png, title="t")
    assert b"<text" in formats.svg_of(png, title="t", note="hatched")
