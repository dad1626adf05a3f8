"""Which features go with the model's errors: a linear model from |features| to "this one is wrong"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.arguments import count, finite
from analysis_core.chunks import as_array, feature_chunks
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.evaluation.debugging.matrices import marks

#: Inverse strength of the ridge penalty on standardised columns (scikit-learn's default).
STRENGTH = 1.0
#: Where the fit stops, per share of errors: scikit-learn divides the gradient by all datapoints, so that with few
#: errors its own 1e-4 ends before the weights are there, and a resample begun at the whole set's never leaves them.
STOP = 1e-4


@dataclass(frozen=True)
class ErrorFeature:
    """A feature that speaks for an error.

    weight:   log odds of an error per standard deviation of |feature|
    interval: percentiles of the weight over resamples of the datapoints
    """

    index: int
    weight: float
    interval: tuple[float, float]


def error_features(
    features: Any,
    wrong: Any,
    *,
    n: int = 5,
    resamples: int = 100,
    confidence: float = 0.95,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ErrorFeature, ...]:
    """The n features with the highest positive weights for "the model got this wrong", the strongest first.

    features: [n, d] of the labelled set V (tensor, array, memory map or feature store)
    wrong:    [n] booleans
    returns:  at most n; fewer where fewer weights are positive
    raises:   BadFeatures (NaN, another number of rows), BadInput (no datapoint, all right, all wrong, no feature that
              varies, n or resamples below 1, a confidence outside 0 to 1)
    cost:     a ridge-penalised logistic regression per resample, each begun at the whole set's weights; |features| are
              held in memory as float64 [n, d]
    source:   Wong et al. 2021, "Leveraging Sparse Linear Layers for Debuggable Deep Networks"; Liang et al. 2023, D.5
    """
    n, resamples = count("n", n), count("resamples", resamples)
    if not 0 < finite("confidence", confidence) < 1:
        raise BadInput(f"confidence must lie between 0 and 1, not at {confidence}")
    chunks = [np.asarray(c, dtype=np.float64) for c in feature_chunks(features)]
    if not chunks:
        raise BadInput("error features need datapoints: the feature matrix is empty")
    strengths = np.abs(np.concatenate(chunks))
    if (shape := as_array(wrong).shape) != (len(strengths),):
        raise BadFeatures(f"{len(strengths)} datapoints need as many marks of right or wrong, not {shape}")
    labels = marks("wrong", wrong, len(strengths))
    if labels.all() or not labels.any():
        raise BadInput("the model is right everywhere or wrong everywhere: there is no error to tell from the rest")
    with np.errstate(over="ignore", invalid="ignore"):
        spread = strengths.std(axis=0)
    if not np.isfinite(spread).all():
        raise BadFeatures(f"feature {int(np.argmin(np.isfinite(spread)))} is too large to be standardised")
    usable = np.flatnonzero(spread > 1e-9 * np.maximum(strengths.mean(axis=0), 1e-300))
    if not len(usable):
        raise BadInput("no feature varies in size over the datapoints: none can go with errors")
    columns = (strengths[:, usable] - strengths[:, usable].mean(axis=0)) / spread[usable]
    weights, replicates = _fits(columns, labels, resamples, seed, progress)
    low, high = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    best = [k for k in np.argsort(-weights, kind="stable")[:n] if weights[k] > 0]
    return tuple(ErrorFeature(int(usable[k]), float(weights[k]), (float(low[k]), float(high[k]))) for k in best)


def _fits(
    columns: NDArray[np.float64],
    labels: NDArray[np.bool_],
    resamples: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights [d] on the whole set, and [resamples, d] on sets drawn from it with replacement."""
    from sklearn.linear_model import LogisticRegression

    rarer = float(min(labels.mean(), 1 - labels.mean()))
    model = LogisticRegression(C=STRENGTH, max_iter=1000, warm_start=True, tol=STOP * rarer).fit(columns, labels)
    whole, start = model.coef_[0].copy(), (model.coef_.copy(), model.intercept_.copy())
    rng, n = np.random.default_rng(count("seed", seed, least=0)), len(labels)
    found = np.empty((resamples, columns.shape[1]))
    for row in range(resamples):
        times = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        # A resample without errors, or without anything else, has no weights of its own.
        while not 0 < times[labels].sum() < n:
            times = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        model.coef_, model.intercept_ = start[0].copy(), start[1].copy()
        found[row] = model.fit(columns, labels, sample_weight=times).coef_[0]
        if progress:
            progress(row + 1, resamples)
    return whole, found
