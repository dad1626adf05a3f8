"""The result that the plan declares as the main one, picked out of the tests and said in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from studies.reports import figures
from studies.reports.shape import Comparison, Plan, Primary, Trend


def primary_result(plan: Plan, comparisons: Sequence[Comparison], trends: Sequence[Trend]) -> Primary:
    """The trend of accuracy, or all pairs of accuracy, as `plan.primary` says; without one, why there is none."""
    is_trend = plan.primary == "trend"
    p, found = _trend(trends) if is_trend else _pairs(comparisons, plan.alpha)
    said = f"Declared as the main result: {'the trend of accuracy' if is_trend else 'accuracy by pairs'}. {found}"
    if p is not None:
        said = f"{said} (level {plan.alpha:g}: {'reached' if p <= plan.alpha else 'not reached'})"
    return Primary(
        comparison="trend" if is_trend else "pairs",
        statistic="accuracy",
        p=p,
        level=plan.alpha,
        sentence=f"{said}.",
    )


def _trend(trends: Sequence[Trend]) -> tuple[float | None, str]:
    found = next((trend for trend in trends if trend.statistic == "accuracy"), None)
    if found is None:
        return None, (
            "There is none: a trend needs two conditions with annotators, each of which shows all stages of the one"
            " before and more"
        )
    return found.p, figures.trend(found)


def _pairs(comparisons: Sequence[Comparison], level: float) -> tuple[float | None, str]:
    pairs = [pair for pair in comparisons if pair.statistic == "accuracy"]
    if not pairs:
        return None, "There is none: no two conditions have annotators"
    least = min(pairs, key=lambda pair: pair.p_adjusted)
    differ = sum(pair.p_adjusted <= level for pair in pairs)
    return least.p_adjusted, (
        f"{differ} of {figures.counted(len(pairs), 'pair')} differ after Holm's correction; the smallest adjusted"
        f" {figures.p_sentence(least.p_adjusted)}, {least.b} minus {least.a}"
        f" {figures.signed(least.difference)}"
    )
