"""Shaded pictures of single objects, ray-cast once per look and cached, with the soft shadow each one throws.

Orthographic camera looking down at ELEVATION; x to the right, y away from the camera, z up; lengths in pixels.
"""

from __future__ import annotations

from functools import cache
from math import cos, radians, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis_core.datasets.scenes.vocabulary import COLORS

Floats = NDArray[np.float32]

ELEVATION = radians(40.0)
RADIUS = {"small": 6.8, "large": 11.6}
ROTATIONS = 6
_SUPERSAMPLE = 3
_AHEAD = np.array([0.0, cos(ELEVATION), -sin(ELEVATION)])
_UP = np.array([0.0, sin(ELEVATION), cos(ELEVATION)])
_LIGHT = np.array([-0.52, -0.38, 0.77]) / np.linalg.norm([-0.52, -0.38, 0.77])


class Sprite(NamedTuple):
    """A picture to paste around a centre: rgb already multiplied by alpha [h, w, 3], alpha [h, w, 1], mask [h, w]."""

    rgb: Floats
    alpha: Floats
    mask: NDArray[np.bool_]
    area: int


#: Per ray: hit or not [n, n]; normal [n, n, 3]; where it hits, from the object's centre [n, n, 3].
_Cast = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]


class _Look(NamedTuple):
    alpha: Floats
    gain: Floats
    shine: Floats


@cache
def sprite(shape: str, size: str, material: str, color: str, rotation: int, percent: int) -> Sprite:
    """One object's picture. rotation: 0 to ROTATIONS - 1 (cubes only); percent: perspective scale, 100 = no change."""
    look = _look(shape, material, rotation, RADIUS[size] * percent / 100)
    rgb = np.clip(look.gain[..., None] * np.array(COLORS[color]) + 255 * look.shine[..., None], 0, 255)
    alpha = look.alpha
    mask = alpha > 0.5
    return Sprite((rgb * alpha[..., None]).astype(np.float32), alpha[..., None], mask, int(mask.sum()))


@cache
def shadow(size: str, percent: int) -> Floats:
    """How much light a soft shadow leaves [h, w], centred on the object's foot."""
    radius = RADIUS[size] * percent / 100
    half = int(2.2 * radius)
    v, u = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    away = np.hypot((u - 0.45 * radius) / 1.15, (v + 0.1 * radius) / (1.05 * sin(ELEVATION))) / radius
    return (1 - 0.55 / (1 + np.exp((away - 1.0) * 5))).astype(np.float32)


@cache
def _look(shape: str, material: str, rotation: int, radius: float) -> _Look:
    half = int(np.ceil(radius * 1.5)) + 1
    n = (2 * half + 1) * _SUPERSAMPLE
    steps = (np.arange(n) + 0.5) / _SUPERSAMPLE - half - 0.5
    u, v = np.meshgrid(steps, -steps)
    rays = u[..., None] * np.array([1.0, 0.0, 0.0]) + v[..., None] * _UP - 4 * radius * _AHEAD
    hit, normal, point = _CASTERS[shape](rays, radius, radians(90.0 * rotation / ROTATIONS))
    gain, shine = _shade(normal, point / radius, material)
    covered = _shrink(hit.astype(np.float64))
    share = np.maximum(covered, 1e-6)
    return _Look(
        covered.astype(np.float32),
        (_shrink(gain * hit) / share).astype(np.float32),
        (_shrink(shine * hit) / share).astype(np.float32),
    )


def _shade(
    normal: NDArray[np.float64], point: NDArray[np.float64], material: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factor on the colour and white highlight per ray: matte rubber, or metal mirroring sky and ground.

    point: where the ray hits, in radii from the centre
    """
    diffuse = np.clip(normal @ _LIGHT, 0, 1)
    halfway = (_LIGHT - _AHEAD) / np.linalg.norm(_LIGHT - _AHEAD)
    if material == "rubber":
        return 0.45 + 0.6 * diffuse, 0.04 * np.clip(normal @ halfway, 0, 1) ** 6
    # A flat face mirrors one spot only and would look matte: faces bulge a little, as pressed metal does.
    bulged = normal + 0.85 * point
    bulged = bulged / np.linalg.norm(bulged, axis=-1, keepdims=True)
    mirrored = _AHEAD - 2 * (bulged @ _AHEAD)[..., None] * bulged
    sky = 1 / (1 + np.exp(-9 * (mirrored[..., 2] + 0.05)))
    lamp = np.exp(-14 * (mirrored[..., 0] + 0.5) ** 2) * (0.35 + 0.65 * sky)
    glint = np.clip(bulged @ halfway, 0, 1) ** 22
    return 0.28 + 0.35 * diffuse + 0.5 * sky, 0.7 * glint + 0.42 * lamp + 0.08 * sky


def _sphere(rays: NDArray[np.float64], radius: float, turn: float) -> _Cast:
    b = rays @ _AHEAD
    reach = b**2 - (rays**2).sum(-1) + radius**2
    hit = reach > 0
    point = rays + (-b - np.sqrt(np.where(hit, reach, 0)))[..., None] * _AHEAD
    return hit, point / radius, point


def _cylinder(rays: NDArray[np.float64], radius: float, turn: float) -> _Cast:
    r, h = 0.88 * radius, 0.88 * radius
    a, b = _AHEAD[1] ** 2, rays[..., 1] * _AHEAD[1]
    reach = b**2 - a * (rays[..., 0] ** 2 + rays[..., 1] ** 2 - r**2)
    side_at = (-b - np.sqrt(np.where(reach > 0, reach, 0))) / a
    side = rays + side_at[..., None] * _AHEAD
    on_side = (reach > 0) & (np.abs(side[..., 2]) <= h)
    top = rays + ((h - rays[..., 2]) / _AHEAD[2])[..., None] * _AHEAD
    on_top = top[..., 0] ** 2 + top[..., 1] ** 2 <= r**2
    normal = side * np.array([1 / r, 1 / r, 0.0])
    normal[on_top] = (0.0, 0.0, 1.0)
    return on_side | on_top, normal, np.where(on_top[..., None], top, side)


def _cube(rays: NDArray[np.float64], radius: float, turn: float) -> _Cast:
    s = 0.80 * radius
    turned = np.array([[cos(turn), sin(turn), 0.0], [-sin(turn), cos(turn), 0.0], [0.0, 0.0, 1.0]])
    origin, ahead = rays @ turned.T, turned @ _AHEAD
    ahead = np.where(np.abs(ahead) < 1e-9, 1e-9, ahead)
    near = np.minimum((-s - origin) / ahead, (s - origin) / ahead)
    far = np.maximum((-s - origin) / ahead, (s - origin) / ahead)
    axis = near.argmax(-1)
    normal = -np.sign(ahead)[axis][..., None] * turned[axis]
    return near.max(-1) <= far.min(-1), normal, rays + near.max(-1)[..., None] * _AHEAD


def _shrink(fine: NDArray[np.float64]) -> NDArray[np.float64]:
    n = fine.shape[0] // _SUPERSAMPLE
    return fine.reshape(n, _SUPERSAMPLE, n, _SUPERSAMPLE).mean((1, 3))


_CASTERS = {"sphere": _sphere, "cylinder": _cylinder, "cube": _cube}
