"""A report as HTML: what the template part of the report page needs, and the same part as one self-contained file."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from studies.reports import figures
from studies.reports.plots import LEFT, RIGHT, place, strips
from studies.reports.shape import Comparison, ConditionReport, Part, Report

STYLES = ("studies/static/studies/base.css", "studies/static/studies/report.css")
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Row:
    """One line of the main table, in words."""

    name: str
    annotators: int
    accuracy: str
    accuracy_interval: str
    alpha: str
    alpha_interval: str
    alpha_identity: str
    confidence: str
    helpful: str


@dataclass(frozen=True)
class SplitRow:
    """One condition on the items that the model gets right, and wrong."""

    name: str
    right_accuracy: str
    right_alpha: str
    wrong_accuracy: str
    wrong_alpha: str


@dataclass(frozen=True)
class PairRow:
    """One comparison, in words."""

    a: str
    b: str
    difference: str
    p: str
    p_adjusted: str
    smallest: str


def as_html(report: Report) -> str:
    """A standalone page: it loads nothing, so it can be mailed or archived."""
    style = "\n".join((settings.BASE_DIR / name).read_text(encoding="utf-8") for name in STYLES)
    return render_to_string("researcher/report_file.html", {**report_context(report), "style": style})


def report_context(report: Report) -> dict[str, object]:
    """What templates/researcher/_report.html shows."""
    rows = [_row(condition) for condition in report.conditions]
    split = [c for c in report.conditions if c.split]
    return {
        "report": report,
        "plan": figures.plan(report),
        "items": report.conditions[0].items if report.conditions else 0,
        "chance": figures.share(report.chance),
        "strips": strips(report),
        "axis": {"left": LEFT, "right": RIGHT, "ticks": [(place(tick), f"{tick:g}") for tick in TICKS]},
        "chance_at": place(report.chance),
        "rows": rows,
        "has_confidence": any(c.confidence for c in report.conditions),
        "has_helpful": any(c.helpful for c in report.conditions),
        "split_items": split[0].split if split else None,
        "split_rows": [_split_row(c) for c in split],
        "trend": figures.trend(report.trend) if report.trend else "",
        "pairs": [_pair_row(pair) for pair in report.comparisons],
    }


def _row(condition: ConditionReport) -> Row:
    return Row(
        name=condition.name,
        annotators=condition.annotators,
        accuracy=figures.accuracy(condition.accuracy),
        accuracy_interval=figures.interval(condition.accuracy.interval if condition.accuracy else None),
        alpha=figures.alpha(condition.alpha),
        alpha_interval=figures.interval(condition.alpha.interval),
        alpha_identity=figures.alpha(condition.alpha_identity),
        confidence=figures.spread(condition.confidence),
        helpful=figures.helpful(condition.helpful),
    )


def _split_row(condition: ConditionReport) -> SplitRow:
    def words(part: Part) -> tuple[str, str]:
        return (
            (figures.accuracy(part.accuracy), figures.alpha(part.alpha)) if part.items else (figures.NONE, figures.NONE)
        )

    assert condition.split is not None
    return SplitRow(condition.name, *words(condition.split.model_right), *words(condition.split.model_wrong))


def _pair_row(pair: Comparison) -> PairRow:
    return PairRow(
        a=pair.a,
        b=pair.b,
        difference=figures.signed(pair.difference),
        p=figures.p_value(pair.p),
        p_adjusted=figures.p_value(pair.p_adjusted),
        smallest=figures.p_value(pair.smallest_possible_p),
    )
