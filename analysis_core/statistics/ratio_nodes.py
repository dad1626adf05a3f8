"""Many distinct values at ratio level stand on few nodes, so that sums over all pairs of values need no values^2.

With x = log v the distance ((v - w) / (v + w))^2 is tanh^2 of half the difference of the x: smooth, its nearest pole is
pi away. Values share their weight among the Chebyshev nodes of a cell of width 1 or less (Lagrange interpolation); 14
nodes leave an error below 1e-14 of the largest distance (12.6^-14 by Bernstein's bound, and 2e-15 measured).
Source: Fong and Darve 2009, "The black-box fast multipole method".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis_core.statistics.ratings import Floats, Integers

NODES = 14


@dataclass(frozen=True, eq=False)
class Nodes:
    """points: float64 [n_nodes], logarithms; -inf stands for the value 0.

    first:  int64 [n_values], the first node of each value's cell
    shares: float64 [n_values, NODES], how each value's weight is divided among the nodes from `first` on
    """

    points: Floats
    first: Integers
    shares: Floats

    def distances(self) -> Floats:
        """Between nodes: float64 [n_nodes, n_nodes]."""
        zero = np.isneginf(self.points)
        place = np.where(zero, 0, self.points)
        apart = np.tanh((place[:, None] - place) / 2) ** 2
        apart[zero[:, None] ^ zero] = 1
        return apart

    def matrix(self) -> Any:
        """The shares as a sparse matrix [n_values, n_nodes]."""
        from scipy.sparse import csr_array

        columns = self.first[:, None] + np.arange(NODES)
        used = self.shares != 0
        indices = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
        return csr_array((self.shares[used], columns[used], indices), shape=(len(self.first), len(self.points)))


def ratio_nodes(values: Floats) -> Nodes:
    """Nodes for ascending values of at least 0, at least one of them positive."""
    zeros = int(np.searchsorted(values, 0, side="right"))
    x = _logarithms(values[zeros:])
    width = x[-1] - x[0]
    cells = max(1, int(np.ceil(width)))
    cell = np.minimum((x - x[0]) / max(width, np.finfo(np.float64).tiny) * cells, cells - 1).astype(np.int64)
    occupied, number = np.unique(cell, return_inverse=True)
    half = width / cells / 2
    centre = x[0] + (2 * occupied + 1) * half
    at = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    place = (x - centre[number]) / half if half > 0 else np.zeros(len(x))
    chebyshev = np.polynomial.chebyshev.chebvander
    basis = chebyshev(at, NODES - 1) * np.where(np.arange(NODES) == 0, 1, 2) / NODES
    shares = np.zeros((len(values), NODES))
    shares[:zeros, 0] = 1
    shares[zeros:] = chebyshev(np.clip(place, -1, 1), NODES - 1) @ basis.T
    points = np.concatenate([np.full(NODES * (zeros > 0), -np.inf), (centre[:, None] + half * at).ravel()])
    first = np.concatenate([np.zeros(zeros, dtype=np.int64), (number + (zeros > 0)) * NODES])
    return Nodes(points, first, shares)


def _logarithms(values: Floats) -> Floats:
    """log(v / c) for a value c of the middle: values close to each other keep their difference."""
    middle = values[len(values) // 2]
    near = np.abs(values - middle) < middle / 2
    apart = np.where(near, (values - middle) / middle, 0)
    return np.where(near, np.log1p(apart), np.log(values) - np.log(middle))
