"""Claim: the most and least active datapoints of all features need no sorting, and no pass of their own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis_core.stages import representation
from benchmarks import sparse_at_scale
from benchmarks.claims import Row, Scale
from benchmarks.feature_matrices import VQA_CLASSES, VQA_FEATURES, as_large_as_vqa, correlated
from benchmarks.measure import interleaved, timed

KEPT = 3
#: Of VQA 2.0's datapoints: the whole, and parts that show how the cost grows.
SHARES = {"small": (1 / 512,), "paper": (1.0, 1 / 4, 1 / 16)}


def rows(scale: Scale) -> Iterator[Row]:
    """Milliseconds for all features, in the demo's shape and (paper) in one with ten times as many datapoints."""
    features, _ = correlated(scale)
    matrices = [features]
    if scale == "paper":
        matrices.append(np.random.default_rng(1).normal(size=(64_000, 512)).astype(np.float32))
    repeats = {"small": 2, "paper": 5}[scale]
    yield from fused(scale)
    for matrix in matrices:
        slow, fast = interleaved(
            partial(by_sorting, matrix),
            partial(representation.extremes, matrix, k=KEPT),
            repeats=repeats,
            name="extremes",
        )
        shape = f"{len(matrix):,} x {matrix.shape[1]}"
        yield Row(f"top and bottom {KEPT}, {shape}", "ms", 1e3 * slow, 1e3 * fast, "float32, row-major, in memory")


def fused(scale: Scale) -> Iterator[Row]:
    """Seconds that extremes and histograms add to the Gram pass at VQA's size, and at parts of it."""
    classes, sorted_columns = {"small": (100, 2), "paper": (VQA_CLASSES, 8)}[scale]
    columns = np.concatenate([x[:, :sorted_columns] for x, _ in as_large_as_vqa(SHARES[scale][0], classes=classes)])
    usual = timed(partial(by_sorting, columns)) * VQA_FEATURES / sorted_columns
    for share in SHARES[scale]:
        yield from _added(share, classes, usual if share == SHARES[scale][0] else None, sorted_columns)


def _added(share: float, classes: int, usual: float | None, sorted_columns: int) -> Iterator[Row]:
    found = sparse_at_scale.run(share, classes=classes, everything=True)
    shape = f"{found['rows']:,} x {VQA_FEATURES}"
    note = f"added to a Gram pass of {found['read'] - found['extremes'] - found['histograms']:.3g} s"
    many = "" if usual is None else f"; usual: {sorted_columns} features, multiplied"
    cpu = f"CPU {found['extremes_cpu']:.2g} s, "
    yield Row(f"top and bottom {KEPT}, {shape}", "s", usual, found["extremes"], f"{cpu}{note}{many}")
    cpu = f"CPU {found['histograms_cpu']:.2g} s, "
    yield Row(f"histograms of 32 bins, {shape}", "s", None, found["histograms"], f"{cpu}{note}")


def by_sorting(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the KEPT largest and of the KEPT smallest values of every column, each [d, KEPT]."""
    order = matrix.argsort(axis=0)
    return order[-KEPT:][::-1].T, order[:KEPT].T
