"""A report as text for a terminal or a log: one line per condition, never wrapped; what is rarer stands below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studies.reports import figures
from studies.reports.shape import STATISTICS, ConditionReport, Report
from studies.reports.text_figures import further

HEADER = (
    "condition",
    "annotators",
    "accuracy",
    "95 % interval",
    "alpha",
    "95 % interval",
    "right / wrong",
    "confidence",
    "overview / features",
)


def as_text(report: Report) -> str:
    """The whole report; lines end with a newline."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    if report.mark:
        yield report.mark
    yield f"{report.title} ({report.study})"
    yield f"Version {report.version[:12]}; state: {report.state}; {figures.plan(report)}."
    items = report.conditions[0].items if report.conditions else 0
    yield f"{items} items; guessing reaches {figures.share(report.chance)}. Accuracy: mean ± std over annotators."
    yield (
        "Intervals hold for new annotators and new items, unless their row names others. right / wrong: accuracy where"
        " the model is right / wrong."
    )
    yield ""
    yield from _table([HEADER, *(_row(condition) for condition in report.conditions)])
    yield ""
    yield report.primary.sentence
    yield from _tests(report)
    yield ""
    yield from _table([("further figures", *(c.name for c in report.conditions)), *further(report)], by_row=True)
    yield figures.drop_off(report.drop_off)
    if report.warnings:
        yield ""
        yield "Please note"
        yield from (f"- {warning}" for warning in report.warnings)
    yield ""
    yield "Methods"
    yield from (paragraph for paragraph in report.methods.split("\n") if paragraph)


def _row(condition: ConditionReport) -> tuple[str, ...]:
    split = condition.split
    parts = (split.model_right, split.model_wrong) if split else ()
    return (
        condition.name,
        str(condition.annotators),
        figures.accuracy(condition.accuracy),
        figures.interval(condition.accuracy.interval if condition.accuracy else None),
        figures.alpha(condition.alpha),
        figures.interval(condition.alpha.interval),
        " / ".join(figures.share(part.accuracy.mean) for part in parts) or figures.NONE,
        figures.spread(condition.confidence),
        figures.helpful(condition.helpful),
    )


def _table(rows: Sequence[Sequence[str]], *, by_row: bool = False) -> Iterator[str]:
    """Columns aligned; a column (by_row: a row) without a single figure is left out."""
    if by_row:
        rows = [rows[0], *(row for row in rows[1:] if any(cell != figures.NONE for cell in row[1:]))]
    columns = [c for c in zip(*rows, strict=True) if by_row or any(cell != figures.NONE for cell in c[1:])]
    widths = [max(map(len, column)) for column in columns]
    for cells in zip(*columns, strict=True):
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _tests(report: Report) -> Iterator[str]:
    if report.trends:
        yield ""
        yield from (figures.trend(trend) for trend in report.trends)
    for statistic in STATISTICS:
        pairs = [pair for pair in report.comparisons if pair.statistic == statistic]
        if pairs:
            yield ""
            yield f"Differences of {statistic}, annotators permuted; adjusted for all pairs (Holm)"
            if statistic == "alpha":
                yield figures.ALPHA_TESTS
        for pair in pairs:
            yield (
                f"- {pair.b} minus {pair.a}: {figures.signed(pair.difference)}, {figures.p_sentence(pair.p)},"
                f" adjusted {figures.p_value(pair.p_adjusted)}"
            )
