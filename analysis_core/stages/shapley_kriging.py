"""Shapley values and interaction indices from some pairs of complements: regression with random interactions (kriging).

KernelSHAP treats what an additive model leaves over as noise. It is no noise: the interactions are a function of the
coalition, equal at every visit and alike for coalitions that are alike. Here they are a random function on the cube,
and the quantities are estimated together with it. docs/methods/games.md has the formulas and their sources.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.seeds import generator
from analysis_core.stages import coalitions
from analysis_core.stages.shapley_quantities import Quantities

#: Mean orders of interactions that are tried; the last one, as a share of the atoms, is noise without any structure.
ORDERS, NOISE = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0), 0.485
#: Pairs that tell where the likeliest mean order lies; all pairs then decide among it and its neighbours.
LEAST_TO_LOOK = 300
#: Share of the interactions' variance added to each observation: keeps the factorisation stable, far below any use.
NUGGET = 1e-9
#: Digits of decimals: the leading orders, which the trend holds, would cancel to the last digits of a float.
DIGITS = 40
#: The solve keeps a few matrices of pairs x pairs: 0.7 GB for this many rows, and half a minute.
MOST_EVALUATIONS = 8192
#: Draws of rows until one determines every unknown; a second is hardly ever needed.
DRAWS = 20


@dataclass(frozen=True)
class Kriged:
    """values, standard_errors [quantities, targets]; the mean order of interactions that fits best, per target."""

    values: Tensor
    standard_errors: Tensor
    orders: list[float]


def _determined(Z: Tensor, quantities: Quantities) -> bool:
    R = torch.linalg.qr(quantities.trend(_signs(Z)), mode="r").R
    diagonal = R.diagonal().abs()
    return len(Z) > quantities.unknowns and bool(diagonal.min() > 1e-9 * diagonal.max())


def draw(quantities: Quantities, evaluations: int, seed: int, purpose: str) -> Tensor:
    """Rows for a sampled estimate, one of each pair of complements: bool [evaluations // 2, n].

    raises: BadInput (too few to determine the unknowns, or too many to solve)
    """
    fewest = 2 * (quantities.unknowns + 2)
    if fewest > MOST_EVALUATIONS:
        raise BadInput(
            f"{quantities.n} atoms leave {quantities.unknowns} unknowns, more than can be solved for "
            f"({MOST_EVALUATIONS // 2 - 2}): group atoms into larger ones, or preselect fewer"
        )
    if evaluations < fewest:
        raise BadInput(f"{evaluations} evaluations do not determine {quantities.n} atoms: take at least {fewest}")
    if evaluations > MOST_EVALUATIONS:
        raise BadInput(f"{evaluations} evaluations cannot be solved together: take at most {MOST_EVALUATIONS}")
    for attempt in range(DRAWS):
        Z = coalitions.halves(quantities.n, evaluations // 2, generator(seed, purpose, str(attempt)))
        if _determined(Z, quantities):
            return Z
    raise BadInput(f"{evaluations} evaluations do not determine {quantities.n} atoms: take some more")


def krige(Z: Tensor, y: Tensor, quantities: Quantities) -> Kriged:
    """The quantities' best linear unbiased estimates, for interactions of the mean order that fits each target best.

    Z: bool [P, n], one of each pair of complements, more than the trend has unknowns
    y: float64 [P, targets], half the difference (values) or half the sum (interactions) of each pair

    Targets are solved one by one: each one's numbers are the same bytes whatever stands beside it.
    """
    signs = _signs(Z)
    columns = [column.contiguous().unsqueeze(1) for column in y.unbind(1)]
    orders = _orders(quantities.n)
    some = _enough_to_look(Z, quantities)
    if len(some) < len(Z):
        near = _likeliest(signs[some], [column[some] for column in columns], quantities, orders)
        orders = [order for k, order in enumerate(orders) if any(abs(k - found) <= 1 for found in near)]
    best = _likeliest(signs, columns, quantities, orders)
    values, errors = torch.zeros(2, len(quantities.own), len(columns), dtype=torch.float64)
    for chosen in sorted(set(best)):
        system = _System(signs, quantities, orders[chosen])
        for k, column in enumerate(columns):
            if best[k] == chosen:
                values[:, k], errors[:, k] = system.solve(column)
    return Kriged(values, errors, [orders[chosen] for chosen in best])


class _System:
    """Generalised least squares for one mean order, factorised once: y = trend b + interactions."""

    def __init__(self, signs: Tensor, quantities: Quantities, order: float) -> None:
        n = quantities.n
        self.signs, self.quantities = signs, quantities
        with localcontext(prec=DIGITS):
            self.eta = Decimal(order) / (n - Decimal(order))
            table = quantities.kernel(self.eta)
            self.scale = table[0]
            kernel = torch.tensor([float(entry / self.scale) for entry in table], dtype=torch.float64)
        covariance = kernel[((n - signs @ signs.T) / 2).round().long()]
        covariance.diagonal().add_(NUGGET)
        self.L = torch.linalg.cholesky(covariance)
        self.X = self._whiten(quantities.trend(signs))
        self.Q, self.R = torch.linalg.qr(self.X)
        self.freedom = len(signs) - quantities.unknowns

    def restricted_likelihood(self, y: Tensor) -> float:
        """Log, up to a constant, of the likelihood of y [P, 1] with the trend and the variance integrated out."""
        _, variance = self._residuals(y)
        determinants = 2 * self.L.diagonal().log().sum() + 2 * self.R.diagonal().abs().log().sum()
        return -0.5 * (self.freedom * math.log(variance) + float(determinants))

    def solve(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Estimates and standard errors [quantities]."""
        own = self.quantities.own
        left, variance = self._residuals(y)
        coefficients = torch.linalg.solve_triangular(self.R, self.Q.T @ self._whiten(y), upper=True).squeeze(1)
        reach, shape = self._reach
        return coefficients[own] + reach.T @ left.squeeze(1), shape * math.sqrt(variance)

    @cached_property
    def _reach(self) -> tuple[Tensor, Tensor]:
        """Whitened covariances with the quantities [P, quantities], and standard errors for a variance of 1."""
        quantities = self.quantities
        with localcontext(prec=DIGITS):
            reach = self._whiten(quantities.reach(self.signs, self.eta, self.scale))
            spread = float(quantities.spread(self.eta) / self.scale)
        unbiased = -self.X.T @ reach
        unbiased[quantities.own, torch.arange(len(quantities.own))] += 1
        trend = torch.linalg.solve_triangular(self.R.T, unbiased, upper=False)
        shape = spread - reach.square().sum(dim=0) + trend.square().sum(dim=0)
        return reach, shape.clamp_min(0).sqrt()

    def _residuals(self, y: Tensor) -> tuple[Tensor, float]:
        """What the trend leaves over, whitened [P, 1], and the variance of the interactions."""
        white = self._whiten(y)
        left = white - self.Q @ (self.Q.T @ white)
        # Where the trend is the whole model only round-off is left, which has no likelihood.
        floor = (torch.finfo(y.dtype).eps * max(float(y.abs().max()), 1e-300)) ** 2
        return left, max(float(left.square().sum()) / self.freedom, floor, 1e-300)

    def _whiten(self, t: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(self.L, t, upper=False)


def _likeliest(signs: Tensor, columns: list[Tensor], quantities: Quantities, orders: Sequence[float]) -> list[int]:
    """For each target the place of the mean order with the largest restricted likelihood."""
    scores = []
    for order in orders:
        system = _System(signs, quantities, order)
        scores.append([system.restricted_likelihood(column) for column in columns])
    return torch.tensor(scores, dtype=torch.float64).argmax(dim=0).tolist()


def _enough_to_look(Z: Tensor, quantities: Quantities) -> Tensor:
    """Rows of every so many pairs, of all sizes alike: solving takes their cube."""
    step = max(1, len(Z) // max(LEAST_TO_LOOK, 2 * quantities.unknowns))
    some = torch.arange(0, len(Z), step)
    return some if _determined(Z[some], quantities) else torch.arange(len(Z))


def _signs(Z: Tensor) -> Tensor:
    return 2 * Z.to(torch.float64) - 1


def _orders(n: int) -> Sequence[float]:
    return sorted({min(order, NOISE * n) for order in (*ORDERS, NOISE * n)})
