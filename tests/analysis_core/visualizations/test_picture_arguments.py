"""Sizes and scales of pictures that are none: each is told by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis_core.errors import BadInput, UnknownName
from analysis_core.visualizations import boxes, curve, formats, graph, heatmap, picture, superpixels

W, PHOTO = np.ones((4, 4)), np.zeros((4, 4, 3), dtype=np.uint8)
COUNTS: dict[str, Callable[[Any], Any]] = {
    "upscale": lambda v: heatmap.overlay(W, upscale=v),
    "upscale of boxes": lambda v: boxes.overlay((4, 4), [[0, 0, 1, 1]], upscale=v),
    "upscale of superpixels": lambda v: superpixels.outlines([0, 1, 2, 3], 2, 2, upscale=v),
    "chosen": lambda v: curve.sparsity([1, 2], [0.5, 0.6], v, title="t"),
    "max_side": lambda v: picture.encode(PHOTO, max_side=v),
}


@pytest.mark.parametrize("value", [1.5, "2", -1])
@pytest.mark.parametrize("name", COUNTS)
def test_a_scale_that_is_no_whole_number_is_named(name: str, value: Any) -> None:
    with pytest.raises(BadInput, match=f"^{name.split()[0]} must be a whole number"):
        COUNTS[name](value)


def test_other_arguments_of_pictures_are_named() -> None:
    for largest in (0, -1, float("nan"), "1"):
        with pytest.raises(BadInput, match="largest must be"):
            heatmap.overlay(W, largest=largest)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean soft"):
        heatmap.overlay(W, edges="sofft", upscale=2)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="opacity must be a finite number"):
        heatmap.compose(PHOTO, heatmap.overlay(W), "x")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="chosen must be one of the 2 points"):
        curve.sparsity([1, 2], [0.5, 0.6], 7, title="t")


@pytest.mark.parametrize("data", [b"x", b"", b"<svg/>", "a.png", None])
def test_bytes_that_are_no_picture_of_this_package_are_told(data: Any) -> None:
    with pytest.raises(BadInput, match="is no PNG"):
        heatmap.compose(Image.new("L", (3, 3)), data)
    with pytest.raises(BadInput, match="is no PNG"):
        formats.svg_of(data, title="t")
    with pytest.raises(BadInput, match="this SVG cannot be drawn"):
        formats.png_of(b"<svg" if data == b"<svg/>" else data)


@pytest.mark.parametrize("features", [{"a": 1.0}, [("a", 1.0, 2.0)], ["ab"]])
def test_features_that_are_no_pairs_are_told(features: Any) -> None:
    with pytest.raises(BadInput, match="pairs of a label and a coefficient"):
        graph.svg(features, "blue")


def test_a_coefficient_that_is_no_number_is_told() -> None:
    with pytest.raises(BadInput, match="coefficient of 'a' must be a finite number, not '1'"):
        graph.svg([("a", "1")], "blue")  # type: ignore[list-item]
