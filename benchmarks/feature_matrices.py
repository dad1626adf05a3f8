"""Feature matrices in the shape of the demo's training split, for claims that need no model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims import Scale

#: Datapoints, features and classes of the demo (fixtures/clevr_demo, train; fixtures/checkpoints/clevr_cnn_lstm_sa).
POINTS, FEATURES, CLASSES = 6400, 512, 97


def correlated(scale: Scale, *, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Correlated float32 features [n, d], and the class [n] that a sparse linear model predicts from them."""
    random = np.random.default_rng(seed)
    n = {"small": 1600, "paper": POINTS}[scale]
    mixing = np.eye(FEATURES) + random.normal(size=(FEATURES, FEATURES)) / FEATURES**0.5
    features = random.normal(size=(n, FEATURES)) @ mixing
    weights = random.normal(size=(FEATURES, CLASSES)) * (random.random((FEATURES, CLASSES)) < 20 / FEATURES)
    # Numbered without gaps, so that every class occurs.
    _, classes = np.unique(np.argmax(features @ weights, axis=1), return_inverse=True)
    return features.astype(np.float32), classes.astype(np.int64)


def one_against_rest(classes: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Centred membership float64 [n] of class k."""
    member: NDArray[np.float64] = (classes == k).astype(np.float64)
    member -= member.mean()
    return member
