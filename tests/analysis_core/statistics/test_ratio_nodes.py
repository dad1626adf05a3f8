"""Nodes that stand for many values at ratio level: distances between nodes give the distances between values."""

from __future__ import annotations

import numpy as np
import pytest

from analysis_core.statistics.disagreement import ratio_distance
from analysis_core.statistics.ratio_nodes import ratio_nodes

CASES = {
    "a slider from 0 to 100": np.arange(101.0),
    "times of reaction": np.sort(np.random.default_rng(0).lognormal(6, 0.5, 1_500)),
    "next to each other": 1 + np.sort(np.random.default_rng(1).random(800)) * 1e-4,
    "a distant one": np.concatenate([np.sort(np.random.default_rng(2).random(500)), [1e6]]),
    "all of the range": np.exp(np.arange(-300, 300, 1.7)),
    "zero and another": np.array([0.0, 3.0]),
    "one pair": np.array([2.0, 3.0]),
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES.keys())
def test_nodes_keep_distances_and_weights(values: np.ndarray) -> None:
    nodes = ratio_nodes(values)
    shares = nodes.matrix().toarray()
    exact = ratio_distance(values[:, None], values)
    assert np.abs(shares @ nodes.distances() @ shares.T - exact).max() < 5e-14 * exact.max()
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-14)


def test_there_are_fewer_nodes_than_values() -> None:
    # 1 to 100 spans 4.6 powers of e: five cells of 14 nodes, and 14 for zero.
    assert len(ratio_nodes(CASES["a slider from 0 to 100"]).points) == 84
    assert len(ratio_nodes(CASES["times of reaction"]).points) < 100
