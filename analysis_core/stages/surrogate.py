"""The weighted ridge regression behind LIME, solved in float64 for all targets at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

KERNEL_WIDTH = 0.25
#: As a share of the total weight. A Bernoulli(.5) column has variance .25, so coefficients shrink by about 4 * RIDGE:
#: a linear model's are returned to 1e-5, and rows that do not determine an atom still give a finite answer.
RIDGE = 1e-6


@dataclass(frozen=True)
class RidgeFit:
    """coefficients [M, targets], intercepts [targets], weighted R2 per target (None where it is constant)."""

    coefficients: Tensor
    intercepts: Tensor
    r2: list[float | None]


def cosine_kernel(Z: Tensor) -> Tensor:
    """Weights [S] of mask rows [S, M]: sqrt(exp(-d^2 / width^2)), d the cosine distance to the row of ones."""
    distance = 1 - Z.to(torch.float64).mean(dim=1).sqrt()
    return torch.exp(-distance.square() / KERNEL_WIDTH**2).sqrt()


def fit_ridge(Z: Tensor, y: Tensor, weights: Tensor) -> RidgeFit:
    """Minimise sum w (y - a - Z b)^2 + RIDGE * sum(w) * |b|^2 for every column of y [S, targets]."""
    total = weights.sum()
    w = (weights / total).unsqueeze(1)
    z_mean, y_mean = (w * Z).sum(0), (w * y).sum(0)
    Zc, yc = Z - z_mean, y - y_mean
    normal = Zc.T @ (w * Zc) + RIDGE * torch.eye(Z.shape[1], dtype=Z.dtype)
    b = torch.linalg.solve(normal, Zc.T @ (w * yc))
    left = (w * (yc - Zc @ b).square()).sum(0)
    spread = (w * yc.square()).sum(0)
    # A target that moves by round-off only has no variance to explain.
    flat = spread <= 1e-24 * y.square().amax(0).clamp_min(1e-300)
    r2 = [None if f else float(1 - e / s) for f, e, s in zip(flat, left, spread, strict=True)]
    return RidgeFit(b, y_mean - z_mean @ b, r2)
