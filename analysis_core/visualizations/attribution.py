"""An attribution as a reader sees it: an overlay for a picture, strength levels for words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from analysis_core.types import PICTURE_KINDS, Atoms
from analysis_core.visualizations import boxes, heatmap, words

SMOOTHING = 0.02
STRONGEST = 0.995


def positive(values: Any) -> Any:
    """What speaks for the target: negative values are not shown (studies.md 3.1)."""
    return np.clip(np.asarray(values, dtype=np.float64), 0.0, None)


def overlay(values: Any, atoms: Atoms, *, leaf_shape: Sequence[int], picture_size: tuple[int, int]) -> bytes | None:
    """Atom values laid over the picture; None for atoms that have no place in one (words, static fields).

    values:       [n_atoms], >= 0
    leaf_shape:   the shape of the modality's input tensor; a picture's is [1, C, H, W]
    picture_size: (width, height) of the picture in whose pixels the regions' boxes are
    """
    if atoms.kind in PICTURE_KINDS:
        height, width = int(leaf_shape[-2]), int(leaf_shape[-1])
        groups = None if atoms.groups is None else atoms.groups.cpu().numpy()
        return _draw(heatmap.spread_groups(values, groups, height, width), "round")
    if atoms.kind == "region" and atoms.boxes is not None:
        return _outline(np.asarray(values, dtype=np.float64), atoms.boxes.cpu().numpy(), picture_size)
    return None


def pixels(values: Any) -> bytes:
    """A map over pixels [H, W] >= 0, for example of a second-order gradient.

    Gradients of single pixels are peaks that the eye does not find: they are smoothed over SMOOTHING of the width, and
    what lies above the STRONGEST quantile is drawn as strong as it. The numbers that are stored keep the raw values.
    raises: BadInput (not [H, W], nan or infinite)
    """
    table = heatmap.checked(values)
    smooth = np.maximum(gaussian_filter(table, SMOOTHING * table.shape[1]), 0.0)
    # Where all but a few pixels are 0, these few are all there is to see.
    return _draw(np.minimum(smooth, np.quantile(smooth, STRONGEST) or smooth.max()), "soft")


def word_levels(values: Any, atoms: Atoms) -> list[dict[str, Any]]:
    """The words with their strength 0..5 relative to the strongest, as JSON-ready rows."""
    levels = words.levels(values)
    return [{"text": name, "level": int(level)} for name, level in zip(atoms.names, levels, strict=True)]


def _outline(values: Any, corners: Any, size: tuple[int, int]) -> bytes:
    """Regions are outlined, not filled: a region's colour may be the very thing that it is about."""
    shown = np.asarray(words.levels(values)) > 0
    upscale = heatmap.display_scale(*size, least=2)
    return boxes.overlay(size, corners[shown], values[shown], upscale=upscale)


def _draw(weights: Any, edges: heatmap.Edges) -> bytes:
    height, width = weights.shape
    return heatmap.overlay(weights, upscale=heatmap.display_scale(width, height), edges=edges)
