"""Models that are nothing but a set function over the atoms of two modalities, and set functions to give them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from analysis_core.types import Encoded, Output
from tests.analysis_core.toys import named, random

SetFunction = Callable[[Tensor], Tensor]


class Game:
    """logit 0 = f(Z), logit 1 = -f(Z) / 2, with Z float64 [B, n_a + n_b], 1 where an atom is present."""

    modalities = ("a", "b")

    def __init__(self, f: SetFunction, n_a: int, n_b: int) -> None:
        self.f, self.sizes = f, {"a": n_a, "b": n_b}
        self.rows = 0

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        x = {m: torch.ones(1, n, 1, dtype=torch.float64) for m, n in self.sizes.items()}
        return Encoded(x, {}, {m: named(n) for m, n in self.sizes.items()})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        self.rows += len(x["a"])
        Z = torch.cat([x["a"], x["b"]], dim=1).squeeze(2)
        f = self.f(Z)
        return Output(torch.stack([f, -f / 2], dim=1), Z)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


def table(n: int, seed: int = 0) -> SetFunction:
    """Independent normal values for all 2^n coalitions: interactions of every order, nothing smooth about them."""
    values = random(2**n, seed=seed)
    return lambda Z: values[(Z.long() * 2 ** torch.arange(n)).sum(1)]


def network(n: int, seed: int = 0, scale: float = 1.5) -> SetFunction:
    """A random network of two hidden layers of tanh units."""
    W, V, u = random(n, 32, seed=seed), random(32, 32, seed=seed + 100), random(32, seed=seed + 200)
    return lambda Z: ((Z @ W * scale / n**0.5).tanh() @ V * scale / 32**0.5).tanh() @ u


def attention(n: int, seed: int = 0) -> SetFunction:
    """The log of summed exponentials of the products of two halves' features: the second half answers the first."""
    half = n // 2
    scores = 2 * random(half, 6, seed=seed).tanh() @ random(6, n - half, seed=seed + 100).tanh()
    return lambda Z: torch.logsumexp((Z[:, :half, None] * Z[:, None, half:] * scores).flatten(1), dim=1)


def of(f: SetFunction, n: int, members: tuple[int, ...]) -> float:
    """The value of one coalition."""
    Z = torch.zeros(1, n, dtype=torch.float64)
    Z[0, list(members)] = 1
    return float(f(Z))


def of_all(f: SetFunction, n: int) -> dict[tuple[int, ...], float]:
    """The value of every coalition by its members."""
    members = [c for size in range(n + 1) for c in itertools.combinations(range(n), size)]
    Z = torch.tensor([[float(i in c) for i in range(n)] for c in members], dtype=torch.float64)
    return dict(zip(members, f(Z).tolist(), strict=True))


def shapley_by_definition(f: SetFunction, n: int) -> Tensor:
    """Marginal contributions over all coalitions, one by one."""
    values = of_all(f, n)
    phi = torch.zeros(n, dtype=torch.float64)
    for c, value in values.items():
        for i in set(range(n)) - set(c):
            weight = math.factorial(len(c)) * math.factorial(n - len(c) - 1) / math.factorial(n)
            phi[i] += weight * (values[tuple(sorted((*c, i)))] - value)
    return phi


def interactions_by_definition(f: SetFunction, n: int) -> Tensor:
    """Shapley interaction indices [n, n] over all coalitions, one by one; 0 on the diagonal."""
    values = of_all(f, n)
    found = torch.zeros(n, n, dtype=torch.float64)
    for c, value in values.items():
        for i, j in itertools.combinations(sorted(set(range(n)) - set(c)), 2):
            weight = math.factorial(len(c)) * math.factorial(n - len(c) - 2) / math.factorial(n - 1)
            both, one, other = (tuple(sorted((*c, *more))) for more in ((i, j), (i,), (j,)))
            found[i, j] += weight * (values[both] - values[one] - values[other] + value)
    return found + found.T
