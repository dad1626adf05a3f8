"""Claim: a 224 x 224 overlay takes milliseconds. The usual way colours one pixel after the other in Python."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from analysis_core.visualizations import colours, heatmap
from benchmarks.claims import Row, Scale
from benchmarks.measure import interleaved

SIDE = 224


def rows(scale: Scale) -> Iterator[Row]:
    """One row: milliseconds per overlay, PNG written."""
    weights = np.random.default_rng(0).random((SIDE, SIDE))
    repeats = {"small": 3, "paper": 15}[scale]
    usual, ours = interleaved(
        lambda: pixel_by_pixel(weights), lambda: heatmap.overlay(weights), repeats=repeats, name="heatmap"
    )
    yield Row(f"overlay {SIDE} x {SIDE}, PNG", "ms", 1e3 * usual, 1e3 * ours, "goal: below 20 ms")


def pixel_by_pixel(weights: np.ndarray) -> bytes:
    """The overlay in plain RGBA: the same colours, each looked up on its own."""
    image = Image.new("RGBA", weights.shape[::-1])
    pixels: Any = image.load()
    table = [tuple(colour) for colour in colours.unsigned_table().tolist()]
    largest = float(weights.max())
    for y, line in enumerate(weights.tolist()):
        for x, weight in enumerate(line):
            pixels[x, y] = table[round(abs(weight) / largest * 255)]
    stream = BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
