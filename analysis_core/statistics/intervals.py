"""Intervals for alpha. Each says what it generalises to: other items, other annotators, or both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics import ratings as table
from analysis_core.statistics.agreement import coded_alpha
from analysis_core.statistics.crossed import NO_VARIANCE, crossed_variance, jackknife_variance
from analysis_core.statistics.leave_one_out import without_each_annotator, without_each_answer, without_each_item
from analysis_core.statistics.pairable import Pairable, pairable
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.replicates import bootstrap_alphas

OVER = ("both", "annotators", "items")
#: Beyond so many different values there is no jackknife at ordinal level: it costs values^2 (8 s at 10,000).
MOST_RANKED = 20_000


@dataclass(frozen=True)
class Interval:
    """low, high: None where the interval cannot be computed.

    over: "both", "annotators" or "items": what was treated as a sample of more
    undefined_replicates: replicates without an alpha (no variation or no overlap left)
    reason: too_many_values, where it is left out for its cost
    """

    low: float | None
    high: float | None
    over: str
    undefined_replicates: int
    reason: str | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


def alpha_interval(
    ratings: Any,
    level: str,
    *,
    over: str = "both",
    replicates: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """An interval for Krippendorff's alpha.

    both:       new annotators and new items: jackknife variances over annotators and over items, less the one over
                single answers (crossed_variance), Student's t with Satterthwaite's degrees of freedom
    annotators: new annotators, these items: jackknife over annotators alone, Student's t, annotators - 1
    items:      these annotators, new items: percentile bootstrap over items; replicates and seed belong to it
    The first two are made for log(1 - alpha), a logarithm of a ratio of disagreements: their ends are
    1 - (1 - alpha) exp(+- t s / (1 - alpha)), s the standard error of alpha, which never pass 1; cut at -1.
    Coverage in simulated studies: docs/statistics.md, by `python -m benchmarks.coverage`.

    Annotators are only ever left out, never drawn twice: two copies of one annotator agree with each other and inflate
    alpha. A jackknife with an undefined leave-one-out value has no interval (two annotators; a table in which one item
    holds all variation): what cannot be left out is what the variance hangs on. The bootstrap drops undefined
    replicates and counts them. Where leaving out or drawing anew changes nothing (perfect agreement), nothing tells how
    far others would differ: no interval rather than one of width 0. More than 20,000 different values at ordinal level
    have no jackknife interval: ask for the one over items, or round them.
    ratings, level: as in alpha
    raises: UnknownName (level, over), BadInput
    source: Efron and Stein 1981, "The Jackknife Estimate of Variance"; the rest as in crossed_variance
    """
    if over not in OVER:
        raise UnknownName("scope of an interval", str(over), OVER)
    if not 0 < confidence < 1 or replicates < 1:
        raise BadInput("confidence lies between 0 and 1, and at least one replicate is needed")
    coded = table.read(ratings, level)
    value, _ = coded_alpha(coded)
    if value is None:
        return Interval(None, None, over, 0)
    if over == "items":
        return _percentiles(bootstrap_alphas(coded, level, replicates=replicates, seed=seed), confidence)
    p = pairable(coded)
    if level == "ordinal" and len(p.values) > MOST_RANKED:
        return Interval(None, None, over, 0, "too_many_values")
    variance, freedom, undefined = _variance(p, over)
    if undefined or variance <= NO_VARIANCE:
        return Interval(None, None, over, undefined)
    # Beyond e^700 the lower end has long been cut.
    spread = min(700.0, float(stdtrit(freedom, (1 + confidence) / 2)) * variance**0.5 / (1 - value))
    low, high = (1 - (1 - value) * math.exp(power) for power in (spread, -spread))
    return Interval(max(-1.0, low), high, over, 0)


def _variance(p: Pairable, over: str) -> tuple[float, float, int]:
    """Variance of alpha, its degrees of freedom, and how many leave-one-out values are undefined (then 0, 0)."""
    left_out = [without_each_annotator(p), *([without_each_item(p)] if over == "both" else [])]
    undefined = sum(int(np.isnan(values).sum()) for values in left_out)
    if undefined or min(map(len, left_out)) < 2:
        return 0.0, 0.0, undefined
    variances, (annotators, *items) = [jackknife_variance(values) for values in left_out], map(len, left_out)
    if over == "annotators":
        return variances[0], annotators - 1.0, 0
    single = jackknife_variance(without_each_answer(p))
    variance, freedom = crossed_variance(variances[0], variances[1], single, annotators, items[0])
    return variance, freedom, 0


def _percentiles(values: Floats, confidence: float) -> Interval:
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if not len(defined):
        return Interval(None, None, "items", undefined)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    if (high - low) ** 2 <= NO_VARIANCE:
        return Interval(None, None, "items", undefined)
    return Interval(float(low), float(high), "items", undefined)
