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
#: The solve keeps a matrix of pairs x pairs and a few of pairs x unknowns. For this many rows and values of 40 atoms:
#: 0.25 GB and a few seconds; interactions of 60 atoms, with 1,771 unknowns: 0.6 GB and half a minute.
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
    columns = [column.contiguous().unsqueeze(1) for column in y.unbind(1)]
    orders = _orders(quantities.n)
    some = _enough_to_look(Z, quantities)
    near = _likeliest(Z[some], [column[some] for column in columns], quantities, orders)
    # Of all pairs each target's mean order is known by now; of some pairs its neighbours may be likelier.
    steps = 0 if len(some) == len(Z) else 1
    tried = sorted({k for found in near for k in range(found - steps, found + steps + 1) if 0 <= k < len(orders)})
    likelihoods, chosen = [0.0] * len(columns), [-1] * len(columns)
    values, errors = torch.zeros(2, len(quantities.own), len(columns), dtype=torch.float64)
    pairs = _Pairs(_signs(Z), quantities)
    # Targets are solved before the next factor takes this one's place: the likely orders first, few are in vain.
    for k in sorted(tried, key=lambda k: k not in near):
        system = _System(pairs, orders[k])
        for target, column in enumerate(columns):
            if abs(k - near[target]) > steps:
                continue
            fit = system.fit(column)
            if chosen[target] < 0 or fit.likelihood > likelihoods[target]:
                likelihoods[target], chosen[target] = fit.likelihood, k
                values[:, target], errors[:, target] = system.solve(fit)
    return Kriged(values, errors, [orders[k] for k in chosen])


class _Pairs:
    """What the systems of all mean orders have in common, and the memory that one after the other is factorised in."""

    def __init__(self, signs: Tensor, quantities: Quantities) -> None:
        P, n = signs.shape
        self.signs, self.quantities = signs, quantities
        self.trend = quantities.trend(signs)
        single = signs.to(torch.float32)  # whole numbers and halves: exact
        differing = torch.addmm(torch.tensor([n / 2], dtype=torch.float32), single, single.T, alpha=-0.5)
        self.differing = differing.to(torch.int32).flatten()
        self.room = torch.empty(P * P, dtype=torch.float64)

    def factor(self, kernel: Tensor) -> Tensor:
        """The lower Cholesky factor of the pairs' covariances [P, P], in `room` until the next one is asked for.

        kernel: [n + 1], the covariance of two coalitions that differ in h = 0 to n atoms
        """
        torch.index_select(kernel, 0, self.differing, out=self.room)
        covariance = self.room.view(len(self.signs), -1).T
        covariance.diagonal().add_(NUGGET)
        # Columns lie one after the other, as LAPACK has them: the factor takes the covariances' place.
        return torch.linalg.cholesky(covariance, out=covariance)


@dataclass(frozen=True)
class _Fit:
    """One target, whitened [P, 1], with and without its trend; the interactions' variance; the log likelihood."""

    white: Tensor
    left: Tensor
    variance: float
    likelihood: float


class _System:
    """Generalised least squares for one mean order, factorised once: y = trend b + interactions.

    Of use until the next system of the same pairs is made.
    """

    def __init__(self, pairs: _Pairs, order: float) -> None:
        self.signs, self.quantities = pairs.signs, pairs.quantities
        n = self.quantities.n
        with localcontext(prec=DIGITS):
            self.eta = Decimal(order) / (n - Decimal(order))
            table = self.quantities.kernel(self.eta)
            self.scale = table[0]
            kernel = torch.tensor([float(entry / self.scale) for entry in table], dtype=torch.float64)
        self.L = pairs.factor(kernel)
        self.X = self._whiten(pairs.trend)
        self.Q, self.R = torch.linalg.qr(self.X)
        self.freedom = len(self.signs) - self.quantities.unknowns
        self.determinants = float(2 * self.L.diagonal().log().sum() + 2 * self.R.diagonal().abs().log().sum())

    def fit(self, y: Tensor) -> _Fit:
        """Of y [P, 1]. The likelihood is restricted (trend and variance integrated out), up to a constant."""
        white = self._whiten(y)
        left = white - self.Q @ (self.Q.T @ white)
        # Where the trend is the whole model only round-off is left, which has no likelihood.
        floor = (torch.finfo(y.dtype).eps * max(float(y.abs().max()), 1e-300)) ** 2
        variance = max(float(left.square().sum()) / self.freedom, floor, 1e-300)
        return _Fit(white, left, variance, -0.5 * (self.freedom * math.log(variance) + self.determinants))

    def solve(self, fit: _Fit) -> tuple[Tensor, Tensor]:
        """Estimates and standard errors [quantities]."""
        coefficients = torch.linalg.solve_triangular(self.R, self.Q.T @ fit.white, upper=True).squeeze(1)
        reach, shape = self._reach
        own = coefficients[self.quantities.own]
        return own + reach.T @ fit.left.squeeze(1), shape * math.sqrt(fit.variance)

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

    def _whiten(self, t: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(self.L, t, upper=False)


def _likeliest(Z: Tensor, columns: list[Tensor], quantities: Quantities, orders: Sequence[float]) -> list[int]:
    """For each target the place of the mean order with the largest restricted likelihood."""
    pairs, scores = _Pairs(_signs(Z), quantities), []
    for order in orders:
        system = _System(pairs, order)
        scores.append([system.fit(column).likelihood for column in columns])
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
