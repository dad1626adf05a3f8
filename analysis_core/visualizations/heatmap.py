"""Heatmaps: weights per pixel, superpixel or box -> a transparent PNG that a page lays over the picture."""

from __future__ import annotations

import math
from io import BytesIO
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from analysis_core.arguments import count, finite
from analysis_core.errors import BadInput, UnknownName
from analysis_core.visualizations import colours, picture

Map = npt.NDArray[np.float64]
Edges = Literal["soft", "round", "hard"]

#: Overlays are drawn at least so wide, so that a small picture's map is not blurred by the browser, but never enlarged
#: beyond TALLEST: a narrow, tall one (an hour of sound as a picture) would fill the memory.
DISPLAY_WIDTH, TALLEST = 384, 4096

#: Rounding costs about .1 ms per area; a map of more values than this is no map of areas.
ROUNDED_AREAS = 256
#: A mask's blur ends 3 pixels from its area (three boxes that reach 1 each); bicubic weights end 2 pixels further.
_MARGIN = 5
_BLACK, _WHITE = np.uint8(0), np.uint8(255)


def overlay(
    weights: Any, *, signed: bool = False, upscale: int = 1, edges: Edges = "soft", largest: float | None = None
) -> bytes:
    """A PNG whose opacity follows |weight|: the largest weight is opaque in the strongest colour, zero is transparent.

    weights: [H, W]
    signed:  negative weights blue, positive ones orange; otherwise one ramp for |weight|
    upscale: the picture is [upscale H, upscale W]
    edges:   how it is enlarged: "soft" interpolates between the pixels' centres (gradients); "round" keeps areas of one
             weight whole and rounds the steps of their outlines (superpixels, patches); "hard" repeats pixels
    largest: the |weight| that is drawn opaque, to draw several maps on one scale; None = this map's own
    returns: PNG with a palette of 256 RGBA colours, always the same one (half the bytes of plain RGBA)
    raises:  BadInput (not two-dimensional, nan or infinite; upscale, largest), UnknownName (edges)
    """
    if largest is not None and finite("largest", largest) <= 0:
        raise BadInput(f"largest must be above 0, not {largest}")
    table = checked(weights)
    # By a power of two, which changes no digit: enlarging works in float32, whose range is smaller.
    power = -math.frexp(float(np.abs(table).max()))[1]
    table = _enlarged(np.ldexp(table, power), upscale, edges)
    with np.errstate(over="ignore"):
        top = float(np.abs(table).max() if largest is None else np.ldexp(float(largest), power))
    share = np.clip(table / top, -1, 1) if top > 0 else np.zeros_like(table)
    if signed:
        return _png(np.rint(share * 127 + 127).astype(np.uint8), colours.signed_table())
    return _png(np.rint(np.abs(share) * 255).astype(np.uint8), colours.unsigned_table())


