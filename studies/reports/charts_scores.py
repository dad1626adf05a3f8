"""Charts of accuracy and of agreement: strips of annotators, means and intervals. Workers only."""

from __future__ import annotations

import altair as alt

from studies.reports import figures
from studies.reports.charts import Chart, render_chart
from studies.reports.charts_marks import (
    BLUE,
    VERMILLION,
    Row,
    Rows,
    dimmed,
    interval,
    mean_row,
    offset,
    people_rows,
    reference,
    strip,
    tells,
    x,
)
from studies.reports.shape import AccuracyFigures, AlphaFigures, ConditionReport, Report

SHARES = (0.0, 1.0)
PARTS = ("model right", "model wrong")
#: How thick the bar for these annotators is, in pixels; that for new ones is 1.5
INNER = 5


def accuracy_chart(report: Report) -> Chart | None:
    """One dot per annotator, the mean as a diamond with its interval, the level of guessing."""
    people: list[Row] = []
    means: list[Row] = []
    for condition in report.conditions:
        found = condition.accuracy
        if found is not None and found.mean is not None:
            people += people_rows(condition.name, found.per_annotator, figures.share)
            means.append(_accuracy_row(condition.name, found, found.mean))
    if not means:
        return None
    rows = Rows([c.name for c in report.conditions], 58)
    scale = x("value", "Accuracy", SHARES)
    return render_chart(
        "accuracy",
        "Accuracy",
        "Share of items where people choose what the model predicts. Each dot is one annotator; the diamond below is"
        f" their mean, the bar its 95 % interval for new annotators and new items.{_about_guessing(report)}",
        rows.chart(*_guessing(report), *strip(rows, people, means, scale, "Accuracy")),
    )


def split_chart(report: Report) -> Chart | None:
    """Accuracy on the items that the model gets right, and on those that it gets wrong."""
    values = [row for condition in report.conditions for row in _split_rows(condition)]
    if {row["part"] for row in values} != set(PARTS):
        return None
    rows = Rows([c.name for c in report.conditions], 46)
    told = tells(condition="Condition", part="Items", words="Accuracy, mean ± std", bounds="95 % interval")
    place = rows.data(values).encode(y=rows.y, yOffset=offset(), tooltip=told)
    bounded = rows.data([row for row in values if row["low"] is not None]).encode(
        y=rows.y, yOffset=offset(), tooltip=told
    )
    points = place.mark_point(size=75, strokeWidth=2, filled=False).encode(
        x=x("value", "Accuracy", SHARES),
        stroke=alt.Stroke("part:N", scale=_by_part(BLUE, VERMILLION), title=None),
        fill=alt.Fill("part:N", scale=_by_part(BLUE, "transparent"), title=None),
        shape=alt.Shape("part:N", scale=_by_part("circle", "square"), title=None),
        opacity=dimmed(),
    )
    return render_chart(
        "split",
        "Where the model is right, and where it is wrong",
        "Mean accuracy on the items where the model's prediction is true (filled circle), and where it is not (open"
        f" square), with 95 % intervals.{_about_guessing(report)}",
        rows.chart(*_guessing(report), *interval(bounded, width=1), points),
    )


def alpha_chart(report: Report) -> Chart | None:
    """Alpha with its interval; where it is undefined, the reason."""
    known, missing = [], []
    for condition in report.conditions:
        found = condition.alpha
        if found.undefined is not None:
            missing.append({"condition": condition.name, "words": f"undefined: {figures.REASONS[found.undefined]}"})
        elif found.value is not None:
            known.append(_alpha_row(condition.name, found, found.value))
    if not known:
        return None
    rows = Rows([c.name for c in report.conditions], 34)
    told = tells(condition="Condition", words="Alpha", bounds=f"95 %, {figures.NEW}", inner=f"95 %, {figures.THESE}")
    place = rows.data(known).encode(y=rows.y, tooltip=told)
    bounded = rows.data([row for row in known if row["low"] is not None]).encode(y=rows.y, tooltip=told)
    inner = rows.data([row for row in known if row["low_items"] is not None]).encode(y=rows.y, tooltip=told)
    ends = (row[end] for row in known for end in ("value", "low", "low_items"))
    lowest = min(end for end in ends if end is not None)
    scale = x("value", "Krippendorff's alpha", (min(0.0, lowest - 0.02), 1.0))
    layers = [
        *reference(0, "0: as by chance"),
        *interval(bounded),
        inner.mark_rule(strokeWidth=INNER).encode(x="low_items:Q", x2="high_items:Q", opacity=dimmed()),
        place.mark_point(filled=True, size=75).encode(x=scale, opacity=dimmed()),
    ]
    if missing:
        words = rows.data(missing).mark_text(align="left", dx=6, fontStyle="italic")
        layers.append(words.encode(y=rows.y, x=alt.value(0), text="words:N", opacity=dimmed()))
    return render_chart(
        "alpha",
        "Agreement",
        "Krippendorff's alpha: 1 is full agreement, 0 what chance gives, below 0 people disagree more than by chance."
        f" The thin bar is its 95 % interval for {figures.NEW}, the thick one that for {figures.THESE}.",
        rows.chart(*layers),
    )


def _guessing(report: Report) -> list[alt.Chart]:
    return [] if report.chance is None else reference(report.chance, f"guessing {figures.share(report.chance)}")


def _about_guessing(report: Report) -> str:
    return "" if report.chance is None else " The dashed line is what guessing reaches."


def _accuracy_row(condition: str, found: AccuracyFigures, mean: float, **more: object) -> Row:
    bounds = figures.interval(found.interval)
    return mean_row(condition, mean, found.interval, figures.accuracy(found), bounds=bounds, **more)


def _alpha_row(condition: str, found: AlphaFigures, value: float) -> Row:
    low, high = found.interval_items or (None, None)
    bounds, inner = figures.interval(found.interval), figures.interval(found.interval_items)
    ends = {"low_items": low, "high_items": high}
    return mean_row(condition, value, found.interval, figures.alpha(found), bounds=bounds, inner=inner, **ends)


def _split_rows(condition: ConditionReport) -> list[Row]:
    if condition.split is None:
        return []
    places = zip(PARTS, (condition.split.model_right, condition.split.model_wrong), (-0.4, 0.4), strict=True)
    return [
        _accuracy_row(condition.name, part.accuracy, part.accuracy.mean, part=name) | {"offset": place}
        for name, part, place in places
        if part.accuracy.mean is not None
    ]


def _by_part(right: str, wrong: str) -> alt.Scale:
    return alt.Scale(domain=list(PARTS), range=[right, wrong])
