"""What no answers whatever could have shown with so few annotators: the limits of the design. Loads numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis_core.statistics import annotators_needed, limit_sentence
from studies.reports.figures import least_p
from studies.reports.shape import STATISTICS, Comparison, ConditionReport, Trend


def limits(
    conditions: Sequence[ConditionReport], comparisons: Sequence[Comparison], trends: Sequence[Trend], level: float
) -> Iterator[str]:
    """Where a test could not have fallen below the plan's level, and how many annotators could."""
    sizes = {condition.name: condition.annotators for condition in conditions}
    compared = {(sizes[pair.a], sizes[pair.b]) for pair in comparisons}
    for pair in sorted({tuple(sorted(each)) for each in compared}):
        if said := limit_sentence(pair, level):
            yield said
    yield from _after_holm(comparisons, level)
    # Over two conditions the trend is their difference.
    for p in sorted({trend.smallest_possible_p for trend in trends if len(trend.order) > 2}):
        if p > level:
            yield f"The test for a trend cannot go below p = {least_p(p)}."


def _after_holm(comparisons: Sequence[Comparison], level: float) -> Iterator[str]:
    # Each statistic is a family of its own: that of accuracy, else the largest.
    families = {name: [pair for pair in comparisons if pair.statistic == name] for name in STATISTICS}
    pairs = families["accuracy"] or max(families.values(), key=len)
    if len(pairs) < 2:
        return
    adjusted = min(1.0, len(pairs) * min(pair.smallest_possible_p for pair in pairs))
    if adjusted <= level:
        return
    needed = annotators_needed(level, len(pairs))
    enough = "no number of annotators" if needed is None else f"{needed} annotators per condition"
    yield (
        f"{len(pairs)} pairs: after Holm's correction no p can go below {least_p(adjusted)}; {enough} could reach the"
        f" plan's level of {level:g}."
    )
