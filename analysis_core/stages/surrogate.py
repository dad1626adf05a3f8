"""The weighted ridge regression behind LIME, solved in float64 on one factorisation for all targets."""

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
    """Minimise sum w (y - a - Z b)^2 + RIDGE * sum(w) * |b|^2 for every column of y [S, targets].

    Columns are solved one by one on one factorisation: a target's numbers are the same bytes whatever stands beside it.
    """
    w = (weights / weights.sum()).unsqueeze(1)
    z_mean = (w * Z).sum(0)
    Zc = Z - z_mean
    normal = Zc.T @ (w * Zc) + RIDGE * torch.eye(Z.shape[1], dtype=Z.dtype)
    factors = torch.linalg.lu_factor(normal)
    fits = [_fit_column(Zc, z_mean, column.contiguous().unsqueeze(1), w, factors) for column in y.unbind(1)]
    return RidgeFit(
        torch.cat([b for b, _, _ in fits], dim=1),
        torch.cat([intercept for _, intercept, _ in fits]),
        [r2 for _, _, r2 in fits],
    )


def _fit_column(
    Zc: Tensor, z_mean: Tensor, y: Tensor, w: Tensor, factors: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, float | None]:
    y_mean = (w * y).sum(0)
    yc = y - y_mean
    b = torch.linalg.lu_solve(*factors, Zc.T @ (w * yc))
    left = float((w * (yc - Zc @ b).square()).sum())
    spread = float((w * yc.square()).sum())
    # A target that moves by round-off only has no variance to explain.
    flat = spread <= 1e-24 * max(float(y.square().max()), 1e-300)
    return b, y_mean - z_mean @ b, None if flat else 1 - left / spread
