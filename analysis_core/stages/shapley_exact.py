"""Shapley values and Shapley interaction indices from the values of all coalitions, in float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def shapley_values(Z: Tensor, f: Tensor) -> Tensor:
    """phi [n]: the mean of f(S + i) - f(S) over all orders in which the atoms can come.

    Z: bool [2^n, n], every coalition once; f: float64 [2^n]

    source: Shapley 1953
    """
    n = Z.shape[1]
    size = Z.sum(dim=1)
    weight = _weights(n - 1, 1 / n)
    kept = Z.to(torch.float64)
    # Without the value of nobody, round-off is that of the differences.
    g = f - f[size == 0]
    return kept.T @ (g * weight[size - 1]) - (1 - kept).T @ (g * weight[size.clamp(max=n - 1)])


def interaction_indices(Z: Tensor, f: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """I [len(first), len(second)]: the weighted mean of f(S + i + j) - f(S + i) - f(S + j) + f(S) over S without i, j.

    Z, f:          as in `shapley_values`
    first, second: int64 columns of Z, disjoint

    source: Grabisch & Roubens 1999: S of size s has weight s! (n - s - 2)! / (n - 1)!
    """
    n = Z.shape[1]
    size = Z.sum(dim=1)
    weight = _weights(n - 2, 1 / (n - 1))
    g = f - f[size == 0]

    def weighted(others: Tensor) -> Tensor:
        """g times the weight of coalitions of as many others; those that cannot be are met by a zero of the masks."""
        return (g * weight[others.clamp(0, n - 2)])[:, None]

    a, b = Z[:, first].to(torch.float64), Z[:, second].to(torch.float64)
    both, neither, one = weighted(size - 2), weighted(size), weighted(size - 1)
    return a.T @ (both * b) + (1 - a).T @ (neither * (1 - b)) - a.T @ (one * (1 - b)) - (1 - a).T @ (one * b)


def _weights(n: int, whole: float) -> Tensor:
    """whole / C(n, s) for s = 0 to n."""
    return torch.tensor([whole / math.comb(n, s) for s in range(n + 1)], dtype=torch.float64)
