"""One variance for new annotators and new items together, from crossed tables: intervals.py and scores.py call it."""

from __future__ import annotations

from analysis_core.statistics.ratings import Floats

#: Variances below this are round-off.
NO_VARIANCE = 1e-24


def crossed_variance(
    by_annotator: float, by_item: float, by_answer: float, annotators: int, items: int
) -> tuple[float, float]:
    """Variance of a figure of a table whose annotators and items are both samples, and its degrees of freedom.

    Variance over annotators + variance over items - variance over single answers, which each of the first two
    contains: without the last one the noise of single answers counts twice (1.3 to 1.9 times the true variance of
    alpha in our simulations; with it .94 to 1.07). Never below the larger of the two.
    by_annotator, by_item, by_answer: the figure's variance when one of these alone is resampled, of which the first two
                                      have annotators - 1 and items - 1 degrees of freedom
    source: Cameron, Gelbach and Miller 2011, "Robust Inference With Multiway Clustering"; Satterthwaite 1946, "An
            Approximate Distribution of Estimates of Variance Components"
    """
    variance = max(by_annotator, by_item, by_annotator + by_item - by_answer)
    pieces = by_annotator**2 / (annotators - 1) + by_item**2 / (items - 1)
    return variance, max(1.0, variance**2 / pieces) if pieces > 0 else 1.0


def jackknife_variance(values: Floats) -> float:
    """Delete-one jackknife variance from the leave-one-out values: (n - 1) / n * sum (v - mean)^2."""
    n = len(values)
    return float((n - 1) / n * ((values - values.mean()) ** 2).sum())
