"""How similar two explanations of one sample are: by ranks, by their top atoms, and as pictures."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from analysis_core.arguments import finite, one_attribution
from analysis_core.errors import BadInput
from analysis_core.stages.readouts import rank_correlation
from analysis_core.types import Attribution

#: Spearman's rank correlation of the values, of their sizes; share of common top atoms; structural similarity of maps.
MEASURES = ("spearman", "spearman_of_sizes", "top_overlap", "ssim")
#: Side of SSIM's window (its authors' 7 with flat weights); smaller maps take what fits.
_WINDOW = 7


def parts_of(attribution: Attribution) -> dict[str, Tensor]:
    """What is compared: pairs and pixels where there are any, else the values of each modality apart."""
    named = {name: getattr(attribution, name) for name in ("pairs", "pixels")}
    found = {name: t for name, t in named.items() if t is not None}
    return found or {f"values/{m}": t for m, t in attribution.values.items()}


def similarity(one: Attribution, two: Attribution, *, top: float = 0.1) -> dict[str, dict[str, float]]:
    """Part -> MEASURES of two explanations of the same sample; NaN where a measure is undefined.

    top:     share of the atoms (at least one) that count as top ones
    returns: 1 for equal explanations, also where they are constant; ranks are undefined where only one is constant, or
             where a number is not finite; ssim for pixel maps of 3 x 3 and more, each map scaled to a maximum of 1
    raises:  BadInput (explanations of different atoms)
    """
    top = top_share(top)
    a, b = parts_of(one_attribution(one)), parts_of(one_attribution(two))
    if {name: t.shape for name, t in a.items()} != {name: t.shape for name, t in b.items()}:
        raise BadInput("the two explanations are of different atoms: explain the same sample in the same way")
    return {name: _compared(name, a[name], b[name], top) for name in a}


def top_share(top: float) -> float:
    """The share of the atoms that count as top ones. raises: BadInput (not above 0 and at most 1)"""
    if not 0 < (found := finite("top", top)) <= 1:
        raise BadInput(f"top must be a share of the atoms above 0 and at most 1, not {top}")
    return found


def _compared(name: str, a: Tensor, b: Tensor, top: float) -> dict[str, float]:
    if torch.equal(a, b):
        ssim = 1.0 if name == "pixels" else math.nan
        return dict(zip(MEASURES, (1.0, 1.0, 1.0, ssim), strict=True))
    if not bool(a.isfinite().all() and b.isfinite().all()):
        return dict.fromkeys(MEASURES, math.nan)
    return {
        "spearman": rank_correlation(a.flatten(), b.flatten()),
        "spearman_of_sizes": rank_correlation(a.abs().flatten(), b.abs().flatten()),
        "top_overlap": _top_overlap(a.flatten(), b.flatten(), top),
        "ssim": _ssim(a, b) if name == "pixels" else math.nan,
    }


def _top_overlap(a: Tensor, b: Tensor, top: float) -> float:
    k = max(1, round(top * len(a)))
    best = [set(t.argsort(descending=True, stable=True)[:k].tolist()) for t in (a, b)]
    return len(best[0] & best[1]) / k


def _ssim(a: Tensor, b: Tensor) -> float:
    """Mean over the maps [n, H, W]."""
    side = min(_WINDOW, *a.shape[1:])
    side -= 1 - side % 2
    if side < 3:
        return math.nan
    from skimage.metrics import structural_similarity

    found = [
        float(structural_similarity(_scaled(x), _scaled(y), win_size=side, data_range=1.0))
        for x, y in zip(a, b, strict=True)
    ]
    return sum(found) / len(found)


def _scaled(t: Tensor) -> object:
    largest = float(t.abs().max())
    return (t / largest if largest > 0 else t).numpy()
