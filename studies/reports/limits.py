"""What no answers whatever could have shown with so few annotators: the limits of the design, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

from studies.reports.shape import Comparison, ConditionReport, Trend

#: Numbers of annotators per condition that are tried when one is recommended
MOST = 200
#: Beyond so many relabellings the tests draw a sample, whose own least p is SAMPLED_P
ENUMERATED, SAMPLED_P = 100_000, 1 / 20_000


def limits(
    conditions: Sequence[ConditionReport], comparisons: Sequence[Comparison], trends: Sequence[Trend], level: float
) -> Iterator[str]:
    """Where a test could not have fallen below the plan's level, and how many annotators could."""
    sizes = {condition.name: condition.annotators for condition in conditions}
    least = {tuple(sorted((sizes[c.a], sizes[c.b]))): c.smallest_possible_p for c in comparisons}
    for (fewer, more), p in sorted(least.items()):
        if p > level:
            who = f"{fewer} annotators per condition" if fewer == more else f"{fewer} and {more} annotators"
            yield f"{who}: the annotator-level test of two conditions cannot go below p = {p:.2f}; {_enough(level)}."
    yield from _after_holm(comparisons, level)
    # Over two conditions the trend is their difference.
    for p in sorted({trend.smallest_possible_p for trend in trends if len(trend.order) > 2}):
        if p > level:
            yield f"The test for a trend cannot go below p = {p:.2f}."


def smallest_p(per_condition: int) -> float:
    """The least two-sided p of two conditions with so many annotators each: 2 of all ways to share them out."""
    ways = comb(2 * per_condition, per_condition)
    return 2 / ways if ways <= ENUMERATED else max(2 / ways, SAMPLED_P)


def annotators_for(level: float, pairs: int = 1) -> int | None:
    """The fewest annotators per condition with which the least p, adjusted for so many pairs, reaches the level."""
    return next((n for n in range(2, MOST) if pairs * smallest_p(n) <= level), None)


def _enough(level: float) -> str:
    n = annotators_for(level)
    if n is None:
        return "no number of annotators reaches the plan's level"
    return f"{n} per condition can reach {smallest_p(n):.3f}, {n + 1} can reach {smallest_p(n + 1):.3f}"


def _after_holm(comparisons: Sequence[Comparison], level: float) -> Iterator[str]:
    pairs = [c for c in comparisons if c.statistic == "accuracy"] or list(comparisons)
    if len(pairs) < 2:
        return
    adjusted = min(1.0, len(pairs) * min(pair.smallest_possible_p for pair in pairs))
    if adjusted <= level:
        return
    n = annotators_for(level, len(pairs))
    more = "" if n is None else f"; with {n} annotators per condition it could reach {len(pairs) * smallest_p(n):.3f}"
    yield f"{len(pairs)} pairs: after Holm's correction no p can go below {adjusted:.2f}{more}."
