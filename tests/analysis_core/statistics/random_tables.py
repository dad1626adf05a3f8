"""Rating tables of every shape that alpha has to take, and alpha by the krippendorff package without its traps."""

from __future__ import annotations

from collections.abc import Iterator

import krippendorff
import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]


def answers(raters: int, units: int, *, missing: float = 0.1, values: int = 4, seed: int = 0) -> Table:
    """Correlated answers 1 to `values`, nan where missing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, values + 1, units)
    noise = rng.integers(1, values + 1, (raters, units))
    table = np.where(rng.random((raters, units)) < 0.6, truth, noise).astype(np.float64)
    table[rng.random(table.shape) < missing] = np.nan
    return table


def odd_tables() -> Iterator[Table]:
    """1 to 7 raters, 1 to 11 units, 1 to 6 values at three distances from zero, none to most answers missing."""
    rng = np.random.default_rng(0)
    for _ in range(150):
        raters, units, values = (int(rng.integers(1, most)) for most in (8, 12, 7))
        table = rng.integers(0, values, (raters, units)) * rng.choice([1, 0.37, 1000]) + rng.choice([0, 1, 5000])
        table[rng.random(table.shape) < rng.choice([0, 0.2, 0.6])] = np.nan
        yield table


def by_package(table: Table, level: str) -> float:
    """Alpha by the package; nan where it raises or gives nan, as fewer than two values can be compared."""
    comparable = table[:, (~np.isnan(table)).sum(axis=0) >= 2]
    if len(np.unique(comparable[~np.isnan(comparable)])) < 2:
        return float("nan")
    return float(krippendorff.alpha(comparable, level_of_measurement=level))
