"""The tables of the report page: figures as words, in rows. What has no figure for any condition has no column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studies.reports import figures
from studies.reports.shape import STATISTICS, CoefficientFigures, ConditionReport, Part, Report, Unfiltered

Column = tuple[str, Callable[[ConditionReport], str]]


@dataclass(frozen=True)
class Table:
    """Headings and rows; the first `names` cells of a row say what the row is about."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1


@dataclass(frozen=True)
class Differences:
    """What was tested of one statistic: the trend in a sentence ("" without one), and the pairs."""

    statistic: str
    trend: str
    pairs: Table


PER_CONDITION: tuple[Column, ...] = (
    ("Condition", lambda c: c.name),
    ("Annotators", lambda c: str(c.annotators)),
    ("Accuracy ± std", lambda c: figures.accuracy(c.accuracy)),
    ("95 % interval", lambda c: figures.interval(c.accuracy.interval if c.accuracy else None)),
    ("Alpha", lambda c: figures.alpha(c.alpha)),
    ("95 % interval", lambda c: figures.interval(c.alpha.interval)),
    ("Alpha, identities", lambda c: figures.alpha(c.alpha_identity)),
    ("Confidence ± std", lambda c: figures.spread(c.confidence)),
    ("Overview / Features", lambda c: figures.helpful(c.helpful)),
)
AGREEMENT: tuple[Column, ...] = (
    ("Condition", lambda c: c.name),
    ("Alpha", lambda c: figures.alpha(c.alpha)),
    (f"95 % interval of alpha, {figures.NEW}", lambda c: figures.interval(c.alpha.interval)),
    (f"95 % interval of alpha, {figures.THESE}", lambda c: figures.interval(c.alpha.interval_items)),
    ("Fleiss' kappa", lambda c: _coefficient(c.agreement.fleiss)),
    ("Gwet's AC1", lambda c: _coefficient(c.agreement.ac1)),
    ("Percent agreement", lambda c: _coefficient(c.agreement.percent)),
)
DROP_OFF: tuple[Column, ...] = (
    ("Condition", lambda c: c.name),
    ("Assigned", lambda c: str(c.drop_off.assigned)),
    ("Finished", lambda c: str(c.drop_off.finished)),
    ("Not finished", lambda c: str(c.drop_off.unfinished)),
    ("Withdrew", lambda c: str(c.drop_off.withdrawn)),
    ("Came back late", lambda c: str(c.drop_off.late)),
    ("Left out by a rule", lambda c: str(c.excluded)),
)


def table(columns: Sequence[Column], conditions: Sequence[ConditionReport]) -> Table:
    """One row per condition."""
    cells = [(head, [value(condition) for condition in conditions]) for head, value in columns]
    kept = [(head, column) for head, column in cells if any(cell != figures.NONE for cell in column)]
    return Table(tuple(head for head, _ in kept), tuple(zip(*(column for _, column in kept), strict=True)))


def split(report: Report) -> Table | None:
    """Figures on the items that the model gets right, and on those that it gets wrong."""
    parts = [(c.name, c.split) for c in report.conditions if c.split]
    if not parts:
        return None
    right, wrong = parts[0][1].model_right.items, parts[0][1].model_wrong.items
    heads = [
        f"Model {which} ({items} items): {what}"
        for which, items in (("right", right), ("wrong", wrong))
        for what in ("accuracy ± std", "alpha")
    ]
    rows = [(name, *_part(found.model_right), *_part(found.model_wrong)) for name, found in parts]
    return Table(("Condition", *heads), tuple(rows))


def differences(report: Report) -> list[Differences]:
    """Trend and pairs, per statistic that was tested."""
    trends = {found.statistic: figures.trend(found) for found in report.trends}
    pairs = {name: [pair for pair in report.comparisons if pair.statistic == name] for name in STATISTICS}
    heads = ("From", "To", "Difference", "p", "p, adjusted", "Smallest possible p")
    return [
        Differences(
            name,
            trends.get(name, ""),
            Table(
                heads,
                tuple(
                    (
                        pair.a,
                        pair.b,
                        figures.signed(pair.difference),
                        figures.p_value(pair.p),
                        figures.p_value(pair.p_adjusted),
                        figures.p_value(pair.smallest_possible_p),
                    )
                    for pair in pairs[name]
                ),
                names=2,
            ),
        )
        for name in STATISTICS
        if pairs[name] or name in trends
    ]


def calibration(report: Report) -> Table | None:
    """Accuracy, and in brackets the number of answers, at each confidence; how well confidence separates."""
    rated = [(c.name, c.calibration) for c in report.conditions if c.calibration]
    if not rated:
        return None
    heads = [f"Confidence {level.level}" for level in rated[0][1].levels]
    rows = [
        (
            name,
            *(f"{figures.share(at.accuracy)} ({at.answers})" for at in found.levels),
            figures.share(found.separation),
        )
        for name, found in rated
    ]
    return Table(("Condition", *heads, "Separation"), tuple(rows))


def without_rules(report: Report) -> Table | None:
    """The figures as reported, and as they would be with every finished sheet."""
    if report.exclusions is None:
        return None
    everybody = {found.name: found for found in report.exclusions.without}
    heads = (
        "Condition",
        *(f"{what}, {who}" for what in ("Annotators", "Accuracy ± std", "Alpha") for who in ("counted", "all")),
    )
    return Table(heads, tuple(_both(c, everybody[c.name]) for c in report.conditions if c.name in everybody))


def _both(counted: ConditionReport, everybody: Unfiltered) -> tuple[str, ...]:
    return (
        counted.name,
        str(counted.annotators),
        str(everybody.annotators),
        figures.accuracy(counted.accuracy),
        figures.accuracy(everybody.accuracy),
        figures.alpha(counted.alpha),
        figures.alpha(everybody.alpha),
    )


def _coefficient(found: CoefficientFigures) -> str:
    return figures.share(found.value) if found.undefined is None else "undefined"


def _part(part: Part) -> tuple[str, str]:
    if not part.items:
        return figures.NONE, figures.NONE
    return figures.accuracy(part.accuracy), figures.alpha(part.alpha)
