"""From pixel maps to boxes: the mean of a map inside each box, in the map's own coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real

import torch
from torch import Tensor

from analysis_core.arguments import one_attribution
from analysis_core.errors import BadInput
from analysis_core.types import Attribution


def box_means(
    result: Attribution, boxes: Tensor | Sequence[Sequence[float]], *, picture: tuple[int, int] | None = None
) -> Attribution:
    """Each source atom's pixel map, read inside boxes: the mean over the box's area.

    result:  of second_order(..., pixels=True), or its phrases
    boxes:   [k, 4] x0 y0 x1 y1; a pixel covers [c, c + 1] x [r, r + 1] and counts by its share that lies in the box;
             what lies outside the map is cut off
    picture: (height, width) of the picture that the boxes are drawn on, which the map shows as a whole; None = the map
             itself. A picture that the model cropped or padded needs its boxes moved first
    returns: Attribution with pairs float64 [n_source, k] and the maps as they were
    raises:  BadInput (no pixel maps; a box that is empty, reversed, not finite or outside the map; a
             picture without size)
    source:  Liang et al. 2023, appendix D.2: mean of the map over the pixels of the object
    """
    result = one_attribution(result)
    if result.pixels is None:
        raise BadInput(f"{result.method} has no pixel maps: ask second_order for pixels=True")
    height, width = result.pixels.shape[1:]
    own = in_map(boxes, (height, width) if picture is None else picture, (height, width))
    pairs = means_inside(result.pixels, own)
    return replace(
        result,
        values={str(result.config["to"]): pairs.abs().sum(0)},
        pairs=pairs,
        method=f"{result.method}/boxes",
        config={**result.config, "boxes": own.tolist()},
    )


def in_map(boxes: Tensor | Sequence[Sequence[float]], picture: tuple[int, int], shown: tuple[int, int]) -> Tensor:
    """Boxes [k, 4] on a picture of (height, width), on a map of another size that shows the whole picture; float64."""
    try:
        corners = torch.as_tensor(boxes, dtype=torch.float64, device="cpu").detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"boxes must be numbers [k, 4] x0 y0 x1 y1: {error}") from error
    if corners.dim() != 2 or corners.shape[1] != 4 or len(corners) == 0:
        raise BadInput(f"boxes must be [k, 4] x0 y0 x1 y1, not {tuple(corners.shape)}")
    if not corners.isfinite().all():
        raise BadInput(f"box {corners[~corners.isfinite().all(1)][0].tolist()} is not finite: give its four corners")
    sides = picture if isinstance(picture, Sequence) else ()
    if len(sides) != 2 or not all(isinstance(side, Real) and 0 < side < math.inf for side in sides):
        raise BadInput(f"picture must be its (height, width), both above 0, not {picture!r}")
    across, down = shown[1] / picture[1], shown[0] / picture[0]
    return corners * torch.tensor([across, down, across, down], dtype=torch.float64)


def means_inside(maps: Tensor, boxes: Tensor) -> Tensor:
    """maps [n, H, W], boxes [k, 4] in the maps' coordinates -> float64 [n, k]. raises: BadInput (a box without area)"""
    across = _covered(boxes[:, 0], boxes[:, 2], maps.shape[2])
    down = _covered(boxes[:, 1], boxes[:, 3], maps.shape[1])
    area = across.sum(1) * down.sum(1)
    if not bool((area > 0).all()):
        worst = boxes[int(area.argmin())].tolist()
        raise BadInput(f"box {worst} covers nothing of a map of {maps.shape[1]} x {maps.shape[2]} (x0 < x1, y0 < y1?)")
    return torch.einsum("nhw,kh,kw->nk", maps.to(torch.float64), down, across) / area


def _covered(start: Tensor, stop: Tensor, size: int) -> Tensor:
    """How much of each of `size` unit cells lies between start and stop: float64 [k, size]."""
    edges = torch.arange(size, dtype=torch.float64)
    return (torch.minimum(stop[:, None], edges + 1) - torch.maximum(start[:, None], edges)).clamp_min(0)
