"""One call draws every modality in the form that suits its atoms, in both formats."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core.errors import BadInput
from analysis_core.types import Atoms, Attribution, Encoded
from analysis_core.visualizations import formats, sheet, superpixels
from analysis_core.visualizations.drawings import draw, draw_interaction

SVG = "{http://www.w3.org/2000/svg}"
GROUPS = torch.tensor([0, 0, 1, 1] * 4)


def encoded() -> Encoded:
    corners = torch.tensor([[0.0, 0.0, 20.0, 20.0], [30.0, 30.0, 50.0, 45.0]])
    x = {
        "image": torch.rand(1, 3, 4, 4),
        "regions": torch.rand(1, 2, 8),
        "text": torch.rand(1, 3, 5),
        "vitals": torch.rand(1, 6, 2),
        "person": torch.rand(1, 2),
    }
    atoms = {
        "image": Atoms(("left", "right"), "superpixel", groups=GROUPS),
        "regions": Atoms(("a", "b"), "region", boxes=corners),
        "text": Atoms(("what", "colour", "?"), "word"),
        "vitals": Atoms(("first", "second"), "step_channel", groups=torch.tensor([0] * 6 + [1] * 6)),
        "person": Atoms(("age", "sex"), "static"),
    }
    return Encoded(x, {}, atoms)


def attribution(**values: list[float]) -> Attribution:
    tensors = {name: torch.tensor(row, dtype=torch.float64) for name, row in values.items()}
    return Attribution(tensors, {"kind": "Logit", "k": 0}, "lime", {}, {})


def test_every_modality_gets_the_picture_of_its_kind() -> None:
    photo = Image.new("RGB", (60, 50), "gray")
    found = attribution(
        image=[1.0, -1.0], regions=[0.5, 1.0], text=[0.1, -0.9, 0.0], vitals=[1.0, 0.0], person=[0.3, 0.2]
    )
    drawn = draw(found, encoded(), image=photo)
    assert {name: d.media_type for name, d in drawn.items()} == {
        "image": "image/png",
        "regions": "image/png",
        "text": "image/svg+xml",
        "vitals": "image/svg+xml",
        "person": "image/svg+xml",
    }
    for drawing in drawn.values():
        assert Image.open(BytesIO(drawing.png())).width >= 384
        assert ElementTree.fromstring(drawing.svg()).tag == f"{SVG}svg"  # noqa: S314 - our own output
        (media_type,) = drawing._repr_mimebundle_()
        assert media_type == drawing.media_type


def test_grouped_entries_of_a_series_are_drawn_as_often_as_they_have_entries() -> None:
    root = ElementTree.fromstring(draw(attribution(vitals=[1.0, 0.0]), encoded())["vitals"].data)  # noqa: S314
    # Atom 0 is the first three steps of both channels.
    (path,) = [p for p in root.iter(f"{SVG}path") if p.get("fill") != "none"]
    assert path.get("d", "").count("M") == 6


def test_values_that_belong_to_another_sample_and_regions_without_a_picture_are_refused() -> None:
    with pytest.raises(BadInput, match="do not belong"):
        draw(attribution(text=[1.0]), encoded())
    with pytest.raises(BadInput, match="hand it over"):
        draw(attribution(regions=[1.0, 0.0]), encoded())


def test_an_interaction_is_drawn_where_its_atom_is_found_by_name_or_number() -> None:
    found = Attribution(
        {},
        {"kind": "Logit", "k": 0},
        "removal",
        {"source": "text", "to": "image", "atoms": [1, 2]},
        {},
        pairs=torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64),
    )
    by_name, by_number = (draw_interaction(found, encoded(), atom) for atom in ("colour", 1))
    assert by_name == by_number
    left = np.asarray(Image.open(BytesIO(by_name.data)).convert("RGBA"))[:, :, 3]
    assert left[192, 50] == 255
    assert left[192, 350] == 0
    with pytest.raises(BadInput, match="'what' is not among"):
        draw_interaction(found, encoded(), "what")
    with pytest.raises(BadInput, match="has no pairs"):
        draw_interaction(attribution(text=[0.0, 1.0, 2.0]), encoded(), 0)


def test_a_pixel_map_is_drawn_before_pairs() -> None:
    grid = torch.zeros(1, 4, 4, dtype=torch.float64)
    grid[0, 3, 3] = 1.0
    found = Attribution(
        {},
        {},
        "second_order",
        {"source": "text", "to": "image", "atoms": [0]},
        {},
        pairs=torch.ones(1, 2, dtype=torch.float64),
        pixels=grid,
    )
    drawn = np.asarray(Image.open(BytesIO(draw_interaction(found, encoded(), 0).data)).convert("RGBA"))[:, :, 3]
    assert drawn[-1, -1] > drawn[0, 0]


def test_a_sheet_holds_every_picture_above_its_caption() -> None:
    photo = Image.new("RGB", (30, 20), "red")
    root = ElementTree.fromstring(sheet.svg([photo, photo], ["a " * 60, "<b>"], title="t"))  # noqa: S314
    assert len(list(root.iter(f"{SVG}image"))) == 2
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert len(texts) == sheet.LINES + 1
    assert (texts[-2][-1], texts[-1]) == ("…", "<b>")
    with pytest.raises(BadInput, match="as many captions"):
        sheet.svg([photo], [], title="t")


def test_outlines_run_along_the_borders_of_atoms_only() -> None:
    picture = np.asarray(Image.open(BytesIO(superpixels.outlines(GROUPS, 4, 4))))
    assert (picture[:, 2] == superpixels.LINE).all()
    # The line and a pixel on either side of it; the first column is three pixels away.
    assert (picture[:, 0, 3] == 0).all()
    assert (picture[:, [1, 3], 3] == superpixels.CASE[3]).all()
    with pytest.raises(BadInput, match="has 16 pixels"):
        superpixels.outlines(GROUPS[:3], 4, 4)


def test_a_png_in_an_svg_is_the_same_picture_again() -> None:
    stream = BytesIO()
    Image.new("RGB", (40, 20), (200, 30, 30)).save(stream, format="PNG")
    back = Image.open(BytesIO(formats.png_of(formats.svg_of(stream.getvalue(), title="<red>"), scale=1.0)))
    assert back.size == (40, 20)
    assert back.convert("RGB").getpixel((20, 10)) == (200, 30, 30)
