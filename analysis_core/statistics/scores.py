"""Accuracy per annotator and its interval over annotators and items; mean and standard deviation of anything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.crossed import NO_VARIANCE, crossed_variance, jackknife_variance
from analysis_core.statistics.ratings import Floats


@dataclass(frozen=True)
class Summary:
    """mean; std with n - 1 (None for fewer than two values); n values."""

    mean: float | None
    std: float | None
    n: int


@dataclass(frozen=True)
class Accuracy:
    """Shares between 0 and 1.

    mean, std:     over annotators (std with n - 1; None for one annotator)
    per_annotator: in the order of the rows; None for one without answers, who takes no part in mean and std
    interval, over: from crossed_accuracy; None where not asked for or not computable
    """

    mean: float | None
    std: float | None
    per_annotator: tuple[float | None, ...]
    interval: tuple[float, float] | None = None
    over: str | None = None


def summary(values: Iterable[float | None]) -> Summary:
    """Mean and standard deviation (n - 1) of the values that are there, for example confidences over answers."""
    present = np.array([value for value in values if not table.is_missing(value)], dtype=np.float64)
    if not len(present):
        return Summary(None, None, 0)
    return Summary(float(present.mean()), float(present.std(ddof=1)) if len(present) > 1 else None, len(present))


def accuracy(correct: Any) -> Accuracy:
    """Accuracy per annotator: right answers / given answers; a missing answer is not counted as wrong.

    correct: [annotators, items] of 1, 0 (or booleans) and nan or None for missing
    raises:  BadInput (not a table, or an entry that is neither 1, 0 nor missing)
    """
    cells = _cells(correct)
    shares = _shares(cells)
    per_annotator = tuple(None if np.isnan(share) else float(share) for share in shares)
    over_annotators = summary(per_annotator)
    return Accuracy(over_annotators.mean, over_annotators.std, per_annotator)


def crossed_accuracy(correct: Any, *, confidence: float = 0.95) -> Accuracy:
    """Accuracy with an interval for new annotators and new items, both of them samples.

    Variance: jackknife over annotators + jackknife over items - residual between cells, which both contain
    (crossed_variance); Student's t with Satterthwaite's degrees of freedom. The ends are Wilson's, with the number of
    answers that would have this variance if they were independent, n = p (1 - p) / variance, and with t for z: they lie
    between 0 and 1, and near the borders they do not shrink with the estimate as p +- t s does (in 4,000 simulated
    tables per design, 3 x 20 to 20 x 40, that covers .89 to .93 at accuracy .9 with SDs of 1, and Wilson's .93 to .97).
    The interval is None with one annotator or one item, and where all answers are equally right (nothing tells how far
    new ones would scatter). Coverage in simulated studies: docs/statistics.md, by `python -m benchmarks.coverage`.
    correct: as in accuracy
    raises:  BadInput (also a confidence that is not between 0 and 1)
    source:  two-way variance of a crossed design: Cameron, Gelbach and Miller 2011, "Robust Inference With Multiway
             Clustering", with the jackknife for each way; Wilson 1927, with an effective number of answers as in
             Korn and Graubard 1998, "Confidence Intervals for Proportions With Small Expected Number of Positive Counts
             Estimated From Survey Data"
    """
    if not 0 < confidence < 1:
        raise BadInput(f"confidence lies between 0 and 1, not at {confidence:g}")
    plain = accuracy(correct)
    cells = _cells(correct)
    present = ~np.isnan(cells)
    cells = cells[present.any(axis=1)][:, present.any(axis=0)]
    if plain.mean is None or min(cells.shape) < 2 or np.nanmin(cells) == np.nanmax(cells):
        return Accuracy(plain.mean, plain.std, plain.per_annotator, None, "both")
    variance, freedom = _crossed_variance(cells)
    if variance <= NO_VARIANCE:
        return Accuracy(plain.mean, plain.std, plain.per_annotator, None, "both")
    interval = wilson(plain.mean, variance, float(stdtrit(freedom, (1 + confidence) / 2)))
    return Accuracy(plain.mean, plain.std, plain.per_annotator, interval, "both")


def wilson(share: float, variance: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval for a share strictly between 0 and 1 whose variance is known otherwise than from its n."""
    stretch = quantile**2 * variance / (share * (1 - share))
    centre = (share + stretch / 2) / (1 + stretch)
    spread = (stretch * (share * (1 - share) + stretch / 4)) ** 0.5 / (1 + stretch)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def _cells(correct: Any) -> Floats:
    coded = table.read(correct, "interval")
    if not np.isin(coded.values, (0.0, 1.0)).all():
        raise BadInput(f"right and wrong are 1 and 0; found {', '.join(f'{value:g}' for value in coded.values)}")
    return np.where(coded.codes >= 0, np.append(coded.values, np.nan)[coded.codes], np.nan)


def _shares(cells: Floats) -> Floats:
    given = (~np.isnan(cells)).sum(axis=1)
    return np.divide(np.nansum(cells, axis=1), given, out=np.full(len(cells), np.nan), where=given > 0)


def _crossed_variance(cells: Floats) -> tuple[float, float]:
    """Variance of the mean over annotators and items, and Satterthwaite's degrees of freedom for it."""
    annotators, items = cells.shape
    present = ~np.isnan(cells)
    given, right = present.sum(axis=1), np.nansum(cells, axis=1)
    by_annotator = float(np.var(right / given, ddof=1)) / annotators
    fewer = given[:, None] - present
    rest = np.divide(right[:, None] - np.nan_to_num(cells), fewer, out=np.full(cells.shape, np.nan), where=fewer > 0)
    by_item = jackknife_variance(np.nanmean(rest, axis=0))
    return crossed_variance(by_annotator, by_item, _residual_variance(cells), annotators, items)


def _residual_variance(cells: Floats) -> float:
    """The share of the variance of the mean that comes from single cells: counted once per way, so twice in the sum."""
    annotators, items = cells.shape
    present = ~np.isnan(cells)
    given = present.sum(axis=1, keepdims=True)
    residual = cells - np.nanmean(cells, axis=1, keepdims=True) - np.nanmean(cells, axis=0) + np.nanmean(cells)
    freedom = int(present.sum()) - annotators - items + 1
    if freedom < 1:
        return 0.0
    return float(np.nansum((residual / (annotators * given)) ** 2) * present.sum() / freedom)
