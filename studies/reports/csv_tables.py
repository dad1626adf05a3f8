"""A report as one tidy CSV: one row per figure, for a spreadsheet or a script. Nothing starts a formula."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studies.reports.figures import REASONS, THESE
from studies.reports.shape import (
    AccuracyFigures,
    AlphaFigures,
    CoefficientFigures,
    ConditionReport,
    Part,
    Report,
)
from studies.spreadsheet import rows_text

#: compared_with: the condition that is subtracted, in rows about two; n: what a figure rests on, as its note says
COLUMNS = ("condition", "compared_with", "statistic", "value", "low", "high", "over", "n", "note")
Cells = dict[str, Any]


def as_csv(report: Report) -> str:
    """All figures at full precision; an empty value is one that cannot be computed, with its reason in the note."""
    return rows_text(COLUMNS, ([row.get(name) for name in COLUMNS] for row in _rows(report)))


def _rows(report: Report) -> Iterator[Cells]:
    if report.mark:
        yield {"statistic": "mark", "note": report.mark}
    yield {"statistic": "study", "note": f"{report.study}, version {report.version}, {report.software}"}
    yield {"statistic": "matches_plan", "value": report.matches_plan, "note": report.plan.sha256}
    yield {"statistic": "chance", "value": report.chance, "note": "what guessing reaches"}
    for condition in report.conditions:
        for row in _condition(condition):
            yield {"condition": condition.name, **row}
    yield from _without_exclusions(report)
    yield from _tests(report)
    for name, value in report.drop_off:
        yield {"statistic": f"sheets_{name}", "value": value, "note": "people, up to the assignment"}
    yield from ({"statistic": "warning", "note": warning} for warning in report.warnings)


def _condition(condition: ConditionReport) -> Iterator[Cells]:
    yield {"statistic": "annotators", "value": condition.annotators, "note": "whose finished sheets count"}
    yield {"statistic": "excluded", "value": condition.excluded, "note": "finished sheets left out by the plan's rules"}
    yield {"statistic": "items", "value": condition.items}
    yield from _accuracy(condition.accuracy)
    yield from _alphas("alpha", condition.alpha, condition.annotators)
    if condition.alpha_identity:
        yield from _alphas("alpha_identity", condition.alpha_identity, condition.annotators)
    agreement = condition.agreement
    for name, found in (("fleiss_kappa", agreement.fleiss), ("percent_agreement", agreement.percent)):
        yield _coefficient(name, found, condition.annotators)
    yield _coefficient("gwet_ac1", agreement.ac1, condition.annotators)
    yield from _confidence(condition)
    if condition.helpful:
        asked = condition.helpful.overview + condition.helpful.features
        for name, value in condition.helpful:
            yield {"statistic": f"helpful_{name}", "value": value, "n": asked, "note": "answers; n: all of them"}
    if condition.split:
        yield from _part("model_right", condition.split.model_right)
        yield from _part("model_wrong", condition.split.model_wrong)
    for name, value in condition.drop_off:
        if name != "reached":
            yield {"statistic": f"sheets_{name}", "value": value}


def _accuracy(figures: AccuracyFigures | None) -> Iterator[Cells]:
    if figures is None:
        return
    low, high = figures.interval or (None, None)
    n = len(figures.per_annotator)
    note = "mean over annotators; n: annotators"
    yield _cells("accuracy", figures.mean, low=low, high=high, over=figures.over, n=n, note=note)
    yield _cells("accuracy_std", figures.std, n=n, note="over annotators, n - 1")
    for number, score in enumerate(figures.per_annotator, start=1):
        yield _cells("accuracy_of_annotator", score, note=f"annotator {number}")


def _alphas(name: str, figures: AlphaFigures, annotators: int) -> Iterator[Cells]:
    """Alpha with its interval; below it, under a name of its own, the same with the interval over items alone."""
    yield _alpha(name, figures, annotators)
    if figures.interval_items:
        low, high = figures.interval_items
        note = f"the same alpha, its interval for {THESE}; n: annotators"
        yield _cells(f"{name}_over_items", figures.value, low=low, high=high, over="items", n=annotators, note=note)


def _alpha(name: str, figures: AlphaFigures, annotators: int) -> Cells:
    low, high = figures.interval or (None, None)
    note = _undefined(figures.undefined) if figures.undefined else f"Krippendorff, {figures.level}; n: annotators"
    return _cells(name, figures.value, low=low, high=high, over=figures.over, n=annotators, note=note)


def _coefficient(name: str, figures: CoefficientFigures, annotators: int) -> Cells:
    note = _undefined(figures.undefined) if figures.undefined else "n: annotators"
    return _cells(name, figures.value, n=annotators, note=note)


def _undefined(reason: str) -> str:
    return f"undefined: {REASONS[reason]}"


def _confidence(condition: ConditionReport) -> Iterator[Cells]:
    if condition.confidence:
        n = len(condition.confidence.per_annotator)
        yield _cells("confidence", condition.confidence.mean, n=n, note="mean over answers, 1 to 5; n: annotators")
        yield _cells("confidence_std", condition.confidence.std, n=n, note="over answers, n - 1")
        for number, score in enumerate(condition.confidence.per_annotator, start=1):
            yield _cells("confidence_of_annotator", score, note=f"annotator {number}")
    for level in condition.calibration.levels if condition.calibration else ():
        low, high = level.interval or (None, None)
        name = f"accuracy_at_confidence_{level.level}"
        yield _cells(name, level.accuracy, low=low, high=high, n=level.answers, note="n: answers")
    if condition.calibration:
        note = "how often a right answer has the higher confidence than a wrong one of the same annotator"
        found = condition.calibration
        yield _cells("separation_by_confidence", found.separation, note=found.undefined or note)


def _part(name: str, part: Part) -> Iterator[Cells]:
    low, high = part.accuracy.interval or (None, None)
    accuracy = _cells(f"accuracy_{name}", part.accuracy.mean, low=low, high=high, over=part.accuracy.over, n=part.items)
    yield {**accuracy, "note": "n: items"}
    yield {**_alpha(f"alpha_{name}", part.alpha, part.items), **({} if part.alpha.undefined else {"note": "n: items"})}


def _without_exclusions(report: Report) -> Iterator[Cells]:
    for rule in report.exclusions.rules if report.exclusions else ():
        for name, number in rule.excluded.items():
            yield {"condition": name, "statistic": f"excluded_{rule.rule}", "value": number, "note": rule.meaning}
    for each in report.exclusions.without if report.exclusions else ():
        rows = [*_accuracy(each.accuracy), *_alphas("alpha", each.alpha, each.annotators)]
        for row in rows:
            yield {"condition": each.name, **row, "statistic": f"{row['statistic']}_without_exclusions"}


def _tests(report: Report) -> Iterator[Cells]:
    for pair in report.comparisons:
        who = {"condition": pair.b, "compared_with": pair.a}
        note = f"unit: {pair.unit}; {'all relabellings' if pair.exact else 'sampled relabellings'}"
        yield {
            **who,
            **_cells(f"difference_of_{pair.statistic}", pair.difference, note="condition minus compared_with"),
        }
        yield {**who, **_cells(f"p_{pair.statistic}", pair.p, note=note)}
        yield {**who, **_cells(f"p_adjusted_{pair.statistic}", pair.p_adjusted, note="Holm, within the statistic")}
        yield {**who, **_cells(f"smallest_possible_p_{pair.statistic}", pair.smallest_possible_p, note="")}
    for trend in report.trends:
        order = f"over {', '.join(trend.order)}"
        yield _cells(f"trend_correlation_{trend.statistic}", trend.correlation, note=order)
        yield _cells(f"trend_p_{trend.statistic}", trend.p, note=f"{order}; unit: {trend.unit}")
        yield _cells(f"trend_smallest_possible_p_{trend.statistic}", trend.smallest_possible_p, note=order)
    yield _cells("primary_p", report.primary.p, note=report.primary.sentence)


def _cells(
    statistic: str,
    value: float | None,
    *,
    low: float | None = None,
    high: float | None = None,
    over: str | None = None,
    n: int | None = None,
    note: str | None = None,
) -> Cells:
    return {
        "statistic": statistic,
        "value": value,
        "low": low,
        "high": high,
        "over": over,
        "n": n,
        "note": note,
    }
