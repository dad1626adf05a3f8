"""Objects of three boxes as rows of numbers. Needs numpy only; encoding and training share it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

COLOURS = ("yellow", "blue", "black")
SHAPES = ("square", "triangle", "circle")
SIZES = (10, 20, 30)
BOXES, PLACES = 3, 8
#: Side of a box in pixels.
SIDE = 100.0
#: Distance in pixels over which an object's nearness to an edge falls to 1/e: 0 and 1 pixel must differ clearly.
NEAR = 1.5

#: Columns of a row.
PRESENT, COLOUR, SHAPE, SIZE, CENTRE, EDGES = 0, slice(1, 4), slice(4, 7), slice(7, 10), slice(10, 12), slice(12, 16)
WIDTH = 16


def region_rows(
    colour: NDArray[np.int64], shape: NDArray[np.int64], size: ArrayLike, x: ArrayLike, y: ArrayLike
) -> NDArray[np.float32]:
    """Rows float32 [..., WIDTH] of objects [...].

    colour, shape: index COLOURS and SHAPES, -1 = no object (a row of zeros); size, x, y: pixels within the box
    columns: present 0/1, colour, shape and size one-hot, centre in -1..1, nearness 0..1 to left, right, top, bottom
    """
    size, x, y = (np.asarray(v, dtype=np.float32) for v in (size, x, y))
    rows = np.zeros((*colour.shape, WIDTH), dtype=np.float32)
    rows[..., PRESENT] = colour >= 0
    rows[..., COLOUR] = colour[..., None] == np.arange(3)
    rows[..., SHAPE] = shape[..., None] == np.arange(3)
    rows[..., SIZE] = size[..., None] == np.array(SIZES)
    rows[..., CENTRE] = np.stack([(x + size / 2) / (SIDE / 2) - 1, (y + size / 2) / (SIDE / 2) - 1], axis=-1)
    gaps = np.stack([x, SIDE - x - size, y, SIDE - y - size], axis=-1)
    rows[..., EDGES] = np.exp(-np.maximum(gaps, 0) / NEAR)
    return np.asarray(rows * rows[..., :1], dtype=np.float32)


def place_regions(regions: list[dict[str, Any]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows [BOXES * PLACES, WIDTH] with each box's objects in its own block of PLACES, and groups row -> object or -1.

    raises: ValueError (more than PLACES objects in a box)
    """
    values = np.full((5, BOXES * PLACES), -1, dtype=np.int64)
    groups = np.full(BOXES * PLACES, -1, dtype=np.int64)
    filled = [0] * BOXES
    for i, r in enumerate(regions):
        if filled[r["box"]] == PLACES:
            raise ValueError(f"box {r['box']} holds more than {PLACES} objects")
        at = r["box"] * PLACES + filled[r["box"]]
        filled[r["box"]] += 1
        groups[at] = i
        values[:, at] = (COLOURS.index(r["colour"]), SHAPES.index(r["shape"]), r["size"], r["x"], r["y"])
    return region_rows(*values), groups
