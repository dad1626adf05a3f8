"""Region outlines: boxes of a region model as a transparent PNG; strength shows by width and colour, sign by dashes."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from analysis_core.arguments import count
from analysis_core.errors import BadInput
from analysis_core.visualizations import colours, unseen
from analysis_core.visualizations.words import STRONGEST, levels

Rgba = tuple[int, int, int, int]

#: White lines in a dark case are seen on any picture.
NEUTRAL, CASE = (255, 255, 255, 255), (20, 20, 20, 255)
#: Lighter than the heatmaps' blue, which would drown between dark lines.
NEGATIVE = (109, 184, 247, 255)


def overlay(
    size: tuple[int, int],
    boxes: Any,
    weights: Any | None = None,
    labels: Sequence[str] | None = None,
    *,
    upscale: int = 1,
) -> bytes:
    """Outlines of boxes, drawn weakest first.

    size:    (width, height) of the picture in the boxes' pixels; the PNG is upscale times as large
    boxes:   [n, 4] x0 y0 x1 y1
    weights: [n]: strength classes 0-5 relative to the largest |weight|; class 0 is a thin white line, stronger ones are
             wider and brighter, negative ones blue and dashed. None: all thin and white
    labels:  a short text per box, in a tag at its upper left corner; "" = none. Latin letters and digits: the font that
             Pillow brings has no others
    raises:  BadInput (boxes that are none, unequal numbers of boxes, weights and labels, a size without pixels)
    """
    upscale = count("upscale", upscale)
    corners = np.asarray(boxes, dtype=np.float64) * upscale
    values = np.zeros(len(corners)) if weights is None else np.asarray(weights, dtype=np.float64)
    tags = [""] * len(corners) if labels is None else [" ".join(text.split()) for text in labels]
    if len(corners) and (corners.ndim != 2 or corners.shape[1] != 4 or not np.isfinite(corners).all()):
        raise BadInput(f"boxes are finite numbers [n, 4], not {list(corners.shape)}")
    if not len(corners) == len(values) == len(tags):
        raise BadInput(f"{len(corners)} boxes, {len(values)} weights and {len(tags)} labels do not go together")
    if min(size) < 1:
        raise BadInput(f"a picture of {size[0]} x {size[1]} at scale {upscale} has no pixels")
    image = Image.new("RGBA", (size[0] * upscale, size[1] * upscale), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    classes, unit = levels(values), max(1, round(max(image.size) / 320))
    for index in np.argsort(np.abs(values), kind="stable"):
        colour = _colour(classes[index], float(values[index]))
        width = unit * (1 + classes[index] // 2)
        rectangle = _around(corners[index], width + 2 * unit, image.size)
        _outline(draw, rectangle, width, unit, colour, dashed=values[index] < 0)
        if tags[index]:
            _tag(draw, rectangle, tags[index], image.size)
    stream = BytesIO()
    image.save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def hatched(size: tuple[int, int], boxes: Any, *, upscale: int = 1) -> bytes:
    """A transparent PNG with boxes in grey stripes: regions that a method never looked at.

    size, boxes, upscale: as for `overlay`
    """
    high, wide = size[1] * upscale, size[0] * upscale
    inside = np.zeros((high, wide), dtype=bool)
    for x0, y0, x1, y1 in np.rint(np.asarray(boxes, dtype=np.float64) * upscale).astype(int):
        inside[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    stream = BytesIO()
    Image.new("RGBA", (wide, high), (0, 0, 0, 0)).save(stream, format="PNG", compress_level=6)
    return unseen.on_pixels(stream.getvalue(), inside)


def _colour(level: int, value: float) -> Rgba:
    if level == 0:
        return NEUTRAL
    if value < 0:
        return NEGATIVE
    # Outlines have no opacity to show strength with, so the weakest third of the ramp, too dark to see, is left out.
    row = colours.ramp(colours.SEQUENTIAL, 256)[85 + round(170 * (level - 1) / (STRONGEST - 1))]
    return int(row[0]), int(row[1]), int(row[2]), 255


def _around(corners: Any, thickness: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """First and last pixel of an outline outside the box (small objects stay visible), kept within the picture."""
    x0, y0, x1, y1 = (round(float(value)) for value in corners)
    left, top = min(max(x0 - thickness, 0), size[0] - 1), min(max(y0 - thickness, 0), size[1] - 1)
    return left, top, max(left, min(x1 + thickness, size[0]) - 1), max(top, min(y1 + thickness, size[1]) - 1)


def _outline(
    draw: ImageDraw.ImageDraw,
    rectangle: tuple[int, int, int, int],
    width: int,
    case: int,
    colour: Rgba,
    *,
    dashed: bool,
) -> None:
    """A line of `width` between two dark lines of `case`, from the rectangle inwards; dashes leave the case whole."""
    draw.rectangle(rectangle, outline=CASE, width=width + 2 * case)
    x0, y0, x1, y1 = (rectangle[0] + case, rectangle[1] + case, rectangle[2] - case, rectangle[3] - case)
    if x1 < x0 or y1 < y0:
        return
    if not dashed:
        draw.rectangle((x0, y0, x1, y1), outline=colour, width=width)
        return
    dash = 3 * width + 2
    for start in range(x0, x1 + 1, 2 * dash):
        end = min(start + dash - 1, x1)
        draw.rectangle((start, y0, end, min(y0 + width - 1, y1)), fill=colour)
        draw.rectangle((start, max(y1 - width + 1, y0), end, y1), fill=colour)
    for start in range(y0, y1 + 1, 2 * dash):
        end = min(start + dash - 1, y1)
        draw.rectangle((x0, start, min(x0 + width - 1, x1), end), fill=colour)
        draw.rectangle((max(x1 - width + 1, x0), start, x1, end), fill=colour)


def _tag(draw: ImageDraw.ImageDraw, rectangle: tuple[int, int, int, int], text: str, size: tuple[int, int]) -> None:
    height = max(11, round(min(size) / 20))
    font = ImageFont.load_default(height)
    width = int(draw.textlength(text, font=font)) + height // 2
    left, top = min(rectangle[0], max(0, size[0] - width)), rectangle[1] - height - 4
    # Above the box where there is room, so that the tag hides nothing of it.
    top = top if top >= 0 else rectangle[1]
    draw.rectangle((left, top, left + width, top + height + 3), fill=CASE)
    draw.text((left + height // 4, top + height + 1), text, font=font, fill=NEUTRAL, anchor="ls")
