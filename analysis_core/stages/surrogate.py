"""The weighted ridge regression behind LIME, solved in float64 on one factorisation for all targets.

`lime` and `pairwise_lime` fit with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from analysis_core.errors import BadInput

KERNEL_WIDTH = 0.25
#: As a share of the total weight. A Bernoulli(.5) column has variance .25, so coefficients shrink by about 4 * RIDGE:
#: a linear model's are returned to 1e-5, and rows that do not determine an atom still give a finite answer.
RIDGE = 1e-6
#: The fit keeps about four matrices of rows x unknowns and two of unknowns x unknowns.
MOST_BYTES = 4 * 2**30


@dataclass(frozen=True)
class RidgeFit:
    """coefficients [M, targets], intercepts [targets], weighted R2 per target (None where it is constant).

    standard_errors: [M, targets], how far the coefficients would lie from each other over other draws of the rows
    """

    coefficients: Tensor
    intercepts: Tensor
    r2: list[float | None]
    standard_errors: Tensor


def cosine_kernel(Z: Tensor) -> Tensor:
    """Weights [S] of mask rows [S, M]: sqrt(exp(-d^2 / width^2)), d the cosine distance to the row of ones."""
    distance = 1 - Z.to(torch.float64).mean(dim=1).sqrt()
    return torch.exp(-distance.square() / KERNEL_WIDTH**2).sqrt()


def require_room(rows: int, unknowns: int) -> None:
    """raises: BadInput (the fit would take more than MOST_BYTES)"""
    needed = 8 * unknowns * (4 * rows + 2 * unknowns)
    if needed > MOST_BYTES:
        raise BadInput(
            f"{rows} rows for {unknowns} unknowns would take {needed / 2**30:.0f} GiB: group atoms into larger ones, "
            "preselect fewer, or take fewer samples"
        )


def fit_ridge(Z: Tensor, y: Tensor, weights: Tensor, ridge: float = RIDGE) -> RidgeFit:
    """Minimise sum w (y - a - Z b)^2 + ridge * sum(w) * |b|^2 for every column of y [S, targets].

    Columns are solved one by one on one factorisation: a target's numbers are the same bytes whatever stands beside it.

    source: standard errors: the sandwich for rows drawn at random and residuals of any variance (White 1980), each
            residual divided by 1 - leverage (HC3, MacKinnon & White 1985)
    """
    w = (weights / weights.sum()).unsqueeze(1)
    z_mean = (w * Z).sum(0)
    Zc = Z - z_mean
    normal = Zc.T @ (w * Zc) + ridge * torch.eye(Z.shape[1], dtype=Z.dtype)
    factors = torch.linalg.lu_factor(normal)
    influence = w * torch.linalg.lu_solve(*factors, Zc.T).T
    # A row that alone determines a coefficient has leverage 1 and says nothing about how sure it is.
    free = (1 - w.squeeze(1) - (Zc * influence).sum(1)).clamp_min(1e-6).unsqueeze(1)
    fits = [_fit_column(Zc, z_mean, column.contiguous().unsqueeze(1), w, factors) for column in y.unbind(1)]
    return RidgeFit(
        torch.cat([b for b, _, _, _ in fits], dim=1),
        torch.cat([intercept for _, intercept, _, _ in fits]),
        [r2 for _, _, r2, _ in fits],
        torch.stack([(influence * left / free).square().sum(0).sqrt() for _, _, _, left in fits], dim=1),
    )


def stability(coefficients: Tensor, standard_errors: Tensor) -> float | None:
    """The correlation to expect between these coefficients and those of another seed, 0 to 1; None where all are equal.

    coefficients, standard_errors: any equal shape
    source: reliability of a measurement: the share of the variance between atoms that is not error
    """
    if coefficients.numel() < 2:
        return None
    between = float(coefficients.flatten().var())
    error = float(standard_errors.square().mean())
    if between <= 1e-24 * max(float(coefficients.square().max()), 1e-300):
        return None
    return max(0.0, 1 - error / between)


def _fit_column(
    Zc: Tensor, z_mean: Tensor, y: Tensor, w: Tensor, factors: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, float | None, Tensor]:
    y_mean = (w * y).sum(0)
    yc = y - y_mean
    b = torch.linalg.lu_solve(*factors, Zc.T @ (w * yc))
    residuals = yc - Zc @ b
    left = float((w * residuals.square()).sum())
    spread = float((w * yc.square()).sum())
    # A target that moves by round-off only has no variance to explain.
    flat = spread <= 1e-24 * max(float(y.square().max()), 1e-300)
    return b, y_mean - z_mean @ b, None if flat else 1 - left / spread, residuals
