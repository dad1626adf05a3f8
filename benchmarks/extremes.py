"""Claim: the most and least active datapoints of all features need no sorting."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis_core.stages import representation
from benchmarks.claims import Row, Scale
from benchmarks.feature_matrices import correlated
from benchmarks.measure import interleaved

KEPT = 3


def rows(scale: Scale) -> Iterator[Row]:
    """Milliseconds for all features, in the demo's shape and (paper) in one with ten times as many datapoints."""
    features, _ = correlated(scale)
    matrices = [features]
    if scale == "paper":
        matrices.append(np.random.default_rng(1).normal(size=(64_000, 512)).astype(np.float32))
    repeats = {"small": 2, "paper": 5}[scale]
    for matrix in matrices:
        slow, fast = interleaved(
            partial(by_sorting, matrix),
            partial(representation.extremes, matrix, k=KEPT),
            repeats=repeats,
            name="extremes",
        )
        shape = f"{len(matrix):,} x {matrix.shape[1]}"
        yield Row(f"top and bottom {KEPT}, {shape}", "ms", 1e3 * slow, 1e3 * fast, "float32, row-major, in memory")


def by_sorting(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the KEPT largest and of the KEPT smallest values of every column, each [d, KEPT]."""
    order = matrix.argsort(axis=0)
    return order[-KEPT:][::-1].T, order[:KEPT].T
