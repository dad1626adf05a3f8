"""What kriging estimates: Shapley values or interaction indices, their trend, and how interactions reach them.

An interaction of d atoms is a product of d signs with variance eta^d, so that sums over all interactions are products
over atoms, and covariances depend only on how many atoms coalitions share. `shapley_kriging` solves with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate, repeat
from operator import mul

import numpy as np
import torch
from torch import Tensor

#: Legendre nodes; exact up to twice as many atoms, and beyond far below the nugget.
MOST_NODES = 64


@dataclass(frozen=True)
class ShapleyValues:
    """The Shapley values of n atoms. They depend on (f(S) - f(not S)) / 2 alone, and its trend is additive."""

    n: int

    @property
    def unknowns(self) -> int:
        """Columns of the trend."""
        return self.n

    @cached_property
    def own(self) -> Tensor:
        """The trend's columns whose coefficients are the trend's share of the quantities."""
        return torch.arange(self.n)

    def trend(self, signs: Tensor) -> Tensor:
        """[P, unknowns] from signs [P, n], +1 kept and -1 absent."""
        return signs / 2

    def kernel(self, eta: Decimal) -> list[Decimal]:
        """Covariance of the odd interactions, order 3 and up, of two coalitions that differ in h = 0 to n atoms."""
        n = self.n
        return [(up - down) / 2 - eta * (n - 2 * h) for h, (up, down) in enumerate(_products(n, eta))]

    def reach(self, signs: Tensor, eta: Decimal, scale: Decimal) -> Tensor:
        """Covariance [P, quantities] of the quantities with the observations, divided by scale."""
        table = _mean_even(self.n - 1, eta, 2 * eta / scale)
        plus = ((signs.sum(dim=1) + self.n) / 2)[:, None] - (signs > 0).to(torch.float64)
        return signs * table[plus.long()]

    def spread(self, eta: Decimal) -> Decimal:
        """Variance of each quantity's share of the interactions: an interaction of order d gives 2 / d to each."""
        n = self.n
        return sum((math.comb(n - 1, d - 1) * eta**d * 4 / d**2 for d in range(3, n + 1, 2)), Decimal(0))


@dataclass(frozen=True)
class InteractionIndices:
    """Shapley interaction indices between atoms 0 to n_first - 1 and the other atoms of n, row by row.

    They depend on (f(S) + f(not S)) / 2 alone, and its trend holds every pair of atoms.
    """

    n: int
    n_first: int

    @property
    def unknowns(self) -> int:
        """Columns of the trend."""
        return 1 + math.comb(self.n, 2)

    @cached_property
    def own(self) -> Tensor:
        """The trend's columns whose coefficients are the trend's share of the quantities."""
        i, j = torch.triu_indices(self.n, self.n, offset=1)
        return 1 + ((i < self.n_first) & (j >= self.n_first)).nonzero().squeeze(1)

    def trend(self, signs: Tensor) -> Tensor:
        """[P, unknowns] from signs [P, n]; its coefficients are interactions in terms of kept (1) and absent (0)."""
        i, j = torch.triu_indices(self.n, self.n, offset=1)
        return torch.cat([torch.ones_like(signs[:, :1]), signs[:, i] * signs[:, j] / 4], dim=1)

    def kernel(self, eta: Decimal) -> list[Decimal]:
        """Covariance of the even interactions, order 4 and up, of two coalitions that differ in h = 0 to n atoms."""
        n = self.n
        return [
            (up + down) / 2 - 1 - eta**2 * ((n - 2 * h) ** 2 - n) / 2 for h, (up, down) in enumerate(_products(n, eta))
        ]

    def reach(self, signs: Tensor, eta: Decimal, scale: Decimal) -> Tensor:
        """Covariance [P, quantities] of the quantities with the observations, divided by scale."""
        table = _mean_even(self.n - 2, eta, 4 * eta**2 / scale)
        a, b = signs[:, : self.n_first, None], signs[:, None, self.n_first :]
        kept = ((signs.sum(dim=1) + self.n) / 2)[:, None, None] - (a > 0).to(torch.float64) - (b > 0).to(torch.float64)
        return (a * b * table[kept.long()]).flatten(1)

    def spread(self, eta: Decimal) -> Decimal:
        """Variance of each quantity's share of the interactions: one of order d gives 4 / (d - 1) to each pair."""
        n = self.n
        terms = (math.comb(n - 2, d - 2) * eta**d * 16 / (d - 1) ** 2 for d in range(4, n + 1, 2))
        return sum(terms, Decimal(0))


Quantities = ShapleyValues | InteractionIndices


def _products(n: int, eta: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Products of 1 + eta s t, and of 1 - eta s t, over atoms of which h = 0 to n have s t = -1."""
    up, down = _powers(1 + eta, n), _powers(1 - eta, n)
    return [(up[n - h] * down[h], down[n - h] * up[h]) for h in range(n + 1)]


def _powers(base: Decimal, n: int) -> list[Decimal]:
    return list(accumulate(repeat(base, n), mul, initial=Decimal(1)))


def _mean_even(n: int, eta: Decimal, factor: Decimal) -> Tensor:
    """For p = 0 to n of n atoms kept: factor times the mean over t in (0, 1) of prod (1 + t eta s), even orders from 2.

    The integral of t^d is 1 / (d + 1): that is how an interaction is divided among its atoms.
    """
    nodes, weights = np.polynomial.legendre.leggauss(min(n // 2 + 1, MOST_NODES))
    # Even orders are alike for p and n - p.
    sums, constant = [Decimal(0)] * (n // 2 + 1), Decimal(0)
    for node, weight in zip(map(Decimal, nodes.tolist()), map(Decimal, weights.tolist()), strict=True):
        up, down = _powers(1 + eta * (node + 1) / 2, n), _powers(1 - eta * (node + 1) / 2, n)
        constant += weight / 2
        for p in range(n // 2 + 1):
            sums[p] += weight * (up[p] * down[n - p] + up[n - p] * down[p])
    means = [float(factor * (both / 4 - constant)) for both in sums]
    return torch.tensor([means[min(p, n - p)] for p in range(n + 1)], dtype=torch.float64)
