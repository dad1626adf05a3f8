"""How often each feature takes which value, counted while features stream by (streaming.py), in one pass.

The bins of a feature are as wide as a power of two and lie at its multiples. Where a value falls outside, bins are
merged in pairs until all fit: nothing is counted wrongly, and neither order nor chunks change the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.arguments import count, whole
from analysis_core.errors import BadInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: The narrowest bins, as an exponent of 2, and the most that a value may be in bins: its number stays exact in float64.
_NARROWEST, _FARTHEST = -500, 2.0**50
#: Entries that are counted at once; they stay in a core's cache.
_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Histograms:
    """Bin i of feature j holds the values from low[j] + i width[j] up to, not including, low[j] + (i + 1) width[j].

    counts: int64 [d, bins]; low, width: float64 [d], of which width is a power of 2
    """

    counts: Tensor
    low: Tensor
    width: Tensor

    def edges(self, feature: int) -> Tensor:
        """float64 [bins + 1]. raises: BadInput (no such feature)"""
        if not 0 <= whole("feature", feature) < len(self.low):
            raise BadInput(f"there is no feature {feature}: the histograms have features 0 to {len(self.low) - 1}")
        steps = torch.arange(self.counts.shape[1] + 1, dtype=torch.float64)
        return self.low[feature] + steps * self.width[feature]


class HistogramsSoFar:
    """Counts of the rows that have been added."""

    FIELDS = ("counts", "first", "exponent", "least", "most")

    def __init__(self, bins: int) -> None:
        """raises: BadInput (bins is no whole number of at least 2)"""
        self.bins = bins = count("bins", bins, least=2)
        self.options = {"bins": bins}
        self.counts: Integers = np.zeros((0, bins), dtype=np.int64)
        # Bin 0 of a feature begins at `first` times 2 ** `exponent`.
        self.first: Integers = np.zeros(0, dtype=np.int64)
        self.exponent = self.first
        self.least: Floats = np.zeros(0)
        self.most = self.least

    def add(self, start: int, x: NDArray[Any], y: object = None) -> None:
        """x: [c, d] finite features"""
        if not len(x):
            return
        self._cover(x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64))
        size = max(1, _AT_ONCE // x.shape[1])
        shift = self.bins * np.arange(x.shape[1]) - self.first
        finer = np.ldexp(1.0, -self.exponent)
        for row in range(0, len(x), size):
            number = np.floor(x[row : row + size] * finer)
            number += shift
            found = np.bincount(number.astype(np.int64).ravel(), minlength=self.counts.size)
            self.counts += found.reshape(self.counts.shape)

    def found(self) -> Histograms:
        """raises: BadInput (no rows)"""
        if not len(self.counts):
            raise BadInput("there are no datapoints to count")
        width = np.ldexp(1.0, self.exponent)
        return Histograms(
            counts=torch.from_numpy(self.counts.copy()),
            low=torch.from_numpy(self.first * width),
            width=torch.from_numpy(width),
        )

    def state(self) -> dict[str, Any]:
        """Everything that has been added so far, as arrays."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name in self.FIELDS:
            setattr(self, name, np.array(state[name]))

    def _cover(self, least: Floats, most: Floats) -> None:
        """Widen bins until values from `least` to `most` lie in them too."""
        if not len(self.counts):
            self.counts = np.zeros((len(least), self.bins), dtype=np.int64)
            self.exponent = np.full(len(least), _NARROWEST, dtype=np.int64)
            self.first, self.least, self.most = np.zeros(len(least), dtype=np.int64), least, most
        self.least, self.most = np.minimum(self.least, least), np.maximum(self.most, most)
        exponent = np.maximum(self.exponent, self._at_least())
        while (narrow := self._bin(self.most, exponent) - self._bin(self.least, exponent) >= self.bins).any():
            exponent = exponent + narrow
        first = self._bin(self.least, exponent).astype(np.int64)
        for j in np.flatnonzero((exponent != self.exponent) | (first != self.first)):
            number = (self.first[j] + np.arange(self.bins)) >> (exponent[j] - self.exponent[j])
            counts, filled = np.zeros(self.bins, dtype=np.int64), self.counts[j] > 0
            np.add.at(counts, number[filled] - first[j], self.counts[j][filled])
            self.counts[j] = counts
        self.first, self.exponent = first, exponent

    def _at_least(self) -> Integers:
        """Exponents below which no bins can be as narrow."""
        far = np.maximum(np.abs(self.least), np.abs(self.most)) / _FARTHEST
        with np.errstate(over="ignore"):
            needed = np.frexp(np.maximum((self.most - self.least) / self.bins, far))[1].astype(np.int64) - 1
        return np.maximum(np.where((self.least == 0) & (self.most == 0), _NARROWEST, needed), _NARROWEST)

    @staticmethod
    def _bin(values: Floats, exponent: Integers) -> Floats:
        return np.floor(np.ldexp(values, -exponent))
