"""What is compared between conditions: pairs and the trend, both by permuting whole annotators. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise

from analysis_core.statistics import holm, permutation_test, trend_test
from studies.reports.shape import Comparison, ConditionReport, Trend


def comparisons(conditions: Sequence[ConditionReport]) -> tuple[Comparison, ...]:
    """Every pair of conditions that have annotators, for accuracy; p adjusted over all pairs (Holm)."""
    pairs = list(combinations([c for c in conditions if scores(c)], 2))
    tests = [permutation_test(scores(b), scores(a)) for a, b in pairs]
    adjusted = holm([test.p for test in tests])
    return tuple(
        Comparison(
            a=a.name,
            b=b.name,
            statistic="accuracy",
            difference=test.statistic or 0.0,
            unit="annotator",
            p=test.p,
            p_adjusted=p_adjusted,
            smallest_possible_p=test.smallest_p,
            exact=test.exact,
        )
        for (a, b), test, p_adjusted in zip(pairs, tests, adjusted, strict=True)
    )


def trend(conditions: Sequence[ConditionReport]) -> Trend | None:
    """The trend of accuracy over conditions of which each shows more than the one before; None for unordered arms."""
    answered = [condition for condition in conditions if scores(condition)]
    if len(answered) < 2 or not is_ordered(conditions):
        return None
    test = trend_test([scores(condition) for condition in answered])
    return Trend(
        p=test.p,
        order=tuple(condition.name for condition in answered),
        statistic="accuracy",
        correlation=test.statistic,
        unit="annotator",
        smallest_possible_p=test.smallest_p,
        exact=test.exact,
    )


def is_ordered(conditions: Sequence[ConditionReport]) -> bool:
    """Whether each condition's stages are a proper superset of those before it."""
    return all(set(a.stages) < set(b.stages) for a, b in pairwise(conditions))


def scores(condition: ConditionReport) -> list[float]:
    """One accuracy per annotator who answered."""
    return [score for score in condition.accuracy.per_annotator if score is not None] if condition.accuracy else []
