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
    """coefficients [M, targets], intercepts [targets].

    r2:              per target, weighted, leave-one-out: each row predicted by the fit to the others, beside their
                     mean. 1 at best, 0 where the fit says no more than the mean, below 0 where it says less; None
                     where the target is constant
    r2_in_sample:    of the rows fitted to, never below 0: with few rows for each column it is high whatever the target
    standard_errors: [M, targets], how far the coefficients would lie from each other over other draws of the rows
    """

    coefficients: Tensor
    intercepts: Tensor
    r2: list[float | None]
    r2_in_sample: list[float | None]
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
            residual divided by 1 - leverage (HC3, MacKinnon & White 1985); that quotient is what is left of a row by
            the fit without it (Allen 1974, PRESS), exactly so with the ridge held fixed
    """
    w = (weights / weights.sum()).unsqueeze(1)
    z_mean = (w * Z).sum(0)
    Zc = Z - z_mean
    normal = Zc.T @ (w * Zc) + ridge * torch.eye(Z.shape[1], dtype=Z.dtype)
    factors = torch.linalg.lu_factor(normal)
    influence = w * torch.linalg.lu_solve(*factors, Zc.T).T
    # 1 - leverage. Of a row that alone determines a coefficient the ridge leaves as little as of its residual.
    free = (1 - w.squeeze(1) - (Zc * influence).sum(1)).clamp_min(1e-13).unsqueeze(1)
    fits = [_fit_column(Zc, z_mean, column.contiguous().unsqueeze(1), w, free, factors) for column in y.unbind(1)]
    return RidgeFit(
        torch.cat([fit.b for fit in fits], dim=1),
        torch.cat([fit.intercept for fit in fits]),
        [fit.r2 for fit in fits],
        [fit.r2_in_sample for fit in fits],
        torch.stack([(influence * fit.left_out).square().sum(0).sqrt() for fit in fits], dim=1),
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


@dataclass(frozen=True)
class _Column:
    """One target's fit; left_out [S, 1]: each row's value less the prediction of the fit to all others."""

    b: Tensor
    intercept: Tensor
    r2: float | None
    r2_in_sample: float | None
    left_out: Tensor


def _fit_column(
    Zc: Tensor, z_mean: Tensor, y: Tensor, w: Tensor, free: Tensor, factors: tuple[Tensor, Tensor]
) -> _Column:
    y_mean = (w * y).sum(0)
    yc = y - y_mean
    b = torch.linalg.lu_solve(*factors, Zc.T @ (w * yc))
    residuals = yc - Zc @ b
    left_out = residuals / free
    # A target that moves by round-off only has no variance to explain.
    flat = float((w * yc.square()).sum()) <= 1e-24 * max(float(y.square().max()), 1e-300)
    return _Column(
        b,
        y_mean - z_mean @ b,
        None if flat else _explained(left_out, yc / (1 - w), w),
        None if flat else _explained(residuals, yc, w),
        left_out,
    )


def _explained(left: Tensor, spread: Tensor, w: Tensor) -> float:
    """The share of weighted squares [S, 1] that is not left."""
    return 1 - float((w * left.square()).sum()) / float((w * spread.square()).sum())
