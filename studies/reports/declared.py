"""The result that the plan declares as the main one, picked out of the tests and said in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from studies.reports import figures
from studies.reports.shape import Comparison, Plan, Primary, Trend


def primary_result(plan: Plan, comparisons: Sequence[Comparison], trends: Sequence[Trend]) -> Primary:
    """The trend of accuracy, or all pairs of accuracy, as `plan.primary` says; without one, why there is none."""
    p, found = _trend(trends) if plan.primary == "trend" else _pairs(comparisons, plan.alpha)
    reached = "" if p is None else f" (level {plan.alpha:g}: {'reached' if p <= plan.alpha else 'not reached'})"
    return Primary(
        comparison="trend" if plan.primary == "trend" else "pairs",
        statistic="accuracy",
        p=p,
        level=plan.alpha,
        sentence=f"Main result as declared: {found}{reached}.",
    )


def _trend(trends: Sequence[Trend]) -> tuple[float | None, str]:
    found = next((trend for trend in trends if trend.statistic == "accuracy"), None)
    if found is None:
        return None, (
            "the trend of accuracy, but there is none: it needs two conditions with annotators, each of which shows all"
            " stages of the one before and more"
        )
    said = figures.trend(found)
    return found.p, said[0].lower() + said[1:]


def _pairs(comparisons: Sequence[Comparison], level: float) -> tuple[float | None, str]:
    pairs = [pair for pair in comparisons if pair.statistic == "accuracy"]
    if not pairs:
        return None, "accuracy by pairs, but there are none: no two conditions have annotators"
    least = min(pairs, key=lambda pair: pair.p_adjusted)
    differ = sum(pair.p_adjusted <= level for pair in pairs)
    return least.p_adjusted, (
        f"accuracy by pairs, {differ} of {len(pairs)} differ after Holm's correction; the smallest adjusted"
        f" {figures.p_sentence(least.p_adjusted)} for {least.b} minus {least.a}, {figures.signed(least.difference)}"
    )
