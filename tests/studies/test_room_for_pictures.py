"""Pages keep room for a picture that is on its way: its size stands beside its address, and is true."""

from __future__ import annotations

import re
import struct
from html.parser import HTMLParser

import pytest

from analysis_core.visualizations import graph
from studies.models import Study
from studies.page_panels import graph_size
from tests import cast
from tests.cast import Annotator

#: How many pictures a stage of the cast has; P is one drawing
PICTURES = {"U": 1, "C": 2, "Rl": 3, "Rg": 9, "P": 1}


class _Images(HTMLParser):
    """The attributes of every <img> that stands in the flow of a page; overlays lie over one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img" and dict(attrs).get("class") != "overlay":
            self.found.append(dict(attrs))


def _size(content: bytes) -> tuple[str, str]:
    """Width and height that a PNG or SVG file says it has."""
    if content.startswith(b"\x89PNG"):
        width, height = struct.unpack(">II", content[16:24])
        return str(width), str(height)
    said = re.search(r'<svg[^>]* width="([0-9]+)" height="([0-9]+)"', content.decode())
    assert said
    return said[1], said[2]


@pytest.mark.parametrize("weights", [[], [0.0], [0.5], [0.3, 0.2, -0.1], [0.3, 0.0, 0.1], [0.1] * 12])
def test_the_room_for_the_graph_is_as_large_as_its_drawing(weights: list[float]) -> None:
    drawn = graph.svg([(f"Feature {i}", weight) for i, weight in enumerate(weights)], "this answer")
    width, height = graph_size(weights)
    assert (str(width), str(height)) == _size(drawn)


@pytest.mark.django_db
def test_every_picture_of_an_item_says_its_true_size_before_it_loads(scenes: Study, ann: Annotator) -> None:
    for condition in scenes.version.conditions.all():
        ann.sit_at(cast.sheet_at_items(scenes, condition.name))
        images = _Images(ann.get("/t/item/")).found
        assert len(images) == 1 + sum(PICTURES[stage] for stage in condition.stages)  # one is the example
        for image in images:
            content = ann.client.get(str(image["src"])).content
            assert (image.get("width"), image.get("height")) == _size(content), image


@pytest.mark.django_db
def test_a_picture_whose_size_was_never_noted_is_shown_without(scenes: Study, ann: Annotator) -> None:
    for row in scenes.version.artefacts.filter(stage="input"):
        row.files["image"].pop("size")
        row.save(update_fields=["files"])
    ann.sit_at(cast.sheet_at_items(scenes, "U+C"))
    images = _Images(ann.get("/t/item/")).found
    assert len(images) == 4
    assert not [image for image in images if "width" in image or "height" in image]
    assert ann.client.get(str(images[0]["src"])).status_code == 200


@pytest.mark.django_db
def test_the_worked_examples_of_the_instructions_have_their_room(scenes: Study, ann: Annotator) -> None:
    scenes.version.conditions.exclude(name="U+C+Rl+Rg+P").delete()
    ann.enter(cast.invite(scenes))
    images = _Images(ann.get("/t/instructions/")).found
    assert len(images) == 5
    assert all(re.fullmatch("[0-9]+", str(image.get(name))) for image in images for name in ("width", "height"))
