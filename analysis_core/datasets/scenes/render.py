"""Where objects stand and the picture of it: seeded placement, pasting in depth order, boxes from the owner map."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis_core.datasets.scenes.sprites import ELEVATION, RADIUS, ROTATIONS, Sprite, shadow, sprite
from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES, KINDS, MAX_OBJECTS, Kind

SIZE = 96
MIN_OBJECTS = 3
MIN_VISIBLE = 0.6
#: Chance that an attribute repeats another object's value: counts above 1 and shared attributes become common.
_REPEAT = 0.3
_NOISE = 2.0


class Placed(NamedTuple):
    """An object in a scene. x, y: pixel of its centre; depth: pixel row of its foot (larger = nearer)."""

    kind: int
    x: int
    y: int
    depth: int
    rotation: int
    percent: int

    @property
    def looks(self) -> Kind:
        return KINDS[self.kind]

    @property
    def sprite(self) -> Sprite:
        size, color, material, shape = self.looks
        return sprite(shape, size, material, color, self.rotation if shape == "cube" else 0, self.percent)


@dataclass(frozen=True)
class Scene:
    """objects from far to near; owner int8 [SIZE, SIZE]: the object a pixel shows, -1 = ground; image uint8 RGB."""

    objects: tuple[Placed, ...]
    owner: NDArray[np.int8]
    image: NDArray[np.uint8]

    @property
    def kinds(self) -> NDArray[np.int64]:
        return np.array([thing.kind for thing in self.objects])

    def box(self, i: int) -> tuple[int, int, int, int]:
        """x0 y0 x1 y1 (ends exclusive) around the visible pixels of object i."""
        rows = np.flatnonzero((self.owner == i).any(1))
        columns = np.flatnonzero((self.owner == i).any(0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def scene_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """The random stream of one scene: splits with different names never share one."""
    space = int.from_bytes(hashlib.sha256(split.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, space, index])


def scenes(seed: int, split: str, start: int, stop: int) -> Iterator[tuple[Scene, np.random.Generator]]:
    """Scenes start to stop - 1 of a split, each with its own stream (questions go on drawing from it)."""
    for index in range(start, stop):
        rng = scene_generator(seed, split, index)
        yield draw_scene(rng), rng


def draw_scene(rng: np.random.Generator) -> Scene:
    """One scene of MIN_OBJECTS to MAX_OBJECTS objects, each at least MIN_VISIBLE visible."""
    while True:
        kinds = _draw_kinds(rng, int(rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1)))
        for _ in range(8):
            objects = _place(rng, kinds)
            if objects is None:
                continue
            owner = _owner_map(objects)
            shown = np.bincount(owner.ravel() + 1, minlength=len(objects) + 1)[1:]
            if all(n >= MIN_VISIBLE * thing.sprite.area for n, thing in zip(shown, objects, strict=True)):
                return Scene(objects, owner, _paint(rng, objects))


def _draw_kinds(rng: np.random.Generator, n: int) -> list[int]:
    columns = []
    for values in ATTRIBUTES.values():
        drawn = rng.integers(0, len(values), n)
        repeats = np.flatnonzero(rng.random(n) < _REPEAT)
        for i in repeats[repeats > 0]:
            drawn[i] = drawn[rng.integers(0, i)]
        columns.append(drawn)
    sizes = [len(values) for values in ATTRIBUTES.values()]
    return [int(k) for k in np.ravel_multi_index(columns, sizes)]


def _place(rng: np.random.Generator, kinds: list[int]) -> tuple[Placed, ...] | None:
    placed: list[Placed] = []
    for kind in kinds:
        for _ in range(12):
            thing = _draw_place(rng, kind)
            if all(_apart(thing, other) for other in placed):
                placed.append(thing)
                break
        else:
            return None
    return tuple(sorted(placed, key=lambda thing: thing.depth))


def _draw_place(rng: np.random.Generator, kind: int) -> Placed:
    across, along, turn = rng.random(3)
    depth = 36 + along * 52
    percent = 90 + 5 * round(4 * along)
    radius = RADIUS[KINDS[kind].size] * percent / 100
    margin = 1.3 * radius
    x = margin + across * (SIZE - 1 - 2 * margin)
    y = min(depth - radius * cos(ELEVATION), SIZE - 2 - margin)
    return Placed(kind, round(x), round(y), round(y + radius * cos(ELEVATION)), int(turn * ROTATIONS), percent)


def _apart(a: Placed, b: Placed) -> bool:
    reach = (RADIUS[a.looks.size] + RADIUS[b.looks.size]) * (a.percent + b.percent) / 200
    return (a.x - b.x) ** 2 + ((a.depth - b.depth) / sin(ELEVATION)) ** 2 >= (1.02 * reach) ** 2


def _owner_map(objects: tuple[Placed, ...]) -> NDArray[np.int8]:
    owner = np.full((SIZE, SIZE), -1, np.int8)
    for i, thing in enumerate(objects):
        mask = thing.sprite.mask
        target, source = _windows(thing.x, thing.y, mask.shape[0])
        owner[target][mask[source]] = i
    return owner


def _paint(rng: np.random.Generator, objects: tuple[Placed, ...]) -> NDArray[np.uint8]:
    picture = _ground() * np.float32(rng.uniform(0.92, 1.06))
    for thing in objects:
        shade = shadow(thing.looks.size, thing.percent)
        target, source = _windows(thing.x, thing.depth, shade.shape[0])
        picture[target] *= shade[source][..., None]
    for thing in objects:
        rgb, alpha, _, _ = thing.sprite
        target, source = _windows(thing.x, thing.y, rgb.shape[0])
        picture[target] = picture[target] * (1 - alpha[source]) + rgb[source]
    dx, dy = rng.integers(0, SIZE, 2)
    picture += _noise()[dy : dy + SIZE, dx : dx + SIZE]
    return np.clip(picture, 0, 255).astype(np.uint8)


def _windows(x: int, y: int, side: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a side x side patch centred on (x, y) lies in the picture, and which part of it does."""
    left, top = x - side // 2, y - side // 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, SIZE), min(top + side, SIZE)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


@lru_cache(maxsize=1)
def _ground() -> NDArray[np.float32]:
    v, u = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1)
    light = 128 + 50 * v - 34 * ((u - 0.4) ** 2 + 0.6 * (v - 0.6) ** 2)
    return (light[..., None] * np.array([1.0, 0.995, 0.985])).astype(np.float32)


@lru_cache(maxsize=1)
def _noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, _NOISE, (2 * SIZE, 2 * SIZE, 3)).astype(np.float32)
