"""Feature matrices in the shape of the demo's training split and of VQA 2.0's, for claims that need no model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims import Scale

#: Datapoints, features and classes of the demo (fixtures/clevr_demo, train; fixtures/checkpoints/clevr_cnn_lstm_sa).
POINTS, FEATURES, CLASSES = 6400, 512, 97
#: The same of VQA 2.0's training split: ViLT's features, and the answers that its classifiers choose from.
VQA_POINTS, VQA_FEATURES, VQA_CLASSES = 443_000, 768, 3_129
#: Rows that are drawn at once: 8 MiB of features.
_DRAWN = 2730


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


def as_large_as_vqa(
    share: float = 1.0, *, classes: int = VQA_CLASSES, seed: int = 0
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Chunks of float32 features [c, 768] and class ids [c]; the same for the same share and seed.

    Each class moves 8 features of its own; noise has 64 directions in common; tanh as in ViLT's pooler. The k-th class
    is drawn in proportion to 1 / (k + 10): a few are frequent, most are rare, as answers are.
    """
    random = np.random.default_rng(seed)
    often = 1 / (np.arange(classes) + 10.0)
    moved = np.zeros((classes, VQA_FEATURES), dtype=np.float32)
    for row in moved:
        row[random.choice(VQA_FEATURES, 8, replace=False)] = 2 * random.normal(size=8)
    common = (0.15 * random.normal(size=(64, VQA_FEATURES))).astype(np.float32)
    n = round(VQA_POINTS * share)
    for start in range(0, n, _DRAWN):
        count = min(_DRAWN, n - start)
        ids = random.choice(classes, size=count, p=often / often.sum())
        features = random.standard_normal((count, VQA_FEATURES), dtype=np.float32)
        features += random.standard_normal((count, 64), dtype=np.float32) @ common
        features += moved[ids]
        yield np.tanh(features, out=features), ids


def one_against_rest(classes: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Centred membership float64 [n] of class k."""
    member: NDArray[np.float64] = (classes == k).astype(np.float64)
    member -= member.mean()
    return member