def display_scale(width: int, height: int, *, least: int = 1) -> int:
    """How many times a map of so many pixels is enlarged for display: to DISPLAY_WIDTH, within TALLEST.

    least: so many times also where it is wide enough
    """
    return max(1, min(max(least, -(-DISPLAY_WIDTH // width)), TALLEST // max(width, height)))


def spread_groups(values: Any, groups: Any, height: int, width: int) -> Map:
    """Values of atoms (superpixels, patches) on their pixels: [height, width]; pixels of group -1 get 0.

    values: [n_atoms]; groups: integers [height * width], row-major (Atoms.groups), or None for one atom per pixel
    raises: BadInput (a group without a value, a wrong length)
    """
    values = np.asarray(values, dtype=np.float64)
    index = np.arange(len(values)) if groups is None else np.asarray(groups).reshape(-1)
    if index.shape != (height * width,):
        raise BadInput(
            f"groups tell the atom of {index.size} pixels; a picture of {height} x {width} has {height * width}"
        )
    if len(index) and not -1 <= int(index.min()) <= int(index.max()) < len(values):
        raise BadInput(f"groups name atoms {int(index.min())} to {int(index.max())}, there are {len(values)} values")
    return np.append(values, 0.0)[index].reshape(height, width)


def compose(image: Any, overlay: bytes, opacity: float = 0.6) -> bytes:
    """The picture, enlarged to the overlay's size, with the overlay on it: a PNG.

    image:   Pillow image or array uint8 [H, W, 3], see picture.flatten; opacity: 0 (picture alone) to 1
    raises:  BadInput (no picture, an overlay that is no PNG, an opacity that is none)
    """
    if not 0 <= finite("opacity", opacity) <= 1:
        raise BadInput(f"opacity must lie between 0 (the picture alone) and 1, not {opacity}")
    layer = picture.opened_png(overlay)
    layer.putalpha(layer.getchannel("A").point([round(level * opacity) for level in range(256)]))
    base = picture.flatten(image).resize(layer.size, Image.Resampling.BICUBIC).convert("RGBA")
    return picture.encode(Image.alpha_composite(base, layer))


def checked(weights: Any) -> Map:
    """Weights per pixel as float64 [H, W]. raises: BadInput (another shape, nan or infinite)"""
    table = np.asarray(weights, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise BadInput(f"a heatmap needs weights [H, W], not {list(table.shape)}")
    if not np.isfinite(table).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(table))[0])
        raise BadInput(f"the weight of pixel ({row}, {column}) is {table[row, column]}")
    return table


def _enlarged(table: Map, upscale: int, edges: Edges) -> Map:
    if edges not in get_args(Edges):
        raise UnknownName("kind of edges", edges, get_args(Edges))
    upscale = count("upscale", upscale)
    if upscale == 1:
        return table
    # Weights are interpolated, not colours: between blue and orange lies transparent zero.
    size = (table.shape[1] * upscale, table.shape[0] * upscale)
    if edges == "soft":
        small = Image.fromarray(table.astype(np.float32))
        return np.asarray(small.resize(size, Image.Resampling.BILINEAR), dtype=np.float64)
    values, areas = np.unique(table, return_inverse=True)
    if edges == "hard" or len(values) > ROUNDED_AREAS:
        return table.repeat(upscale, axis=0).repeat(upscale, axis=1)
    return values[_rounded(areas.reshape(table.shape), len(values), size)]


def _rounded(areas: npt.NDArray[np.intp], n: int, size: tuple[int, int]) -> npt.NDArray[np.intp]:
    """Enlarge labelled areas: each output pixel goes to the area whose blurred mask is strongest there."""
    upscale = size[0] // areas.shape[1]
    owner = np.zeros((size[1], size[0]), dtype=np.intp)
    strongest = np.zeros(owner.shape, dtype=np.uint8)
    for area, (rows, columns) in enumerate(_surroundings(areas, n)):
        part = areas[rows, columns]
        mask = Image.fromarray(np.where(part == area, _WHITE, _BLACK)).filter(ImageFilter.GaussianBlur(0.7))
        strength = np.asarray(mask.resize((part.shape[1] * upscale, part.shape[0] * upscale), Image.Resampling.BICUBIC))
        there = tuple(slice(upscale * s.start, upscale * s.stop) for s in (rows, columns))
        np.copyto(owner[there], area, where=strength > strongest[there])
        np.maximum(strongest[there], strength, out=strongest[there])
    return owner


def _surroundings(areas: npt.NDArray[np.intp], n: int) -> list[tuple[slice, slice]]:
    """Rows and columns per area outside of which its blurred and enlarged mask is 0."""
    reach = []
    for axis, lines in enumerate(np.indices(areas.shape)):
        first, last = np.full(n, areas.shape[axis]), np.zeros(n, dtype=int)
        np.minimum.at(first, areas, lines)
        np.maximum.at(last, areas, lines)
        first, last = np.maximum(first - _MARGIN, 0), np.minimum(last + 1 + _MARGIN, areas.shape[axis])
        reach.append([slice(*ends) for ends in zip(first.tolist(), last.tolist(), strict=True)])
    return list(zip(*reach, strict=True))


def _png(levels: colours.Colours, table: colours.Colours) -> bytes:
    image = Image.fromarray(levels, mode="P")
    image.putpalette(table[:, :3].tobytes())
    stream = BytesIO()
    image.save(stream, format="PNG", transparency=table[:, 3].tobytes(), compress_level=6)
    return stream.getvalue()
