"""Arrays of three-box scenes and the facts the grammar asks of their objects: colours, edges, what stands on what.

Shapes: [N, 3, 8] per object (box, place in the box), [N, 3, 8, 8] per pair of objects of one box.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.models.nlvr_regions.regions import BOXES, COLOURS, PLACES, SHAPES

#: Side of a box in pixels.
SIDE = 100

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Scenes:
    """N scenes. colour and shape index COLOURS and SHAPES, -1 where no object is; size, x, y in pixels of the box."""

    colour: Ints
    shape: Ints
    size: Ints
    x: Ints
    y: Ints

    def __len__(self) -> int:
        return len(self.colour)

    def take(self, rows: Ints | slice) -> Scenes:
        return Scenes(self.colour[rows], self.shape[rows], self.size[rows], self.x[rows], self.y[rows])

    @cached_property
    def present(self) -> Bools:
        return np.asarray(self.colour >= 0)

    @cached_property
    def nearest(self) -> Mapping[str, Bools]:
        """Side of the box -> objects that touch it (0 pixels apart)."""
        sides = {"left": self.x, "right": SIDE - self.x - self.size, "top": self.y, "bottom": SIDE - self.y - self.size}
        return {side: self.present & (gap <= 0) for side, gap in sides.items()}

    @cached_property
    def edge(self) -> Bools:
        return np.logical_or.reduce(list(self.nearest.values()))

    @cached_property
    def corner(self) -> Bools:
        near = self.nearest
        return (near["left"] | near["right"]) & (near["top"] | near["bottom"])

    @cached_property
    def above(self) -> Bools:
        """[N, 3, 8, 8] object i lies wholly higher than object j of its box."""
        higher = (self.y + self.size)[..., :, None] <= self.y[..., None, :]
        return np.asarray(higher & self.present[..., :, None] & self.present[..., None, :])

    @cached_property
    def on(self) -> Bools:
        """[N, 3, 8, 8] object i stands directly on object j: at most 2 pixels apart, overlapping sideways."""
        gap = self.y[..., None, :] - (self.y + self.size)[..., :, None]
        left = np.maximum(self.x[..., :, None], self.x[..., None, :])
        right = np.minimum((self.x + self.size)[..., :, None], (self.x + self.size)[..., None, :])
        return np.asarray(self.above & (gap <= 2) & (left < right))

    @cached_property
    def from_top(self) -> Ints:
        """How many objects of the box lie higher."""
        return np.asarray(self.above.sum(-2))

    @cached_property
    def from_base(self) -> Ints:
        """How many objects of the box lie lower."""
        return np.asarray(self.above.sum(-1))


def some(picked: Bools) -> Bools:
    """[..., n] -> [...]: whether any of the last axis is picked (an object of a box, a box of a scene)."""
    return np.asarray(picked.any(-1))


def every(picked: Bools) -> Bools:
    """[..., n] -> [...]: whether all of the last axis are picked."""
    return np.asarray(picked.all(-1))


def anywhere(picked: Bools) -> Bools:
    """[N, 3, 8] -> [N]: whether any object of the scene is picked."""
    return np.asarray(picked.any((-1, -2)))


def is_tower(regions: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a scene's boxes hold towers: squares of one size in one column."""
    return all((r["shape"], r["size"], r["x"]) == ("square", 20, 40) for r in regions)


def scenes_from(samples: Sequence[Sequence[Mapping[str, Any]]]) -> Scenes:
    """Scenes from the `regions` of dataset samples, in their order."""
    arrays = np.zeros((5, len(samples), BOXES, PLACES), dtype=np.int64)
    arrays[:2] = -1
    for n, regions in enumerate(samples):
        filled = [0] * BOXES
        for r in regions:
            at = (n, r["box"], filled[r["box"]])
            filled[r["box"]] += 1
            values = (COLOURS.index(r["colour"]), SHAPES.index(r["shape"]), r["size"], r["x"], r["y"])
            for array, value in zip(arrays, values, strict=True):
                array[at] = value
    return Scenes(*arrays)


def recombined(scenes: Scenes, count: int, rng: np.random.Generator, *, shapes: bool) -> Scenes:
    """New scenes of three boxes each drawn from `scenes`; colours (and shapes) permuted, mirrored, objects shuffled."""
    rows = rng.integers(len(scenes), size=(count, BOXES))
    boxes = rng.integers(BOXES, size=(count, BOXES))
    drawn = [array[rows, boxes] for array in (scenes.colour, scenes.shape, scenes.size, scenes.x, scenes.y)]
    order = rng.permuted(np.broadcast_to(np.arange(PLACES), (count, BOXES, PLACES)), axis=-1)
    drawn = [np.take_along_axis(array, order, axis=-1) for array in drawn]
    return permuted(Scenes(*drawn), rng, shapes=np.full(count, shapes))[0]


@dataclass(frozen=True)
class Renaming:
    """What `permuted` did to each scene: colour and shape maps [N, 3] (old index -> new), mirrored [N]."""

    colours: Ints
    shapes: Ints
    mirrored: Bools


def permuted(scenes: Scenes, rng: np.random.Generator, *, shapes: Bools) -> tuple[Scenes, Renaming]:
    """Permute colours, shapes (where `shapes` [N] says so) and mirror left-right, at random for each scene."""
    n = len(scenes)
    identity = np.broadcast_to(np.arange(3), (n, 3))
    colours = rng.permuted(identity, axis=1)
    shape_map = np.where(shapes[:, None], rng.permuted(identity, axis=1), identity)
    mirrored = rng.random(n) < 0.5
    row = np.arange(n)[:, None, None]
    colour = np.where(scenes.colour < 0, -1, colours[row, scenes.colour])
    shape = np.where(scenes.shape < 0, -1, shape_map[row, scenes.shape])
    x = np.where(mirrored[:, None, None] & scenes.present, SIDE - scenes.x - scenes.size, scenes.x)
    return Scenes(colour, shape, scenes.size, x, scenes.y), Renaming(colours, shape_map, mirrored)
