"""Where one atom of a picture ends and the next begins: outlines of superpixels and patches as a transparent PNG."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from analysis_core.arguments import count
from analysis_core.errors import BadInput

#: White lines with a dark edge are seen on any picture.
LINE, CASE = (255, 255, 255, 255), (20, 20, 20, 160)


def outlines(groups: Any, height: int, width: int, *, upscale: int = 1) -> bytes:
    """A PNG [upscale height, upscale width] with a line along every border between two atoms.

    groups: integers [height * width], row-major (Atoms.groups); -1 = of no atom
    raises: BadInput (another number of pixels)
    """
    upscale, index = count("upscale", upscale), np.asarray(groups).reshape(-1)
    if index.shape != (height * width,):
        raise BadInput(f"a picture of {height} x {width} has {height * width} pixels, not {index.size}")
    areas = index.reshape(height, width).repeat(upscale, axis=0).repeat(upscale, axis=1)
    line = np.zeros(areas.shape, dtype=bool)
    line[1:] |= areas[1:] != areas[:-1]
    line[:, 1:] |= areas[:, 1:] != areas[:, :-1]
    pixels = np.zeros((*areas.shape, 4), dtype=np.uint8)
    pixels[_grown(line)] = CASE
    pixels[line] = LINE
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", compress_level=6)
    return stream.getvalue()


def _grown(line: Any) -> Any:
    """The line and its four neighbours."""
    grown = line.copy()
    grown[1:] |= line[:-1]
    grown[:-1] |= line[1:]
    grown[:, 1:] |= line[:, :-1]
    grown[:, :-1] |= line[:, 1:]
    return grown
