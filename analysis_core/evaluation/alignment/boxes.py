"""From a map over regions or pixels to one score per candidate box, in the map's own coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core import leaves
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.types import PICTURE_KINDS, Encoded

#: A superpixel of which at least this share lies inside a box is removed with the box.
_INSIDE = 0.5


class Candidates:
    """The boxes of one sample, or its "candidates" of several boxes each, as parts of a picture modality.

    pixels:  whether the modality has pixels; then a score is the mean of the map inside the box. Otherwise a box stands
             for the region whose own box overlaps it most (intersection over union), and the score is that region's
    weights: float64 [n, n_leaf], rows add up to 1
    atoms:   per candidate the atoms that go when it is removed
    areas:   float64 [n] square pixels of the sample's picture
    """

    def __init__(self, model: MultimodalModel, sample: Mapping[str, Any], encoded: Encoded, to: str) -> None:
        """raises: BadInput (no boxes, boxes of a wrong shape or outside the picture, a modality without places)"""
        boxes = torch.as_tensor(np.asarray(sample["boxes"] if sample.get("boxes") is not None else []))
        if boxes.dim() != 2 or boxes.shape[1] != 4 or not bool((boxes[:, 2:] > boxes[:, :2]).all()):
            raise BadInput("alignment needs 'boxes' [n, 4] x0 y0 x1 y1 in every sample")
        atoms, x = encoded.atoms[to], encoded.x[to]
        boxes = boxes.to(torch.float64)
        self.pixels = atoms.kind in PICTURE_KINDS
        groups = leaves.leaf_groups(atoms, x).cpu()
        if self.pixels:
            inside = _inside(in_map(model, sample, boxes, x), x)
            sizes = torch.bincount(groups[groups >= 0], minlength=len(atoms))
            share = leaves.sum_over_atoms(inside, groups, len(atoms)) / sizes
            parts = [_at_least(row) for row in share]
        elif atoms.boxes is not None:
            nearest = _overlap(boxes, atoms.boxes.to(torch.float64)).argmax(1)
            inside = (groups == nearest[:, None]).to(torch.float64)
            parts = [[int(i)] for i in nearest]
        else:
            raise BadInput(f"alignment needs boxes or pixels: the atoms of {to!r} have no place in the picture")
        if not bool((inside.sum(1) > 0).all()):
            raise BadInput(f"a box of sample {sample.get('id')} lies outside the picture")
        members = [list(of) for of in sample.get("candidates") or ([i] for i in range(len(boxes)))]
        inside = torch.stack([inside[of].amax(0) for of in members])
        self.weights = inside / inside.sum(1, keepdim=True)
        self.atoms = [sorted({atom for i in of for atom in parts[i]}) for of in members]
        self.areas = torch.tensor([union_area(boxes[of].numpy()) for of in members], dtype=torch.float64)

    def __len__(self) -> int:
        return len(self.weights)

    def scores(self, per_leaf: Tensor) -> Tensor:
        """[m, n_leaf] -> float64 [m, n]."""
        return per_leaf.to("cpu", torch.float64) @ self.weights.T


def seen(model: MultimodalModel, sample: Mapping[str, Any], encoded: Encoded, to: str) -> list[bool]:
    """Which boxes have a pixel in the input: a model that crops may not see them all. Always true of regions."""
    atoms, x = encoded.atoms[to], encoded.x[to]
    boxes = torch.as_tensor(np.asarray(sample["boxes"])).to(torch.float64)
    if atoms.kind not in PICTURE_KINDS:
        return [True] * len(boxes)
    return _inside(in_map(model, sample, boxes, x), x).any(1).tolist()


def union_area(boxes: NDArray[np.float64]) -> float:
    """Area of what some boxes [n, 4] cover together, exactly: the grid of their edges, cell by cell."""
    xs, ys = np.unique(boxes[:, [0, 2]]), np.unique(boxes[:, [1, 3]])
    x, y = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    x0, y0, x1, y1 = boxes.T[:, :, None]
    across, down = (x0 < x) & (x < x1), (y0 < y) & (y < y1)
    covered = (down[:, :, None] & across[:, None]).any(0)
    return float((covered * np.outer(np.diff(ys), np.diff(xs))).sum())


def in_map(model: MultimodalModel, sample: Mapping[str, Any], boxes: Tensor, x: Tensor) -> Tensor:
    """Boxes in pixels of the sample's picture -> pixels of the input.

    A model that crops or pads its pictures tells how by a method `boxes_in_input(sample, boxes)`; one that only resizes
    needs none.
    """
    told = getattr(model, "boxes_in_input", None)
    if told is not None:
        return torch.as_tensor(told(sample, boxes)).to(torch.float64)
    width, height = sample["image"].size
    scale = torch.tensor([x.shape[3] / width, x.shape[2] / height], dtype=torch.float64)
    return boxes * scale.repeat(2)


def _inside(boxes: Tensor, x: Tensor) -> Tensor:
    """float64 [n, H * W]: 1 where a pixel's centre lies in the box; a box thinner than a pixel holds one."""
    height, width = x.shape[2:]
    found = []
    for x0, y0, x1, y1 in boxes.tolist():
        rows, columns = _centres(y0, y1, height), _centres(x0, x1, width)
        found.append((rows[:, None] & columns[None]).flatten())
    return torch.stack(found).to(torch.float64)


def _centres(start: float, stop: float, size: int) -> Tensor:
    centres = torch.arange(size) + 0.5
    inside = (centres >= start) & (centres < stop)
    if not bool(inside.any()) and 0 <= (start + stop) / 2 < size:
        inside[int((start + stop) / 2)] = True
    return inside


def _at_least(share: Tensor) -> list[int]:
    """Atoms mostly inside the box, or the one that is most so."""
    found = torch.nonzero(share >= _INSIDE).flatten().tolist()
    return found or [int(share.argmax())]


def _overlap(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union [len(a), len(b)]."""
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clamp_min(0).prod(2)
    areas = [(t[:, 2:] - t[:, :2]).prod(1) for t in (a, b)]
    return both / (areas[0][:, None] + areas[1][None] - both)
