"""Maps against boxes that are known to hold what matters: pointing game, energy inside, overlap."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import finite
from analysis_core.errors import BadInput


@dataclass(frozen=True)
class BoxFaithfulness:
    """How much of a map lies in the boxes; `area`, their share of the map, is what a map that knows nothing gets.

    pointing: 1 where the highest pixel lies inside, 0 outside; with several highest, the share of them inside
    energy:   the share of the map's sum that lies inside; None where the map is 0 everywhere
    iou:      overlap of the boxes with as many of the highest pixels as the boxes have
    """

    pointing: float
    energy: float | None
    iou: float
    area: float
    config: Mapping[str, Any]


def boxes(map_: Tensor, gold: Tensor, *, margin: float = 0.0, share: float | None = None) -> BoxFaithfulness:
    """One map against the gold boxes of one sample, taken together.

    map_:    [H, W], >= 0, such as a row of Attribution.pixels
    gold:    [k, 4] x0 y0 x1 y1 in the map's own coordinates; a pixel lies inside where its centre does
    margin:  pixels by which the pointing game widens the boxes (15 in the original, on pictures of its time)
    share:   of the pixels that count as marked for the overlap, 0 < share <= 1; None = as many as lie in the boxes.
             Among equal values the expected overlap of a random choice is taken
    raises:  BadInput (negative or not finite values, boxes or a margin that are not finite, no pixel in the boxes)
    source:  Zhang et al. 2018 (pointing game), Wang et al. 2020 (energy)
    """
    map_, gold = _numbers("a map", map_), _numbers("boxes", gold)
    if map_.dim() != 2 or not map_.numel() or not bool(map_.isfinite().all()) or bool((map_ < 0).any()):
        raise BadInput("a map must be [H, W], finite and without negative values: take sizes, or the positive part")
    margin = finite("margin", margin)
    values = map_.detach().to("cpu", torch.float64)
    inside = _inside(gold, values, 0.0)
    if not bool(inside.any()):
        raise BadInput(f"no pixel of a map of {tuple(values.shape)} has its centre in the boxes {gold.tolist()}")
    if share is not None and not 0 < finite("share", share) <= 1:
        raise BadInput(f"share must be above 0 and at most 1, not {share}")
    marked = int(inside.sum()) if share is None else max(1, round(share * values.numel()))
    highest = values == values.max()
    # By a power of two, which changes no digit: the sum of very large values would leave the range of numbers.
    scaled = values * math.ldexp(1.0, min(1023, -math.frexp(float(values.max()))[1]))
    whole = float(scaled.sum())
    return BoxFaithfulness(
        pointing=int((highest & _inside(gold, values, margin)).sum()) / int(highest.sum()),
        energy=float(scaled[inside].sum()) / whole if whole > 0 else None,
        iou=_overlap(values, inside, marked),
        area=float(inside.to(torch.float64).mean()),
        config={"boxes": gold.tolist(), "margin": margin, "share": share, "shape": list(values.shape)},
    )


def _numbers(name: str, values: Any) -> Tensor:
    """A tensor, array or list as a tensor. raises: BadInput (no numbers)"""
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(f"{name} must be a tensor or array of numbers, not {values!r:.80}") from error


def _overlap(values: Tensor, inside: Tensor, marked: int) -> float:
    """Intersection over union of the `marked` highest pixels with the boxes; ties share what places are left."""
    threshold = values.flatten().sort(descending=True).values[marked - 1]
    above, level = values > threshold, values == threshold
    left = (marked - int(above.sum())) / int(level.sum())
    both = float((above & inside).sum()) + left * float((level & inside).sum())
    return both / (marked + float(inside.sum()) - both)


def _inside(gold: Tensor, values: Tensor, margin: float) -> Tensor:
    """bool [H, W]: pixels whose centre lies in any of the boxes, widened by a margin."""
    if gold.dim() != 2 or gold.shape[1] != 4 or len(gold) == 0:
        raise BadInput(f"boxes must be [k, 4] x0 y0 x1 y1, not {tuple(gold.shape)}")
    if not bool(gold.isfinite().all()):
        raise BadInput(f"box {gold[~gold.isfinite().all(1)][0].tolist()} is not finite: give its four corners")
    box = gold.detach().to("cpu", torch.float64)
    y, x = (torch.arange(n, dtype=torch.float64) + 0.5 for n in values.shape)
    across = (x >= box[:, :1] - margin) & (x < box[:, 2:3] + margin)
    down = (y >= box[:, 1:2] - margin) & (y < box[:, 3:] + margin)
    # In how many boxes a pixel lies, as a product: a mask of the whole map for each box would fill the memory.
    return down.to(torch.float32).T @ across.to(torch.float32) > 0
