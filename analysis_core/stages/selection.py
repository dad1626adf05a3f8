"""Accuracy against sparsity of stage P's models: how few features per class still name it (SparsePath.select)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from analysis_core.arguments import count
from analysis_core.chunks import paired_chunks
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages.named_classes import classes_named
from analysis_core.stages.prediction_path import SparsePath, share_given_up


@dataclass(frozen=True)
class Curve:
    """Accuracy of naming the class, against the most features that each class may use.

    sizes:          int64 [s], ascending
    used:           float64 [s]: features that a class uses on average
    accuracy:       float64 [s]: share of datapoints whose class has the highest value of all sparse models
    standard_error: float64 [s], binomial
    per_class:      float64 [s, K]: the same share among the datapoints of each class; NaN where there are none
    counts:         int64 [K]: datapoints of each class
    """

    sizes: Tensor
    used: Tensor
    accuracy: Tensor
    standard_error: Tensor
    per_class: Tensor
    counts: Tensor

    def sparsest(self, tolerance: float) -> int:
        """The smallest size whose accuracy is at least (1 - tolerance) of the best.

        raises: BadInput (tolerance below 0, 1 or above)
        """
        good = self.accuracy >= (1 - share_given_up(tolerance)) * self.accuracy.max()
        return int(self.sizes[good][0])


def curve(path: SparsePath, features: Any, targets: Any = None, *, sizes: Sequence[int] | None = None) -> Curve:
    """How accurately the class is named with few features per class, in one streaming pass.

    features: held-out datapoints (those fitted on flatter it): [n, d], a FeatureStore, or chunks of (features, targets)
    targets:  class ids [n], or [n, K] of which the largest counts (a FeatureStore brings its logits)
    sizes:    numbers of features allowed per class; None = 0, 1, 2, 3, 5, 8, 13 and so on up to the path's largest
    returns:  Curve; its ties go to the lowest class
    raises:   BadFeatures (shapes, NaN, bfloat16, sparse, classes that the path does not have), BadInput (sizes)
    """
    allowed = _sizes(path, sizes)
    models = [_model(path, path.at_most(size)) for size in allowed]
    classes = len(path.knots)
    right, counts = np.zeros((len(allowed), classes), dtype=np.int64), np.zeros(classes, dtype=np.int64)
    row = 0
    for x, y in paired_chunks(features, targets):
        truth = _classes(y, classes, row)
        standardised = path.standardised(x).numpy()
        counts += np.bincount(truth, minlength=classes)
        for hits, (weights, intercepts) in zip(right, models, strict=True):
            named = (intercepts + (weights @ standardised.T).T).argmax(axis=1)
            hits += np.bincount(truth[named == truth], minlength=classes)
        row += len(x)
    if not row:
        raise BadFeatures("there are no datapoints to name the class of")
    accuracy = right.sum(axis=1) / row
    with np.errstate(invalid="ignore"):
        per_class = np.where(counts > 0, right / counts, np.nan)
    varying = max(1, sum(len(knots) > 0 for knots in path.knots))
    return Curve(
        sizes=torch.tensor(allowed, dtype=torch.int64),
        used=torch.tensor([weights.nnz / varying for weights, _ in models], dtype=torch.float64),
        accuracy=torch.from_numpy(accuracy),
        standard_error=torch.from_numpy(np.sqrt(accuracy * (1 - accuracy) / row)),
        per_class=torch.from_numpy(per_class),
        counts=torch.from_numpy(counts),
    )


def _sizes(path: SparsePath, sizes: Sequence[int] | None) -> list[int]:
    if sizes is not None:
        try:
            found = sorted({count("a size", size, least=0) for size in sizes})
        except TypeError:
            found = []
        if not found:
            raise BadInput(f"sizes must be a list of numbers of features, such as [1, 2, 5], not {sizes!r}")
        return found
    most = max((int(path.sizes(k).max()) for k in range(len(path.knots)) if len(path.knots[k])), default=0)
    found, following = [0, 1], 2
    while following < most:
        found.append(following)
        following += found[-2]
    return sorted({*(size for size in found if size < most), most})


def _model(path: SparsePath, knots: Sequence[int]) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Coefficients [K, d] and intercepts [K] at one knot per target."""
    rows = []
    for k, knot in enumerate(knots):
        dense = np.zeros(len(path.mean))
        if knot >= 0:
            dense[path.support[k].numpy()] = path.coefficients[k][knot].numpy()
        rows.append(sparse.csr_matrix(dense))
    shared = path.knot_intercepts
    intercepts = path.intercepts if shared is None or not len(shared) else shared[max(0, *knots)]
    return sparse.vstack(rows, format="csr"), intercepts.numpy()


def _classes(y: NDArray[Any] | None, classes: int, row: int) -> NDArray[np.int64]:
    ids = classes_named(y, row)
    wide = y is not None and y.ndim == 2 and y.shape[1] != classes
    if wide or (len(ids) and ids.max() >= classes):
        raise BadFeatures(f"targets must be of the path's {classes} classes")
    return ids
