"""What is compared between conditions: pairs and the trend, both by permuting whole annotators. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from analysis_core.statistics import Test, alpha_test, alpha_trend_test, holm, permutation_test, trend_test
from studies.reports.shape import STATISTICS, Comparison, ConditionReport, Statistic, Trend

UNIT = "annotator"
#: The level of measurement of the answers, for alpha
NOMINAL = "nominal"
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Arm:
    """One condition as the tests see it. rated: [annotators, items], what alpha is computed on"""

    report: ConditionReport
    rated: Rows

    def value(self, statistic: Statistic) -> float | None:
        """The condition's own figure; None where it is undefined, and then nothing is compared with it."""
        figures = {"accuracy": self.report.accuracy, "confidence": self.report.confidence}.get(statistic)
        return self.report.alpha.value if statistic == "alpha" else figures.mean if figures else None

    def scores(self, statistic: Statistic) -> list[float]:
        """One score per annotator who answered: accuracy, or mean confidence."""
        figures = self.report.confidence if statistic == "confidence" else self.report.accuracy
        return [score for score in figures.per_annotator if score is not None] if figures else []


def comparisons(arms: Sequence[Arm]) -> tuple[Comparison, ...]:
    """Every pair of conditions, for accuracy, alpha and confidence; p adjusted over the pairs of a statistic (Holm).

    A pair of which one has no figure (no annotators, an undefined alpha) is not compared.
    """
    return tuple(pair for statistic in STATISTICS for pair in _pairs(arms, statistic))


def trends(arms: Sequence[Arm]) -> tuple[Trend, ...]:
    """The trend of each statistic over conditions of which each shows more than the one before; else none."""
    if not is_ordered([arm.report for arm in arms]):
        return ()
    return tuple(found for statistic in STATISTICS if (found := _trend(arms, statistic)))


def is_ordered(conditions: Sequence[ConditionReport]) -> bool:
    """Whether each condition's stages are a proper superset of those before it."""
    return all(set(a.stages) < set(b.stages) for a, b in pairwise(conditions))


def _pairs(arms: Sequence[Arm], statistic: Statistic) -> list[Comparison]:
    answered = [arm for arm in arms if arm.value(statistic) is not None]
    tested = [(a, b, _difference(a, b, statistic)) for a, b in combinations(answered, 2)]
    found = [(a, b, test, test.p) for a, b, test in tested if test.p is not None]
    adjusted = holm([p for *_, p in found])
    return [
        Comparison(
            a=a.report.name,
            b=b.report.name,
            statistic=statistic,
            difference=test.statistic or 0.0,
            unit=UNIT,
            p=p,
            p_adjusted=p_adjusted,
            smallest_possible_p=test.smallest_p,
            exact=test.exact,
        )
        for (a, b, test, p), p_adjusted in zip(found, adjusted, strict=True)
    ]


def _difference(a: Arm, b: Arm, statistic: Statistic) -> Test:
    """b minus a."""
    if statistic == "alpha":
        return alpha_test(b.rated, a.rated, NOMINAL)
    return permutation_test(b.scores(statistic), a.scores(statistic))


def _trend(arms: Sequence[Arm], statistic: Statistic) -> Trend | None:
    answered = [arm for arm in arms if arm.value(statistic) is not None]
    if len(answered) < 2:
        return None
    if statistic == "alpha":
        test = alpha_trend_test([arm.rated for arm in answered], NOMINAL)
    else:
        test = trend_test([arm.scores(statistic) for arm in answered])
    if test.p is None:
        return None
    return Trend(
        p=test.p,
        order=tuple(arm.report.name for arm in answered),
        statistic=statistic,
        correlation=test.statistic,
        unit=UNIT,
        smallest_possible_p=test.smallest_p,
        exact=test.exact,
    )
