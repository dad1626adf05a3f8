"""The text report's second table: one row per figure, one column per condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from studies.reports import figures
from studies.reports.shape import ConditionReport, Report

Row = tuple[str, ...]


def further(report: Report) -> Iterator[Row]:
    """What the line of a condition has no room for; a dash where a condition does not have it."""
    conditions = report.conditions

    def row(name: str, cell: Callable[[ConditionReport], str]) -> Row:
        return (name, *map(cell, conditions))

    yield row(f"alpha, {figures.THESE}", lambda c: figures.interval(c.alpha.interval_items))
    yield row("alpha, identities", lambda c: figures.alpha(c.alpha_identity))
    yield row("percent agreement", lambda c: figures.coefficient(c.agreement.percent))
    yield row("Fleiss' kappa", lambda c: figures.coefficient(c.agreement.fleiss))
    yield row("Gwet's AC1", lambda c: figures.coefficient(c.agreement.ac1))
    yield row("alpha, model right", lambda c: figures.part_alpha(c.split.model_right if c.split else None))
    yield row("alpha, model wrong", lambda c: figures.part_alpha(c.split.model_wrong if c.split else None))
    yield from _calibration(conditions)
    yield row("sheets assigned", lambda c: str(c.drop_off.assigned))
    yield row("not finished", lambda c: str(c.drop_off.unfinished))
    yield row("withdrawn", lambda c: str(c.drop_off.withdrawn))
    yield row("late", lambda c: str(c.drop_off.late))
    yield from _exclusions(report)


def _calibration(conditions: Sequence[ConditionReport]) -> Iterator[Row]:
    for level in sorted({each.level for c in conditions if c.calibration for each in c.calibration.levels}):
        cells = []
        for condition in conditions:
            levels = condition.calibration.levels if condition.calibration else ()
            found = next((each for each in levels if each.level == level and each.answers), None)
            cells.append(f"{figures.share(found.accuracy)} ({found.answers})" if found else figures.NONE)
        yield (f"accuracy at confidence {level} (answers)", *cells)
    yield (
        "right above wrong",
        *(figures.share(c.calibration.separation if c.calibration else None) for c in conditions),
    )


def _exclusions(report: Report) -> Iterator[Row]:
    if report.exclusions is None:
        return
    for rule in report.exclusions.rules:
        yield (f"left out: {rule.rule}", *(str(rule.excluded[c.name]) for c in report.conditions))
    if not any(condition.excluded for condition in report.conditions):
        return
    without = {each.name: each for each in report.exclusions.without}
    every = [without[condition.name] for condition in report.conditions]
    yield ("without exclusions: annotators", *(str(each.annotators) for each in every))
    yield ("without exclusions: accuracy", *(figures.accuracy(each.accuracy) for each in every))
    yield ("without exclusions: alpha", *(figures.alpha(each.alpha) for each in every))
