"""Which row of a cross-modal result is drawn, and the results whose rows or columns are no atoms."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal
from analysis_core.types import Atoms, Attribution, Encoded
from analysis_core.visualizations.drawings import Drawing, draw, draw_interaction


def encoded(words: tuple[str, ...] = ("red", "big", "cube"), parts: int = 2) -> Encoded:
    """Words, and a picture 4 x 4 of equal columns (2 or 4)."""
    groups = (torch.arange(16) % 4) // (4 // parts)
    atoms = {
        "text": Atoms(words, "word"),
        "image": Atoms(tuple(f"part {i}" for i in range(parts)), "superpixel", groups=groups),
    }
    return Encoded({"text": torch.rand(1, len(words), 5), "image": torch.rand(1, 3, 4, 4)}, {}, atoms)


def found(atoms: list[int] | None = None, **config: Any) -> Attribution:
    """Word 0 acts on the left half, word 1 on the right one, word 2 on the left one."""
    pairs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    about = {"source": "text", "to": "image", "atoms": [0, 1, 2] if atoms is None else atoms, **config}
    return Attribution({"image": pairs.sum(0)}, {}, "lime", about, {}, pairs=pairs)


def halves(drawing: Drawing) -> list[int]:
    """Opacity within the left and the right half."""
    alpha = np.asarray(Image.open(BytesIO(drawing.data)).convert("RGBA"))[:, :, 3]
    return [int(alpha[192, 50]), int(alpha[192, 350])]


def test_a_phrase_is_drawn_by_its_number_or_its_words_and_named_in_the_title() -> None:
    phrases = crossmodal.phrases(found(), [[1], [0, 2]])
    first, second = (draw_interaction(phrases, encoded(), number) for number in (0, 1))
    assert halves(first) == [0, 255]
    assert halves(second) == [255, 0]
    assert second.title == "lime/phrases: red cube with image"
    assert draw_interaction(phrases, encoded(), "red cube") == second
    for atom in (2, -1, "red"):
        with pytest.raises(BadInput, match="is not among the phrases of 'text'"):
            draw_interaction(phrases, encoded(), atom)


def test_a_phrases_own_pixel_map_is_drawn() -> None:
    maps = torch.zeros(3, 4, 4, dtype=torch.float64)
    maps[0, :, 0] = maps[1, :, 3] = maps[2, :, 0] = 1
    phrases = crossmodal.phrases(replace(found(), pixels=maps), [[1], [0, 2]])
    alpha = np.asarray(Image.open(BytesIO(draw_interaction(phrases, encoded(), 0).data)).convert("RGBA"))[:, :, 3]
    assert alpha[192, -1] > alpha[192, 0]


@pytest.mark.parametrize("other", [encoded(("red",)), encoded(parts=4), replace(encoded(), atoms={})])
def test_another_samples_encoding_is_refused(other: Encoded) -> None:
    for result in (found(), crossmodal.phrases(found(), [[0, 2]])):
        with pytest.raises(BadInput, match="do not belong to this sample"):
            draw_interaction(result, other, 0)


def test_an_atom_or_phrase_that_was_not_selected_says_so() -> None:
    result = found(selected={"text": [0, 1], "image": [0, 1]})
    assert halves(draw_interaction(result, encoded(), "big")) == [0, 255]
    for broken, atom in ((result, 2), (crossmodal.phrases(result, [[0, 2]]), 0)):
        with pytest.raises(BadInput, match=r"cube' was not selected.*\['red', 'big'\]"):
            draw_interaction(broken, encoded(), atom)


def test_means_in_boxes_are_not_drawn_as_atoms() -> None:
    # Two boxes, as many as the picture has atoms.
    mapped = replace(found(), pixels=torch.ones(3, 4, 4, dtype=torch.float64))
    means = crossmodal.box_means(mapped, [[0, 0, 1, 1], [0, 0, 2, 2]])
    for drawn in (lambda: draw(means, encoded()), lambda: draw_interaction(means, encoded(), 0)):
        with pytest.raises(BadInput, match="means in boxes"):
            drawn()


def test_values_that_still_carry_a_gradient_are_drawn() -> None:
    maps, plain = torch.rand(3, 4, 4, dtype=torch.float64), found()
    assert plain.pairs is not None
    tracked = replace(
        plain, values={"image": plain.values["image"].requires_grad_()}, pairs=plain.pairs.clone().requires_grad_()
    )
    assert halves(draw_interaction(tracked, encoded(), 1)) == [0, 255]
    assert halves(draw(tracked, encoded())["image"])[0] == 255
    shown = draw_interaction(replace(tracked, pixels=maps.clone().requires_grad_()), encoded(), 1)
    assert shown == draw_interaction(replace(tracked, pixels=maps), encoded(), 1)


@pytest.mark.parametrize("image", [np.ones((50, 60, 3)), "photo.png", np.zeros((3, 50, 60), dtype=np.uint8)])
def test_regions_and_maps_on_what_is_no_picture_are_refused(image: object) -> None:
    regions = Encoded(
        {"regions": torch.rand(1, 1, 8)}, {}, {"regions": Atoms(("a",), "region", boxes=torch.tensor([[0, 0, 9, 9.0]]))}
    )
    one = Attribution({"regions": torch.ones(1)}, {}, "lime", {}, {})
    for drawn in (lambda: draw(one, regions, image=image), lambda: draw(found(), encoded(), image=image)):
        with pytest.raises(BadInput, match="picture"):
            drawn()
