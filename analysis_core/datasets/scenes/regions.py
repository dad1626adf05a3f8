"""What lies inside the boxes of a picture: crops of one size, from which the model lxmert makes region features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

#: Side of a crop in pixels; large objects of a generated scene are about as wide.
CROP = 24


def crops(picture: Image.Image, boxes: ArrayLike, *, side: int = CROP) -> NDArray[np.uint8]:
    """The inside of each box, resized to a square: uint8 [n, side, side, 3] of an RGB picture.

    boxes: [n, 4] x0 y0 x1 y1 in pixels; parts that lie outside the picture are black
    """
    found = np.zeros((len(np.asarray(boxes)), side, side, 3), np.uint8)
    for i, box in enumerate(np.asarray(boxes, np.float64).reshape(-1, 4).tolist()):
        # crop() first: resize(box=...) refuses boxes that reach out of the picture.
        x0, y0, x1, y1 = (round(v) for v in box)
        part = picture.crop((x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)))
        found[i] = np.asarray(part.resize((side, side), Image.Resampling.BILINEAR), np.uint8)
    return found
