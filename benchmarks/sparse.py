"""Claim: the exact path of every class costs less than a grid of approximate solutions (sklearn's enet_path).

Both get the standardised Gram matrix; the grid has 100 steps and ends where ours does, at 30 features.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from analysis_core.stages import gram, homotopy
from analysis_core.stages.gram import Matrix
from analysis_core.stages.prediction import sparse_path
from benchmarks.claims import Row, Scale
from benchmarks.feature_matrices import correlated, one_against_rest
from benchmarks.measure import alone, interleaved

MOST, GRID = 30, 100


def rows(scale: Scale) -> Iterator[Row]:
    """Milliseconds per class on a few classes, and all classes with the Gram pass in one call (ours alone)."""
    features, classes = correlated(scale)
    few, repeats = {"small": (2, 2), "paper": (8, 5)}[scale]
    chosen = np.argsort(-np.bincount(classes), kind="stable")[:few]
    data = gram.moments(features, classes)
    solved = {k: homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=0.0, most=MOST) for k in chosen}
    standardised = np.asfortranarray((features - data.mean) / data.scale)

    def usual() -> None:
        for k, path in solved.items():
            on_a_grid(standardised, one_against_rest(classes, int(k)), data.gram, data.cross[:, k], path.knots)

    def ours() -> None:
        for k in chosen:
            homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=0.0, most=MOST)

    slow, fast = interleaved(usual, ours, repeats=repeats, name="sparse path")
    yield Row(
        f"path of one class, {len(features):,} x {features.shape[1]}",
        "ms",
        1e3 * slow / few,
        1e3 * fast / few,
        f"{few} most frequent classes; {GRID} steps against every knot",
    )
    whole = alone(lambda: sparse_path(features, classes), repeats=repeats, name="all paths")
    yield Row(f"all {classes.max() + 1} classes, Gram pass included", "s", None, whole, "float64, KKT check included")


def on_a_grid(
    standardised: Matrix, y: NDArray[Any], gram_matrix: Matrix, cross: Matrix, knots: NDArray[Any]
) -> NDArray[Any]:
    """Coefficients [d, GRID] by coordinate descent, l1 from the first of our knots down to the last."""
    n = len(standardised)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, coefficients, _ = enet_path(
            standardised,
            y,
            l1_ratio=1.0,
            alphas=np.geomspace(knots[0], knots[-1], GRID),
            precompute=n * gram_matrix,
            Xy=n * cross,
            check_input=False,
        )
    return np.asarray(coefficients)
