"""Stage U by gradients averaged over noisy copies of the sample: SmoothGrad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import count, finite, whole
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.point_gradients import PointGradients, atom_norms, atom_sums, movable, require_finite
from analysis_core.targets import Target
from analysis_core.types import Attribution

#: The mean gradient is kept in this many parts, from which its standard error follows.
_BLOCKS = 16


def smoothgrad(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    samples: int = 50,
    noise: float = 0.15,
    seed: int = 0,
    joint: bool = True,
) -> list[Attribution]:
    """Saliency of the mean gradient over noisy copies of the sample, >= 0. The same copies serve all targets.

    samples: noisy copies
    noise:   standard deviation as a share of the modality's range (largest minus smallest entry); 0.1 to 0.2 is usual
    joint:   noise on all modalities at once; False = on one at a time, `samples` copies for each
    returns: quality: standard_error per modality and atom (None for one copy), sigma per modality
    raises:  BadInput (samples, noise; not finite), MissingCapability (no gradient), UnknownName (layer)
    source:  Smilkov et al. 2017, equation 3
    """
    samples, noise, seed = count("samples", samples), finite("noise", noise), whole("seed", seed)
    if noise < 0:
        raise BadInput(f"noise must be a share of the modality's range from 0 on, not {noise}")
    points = PointGradients(model, sample, targets)
    sigma = {m: noise * _range(points, m) for m in model.modalities}
    groups = [tuple(model.modalities)] if joint else [(m,) for m in model.modalities]
    blocks: list[dict[str, Tensor]] = [{} for _ in points.targets]
    for group in groups:
        for per_target, found in zip(blocks, _block_sums(points, group, sigma, samples, seed), strict=True):
            per_target.update(found)
    sizes = torch.bincount(_block_of(samples), minlength=1).to(torch.float64)
    results = []
    for number, per_target in enumerate(blocks):
        values, errors = {}, {}
        for m in model.modalities:
            values[m], errors[m] = _norm_and_error(points, m, per_target[m], sizes.to(per_target[m].device))
        results.append(
            points.attribution(
                number,
                "smoothgrad",
                values,
                config={"samples": samples, "noise": noise, "seed": seed, "joint": joint},
                evaluations=samples * len(groups),
                sigma=sigma,
                standard_error=errors if samples > 1 else None,
            )
        )
    return results


def _range(points: PointGradients, modality: str) -> float:
    """Largest minus smallest entry of the leaves that belong to atoms."""
    x = points.encoded.x[modality]
    inside = x[movable(points.encoded, modality).expand_as(x)]
    return float(inside.max() - inside.min()) if inside.numel() else 0.0


def _block_of(samples: int) -> Tensor:
    """int64 [samples]: the block that each copy belongs to, in order, of nearly equal sizes."""
    return torch.arange(samples) * min(samples, _BLOCKS) // samples


def _block_sums(
    points: PointGradients, group: Sequence[str], sigma: Mapping[str, float], samples: int, seed: int
) -> list[dict[str, Tensor]]:
    """Per target the gradients of noisy copies added up by block: float64 [blocks, ...] per modality of the group."""
    block = _block_of(samples)
    n_blocks = int(block[-1]) + 1
    x = points.encoded.x
    sums = [
        {m: torch.zeros(n_blocks, *x[m].shape[1:], dtype=torch.float64, device=x[m].device) for m in group}
        for _ in points.targets
    ]

    def noisy(start: int, stop: int) -> dict[str, Tensor]:
        rows = {m: t.expand(stop - start, *t.shape[1:]) for m, t in x.items()}
        for m in group:
            # A generator per copy: the batch size changes no draw.
            draws = [_draw(x[m], generator(seed, "smoothgrad", m, str(i))) for i in range(start, stop)]
            rows[m] = x[m] + sigma[m] * torch.cat(draws) * movable(points.encoded, m)
        return rows

    for start, stop, found in points.at(noisy, samples):
        for total, at in zip(sums, found, strict=True):
            for m in group:
                for b in range(int(block[start]), int(block[stop - 1]) + 1):
                    total[m][b] += at.gradients[m][block[start:stop] == b].sum(0, dtype=torch.float64)
    return sums


def _draw(x: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=random, dtype=torch.float64).to(x)


def _norm_and_error(points: PointGradients, modality: str, sums: Tensor, sizes: Tensor) -> tuple[Tensor, list[float]]:
    """The mean gradient's norm per atom, and its standard error by the delta method.

    Along u = mean / |mean| the blocks' means p_b spread around the norm; their variance, weighted by the blocks' sizes
    n_b, gives Var = sum n_b (p_b - p)^2 / ((blocks - 1) samples).
    """
    samples, mean = float(sizes.sum()), sums.sum(0, keepdim=True) / sizes.sum()
    require_finite(mean, f"the gradient towards {modality!r} is NaN or infinite on a noisy copy: take less noise")
    norm = atom_norms(points.encoded, modality, mean)
    if len(sums) < 2:
        return norm, []
    per_block = sums / sizes.reshape(-1, *([1] * (sums.dim() - 1)))
    along = atom_sums(points.encoded, modality, per_block * mean) / norm.clamp_min(torch.finfo(torch.float64).tiny)
    variance = (sizes.cpu().unsqueeze(1) * (along - norm).square()).sum(0) / ((len(sums) - 1) * samples)
    return norm, variance.sqrt().tolist()
