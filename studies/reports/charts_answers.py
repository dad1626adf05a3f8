"""Charts of what people said beside their choice, and of how many stayed: confidence, helpfulness, drop-off."""

from __future__ import annotations

from typing import Any

import altair as alt

from studies.reports import figures
from studies.reports.charts import INK, Chart, render_chart
from studies.reports.charts_marks import (
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
from studies.reports.shape import ConditionReport, Report

LEVELS = (1.0, 5.0)
SHARES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
#: Ends of calibration's scale: 1.0 lies as many pixels left of the edge as "n = 1000" and a dot need, at every width.
LEFT, BESIDE = -0.08, 54
RIGHT = f"{1 - LEFT} * width / max(1, width - {BESIDE}) + {LEFT}"


def confidence_chart(report: Report) -> Chart | None:
    """Each annotator's mean confidence, and mean ± standard deviation over answers."""
    people: list[Row] = []
    means: list[Row] = []
    for condition in report.conditions:
        found = condition.confidence
        if found is not None and found.mean is not None:
            people += people_rows(condition.name, found.per_annotator, lambda mean: f"{mean:.2f}")
            means.append(mean_row(condition.name, found.mean, _spread(found.mean, found.std), figures.spread(found)))
    if not means:
        return None
    rows = Rows([c.name for c in report.conditions], 58)
    scale = x("value", "Confidence", LEVELS, format="d", tickCount=4)
    return render_chart(
        "confidence",
        "Confidence",
        "Each dot is the mean confidence of one annotator, from 1 to 5. The diamond below is the mean over all answers,"
        " the bar one standard deviation to both sides, cut at the ends of the scale.",
        rows.chart(*strip(rows, people, means, scale, "Confidence")),
    )


def calibration_chart(report: Report) -> Chart | None:
    """Accuracy of the answers given at each confidence, with their number."""
    values = [row for condition in report.conditions for row in _calibration_rows(condition)]
    if not any(row["answers"] for row in values):
        return None
    rows = Rows([c.name for c in report.conditions if c.calibration], 96)
    told = tells(condition="Condition", level="Confidence", answers="Answers", words="Accuracy", bounds="95 % interval")
    rated = [row for row in values if row["value"] is not None]
    bounded = [row for row in rated if row["low"] is not None]
    places = [rows.data(part).encode(y=rows.y, yOffset=offset(), tooltip=told) for part in (values, rated, bounded)]
    # Room beside the scale: the level on the left, the number of answers on the right, as wide as its letters are.
    scale = x("value", "Accuracy", (LEFT, 1.0), values=SHARES, tickCount=len(SHARES), domain=False)
    scale = scale.scale(domainMin=LEFT, domainMax=alt.expr(RIGHT), nice=False, zero=False)
    level, count = places[0].mark_text(fontWeight="bold"), places[0].mark_text(align="right", fontSize=11)
    chance = [] if report.chance is None else reference(report.chance, f"guessing {figures.share(report.chance)}")
    return render_chart(
        "calibration",
        "Are people right when they are sure?",
        "Share of right answers among those given at each confidence, from 1 to 5 downwards, with 95 % intervals (none"
        " where all are right or all are wrong) and the number of answers. Where people know what they know, points"
        " move to the right from 1 to 5.",
        rows.chart(
            *chance,
            *interval(places[2], width=1),
            places[1].mark_point(filled=True, size=55).encode(x=scale, opacity=dimmed()),
            level.encode(x=alt.datum(-0.05), text="level:N", opacity=dimmed()),
            count.encode(x=alt.value("width"), text="count:N", opacity=dimmed()),
        ),
    )


def helpful_chart(report: Report) -> Chart | None:
    """Which page was more helpful: shares of answers."""
    values = [row for condition in report.conditions for row in _helpful_rows(condition)]
    if not values:
        return None
    rows = Rows(list(dict.fromkeys(row["condition"] for row in values)), 34)
    left = alt.Chart(alt.Data(values=[{"at": 0, "words": "← Overview"}]))
    right = alt.Chart(alt.Data(values=[{"at": 1, "words": "Features →"}]))
    heads = [
        left.mark_text(baseline="bottom", dy=-4, align="left", fontSize=11),
        right.mark_text(baseline="bottom", dy=-4, align="right", fontSize=11),
    ]
    told = tells(condition="Condition", page="More helpful", words="Answers")
    return render_chart(
        "helpful",
        "Which page was more helpful",
        "Share of answers, of all annotators and items, that found the Overview page (left, empty) or the Features"
        " page (right, shaded) more helpful; the numbers are counts of answers.",
        rows.chart(
            *_bars(rows, values, x("from", "Share of answers", (0.0, 1.0), format="%"), told),
            *(head.encode(x="at:Q", y=alt.value(0), text="words:N") for head in heads),
        ),
    )


def drop_off_chart(report: Report) -> Chart | None:
    """How many started and how many finished."""
    values = [row for condition in report.conditions for row in _drop_off_rows(condition)]
    if not values:
        return None
    rows = Rows([c.name for c in report.conditions], 34)
    most = max(row["to"] for row in values)
    scale = x("from", "Annotators", (0.0, most), format="d", tickMinStep=1)
    return render_chart(
        "drop-off",
        "Started and finished",
        "Annotators who were assigned to each condition (outline) and those of them who finished (shaded).",
        rows.chart(*_bars(rows, values, scale, tells(condition="Condition", part="Who", words="Annotators"))),
    )


def _spread(mean: float, std: float | None) -> tuple[float, float] | None:
    return None if std is None else (max(LEVELS[0], mean - std), min(LEVELS[1], mean + std))


def _calibration_rows(condition: ConditionReport) -> list[Row]:
    found = condition.calibration.levels if condition.calibration else ()
    return [
        {
            "condition": condition.name,
            "level": level.level,
            "answers": level.answers,
            "count": f"n = {level.answers}",
            "value": level.accuracy,
            "low": level.interval[0] if level.interval else None,
            "high": level.interval[1] if level.interval else None,
            "words": figures.share(level.accuracy),
            "bounds": figures.interval(level.interval),
            "offset": (level.level - 3) * 0.45,
        }
        for level in found
    ]


def _helpful_rows(condition: ConditionReport) -> list[Row]:
    found = condition.helpful
    total = found.overview + found.features if found else 0
    if found is None or not total:
        return []
    share, shown = found.overview / total, f"{found.features} ({found.features / total:.0%})"

    def part(page: str, start: float, end: float, answers: int, **text: Any) -> Row:
        words = f"{answers} ({answers / total:.0%})"
        return {"condition": condition.name, "page": page, "from": start, "to": end, "words": words, **text}

    return [
        part("Overview", 0, share, found.overview, shade=0, side="left", text=str(found.overview), at=0),
        part(
            "Features",
            share,
            1,
            found.features,
            shade=0.3,
            side="right",
            text=shown,
            at=1,
        ),
    ]


def _drop_off_rows(condition: ConditionReport) -> list[Row]:
    lost = condition.drop_off
    if not lost.assigned:
        return []
    words = f"{lost.finished} of {lost.assigned}" + (f", {lost.withdrawn} withdrew" if lost.withdrawn else "")
    base = {"condition": condition.name, "from": 0, "side": "left", "at": 0}
    return [
        {**base, "part": "started", "to": lost.assigned, "words": str(lost.assigned), "shade": 0, "text": ""},
        {**base, "part": "finished", "to": lost.finished, "words": str(lost.finished), "shade": 0.3, "text": words},
    ]


def _bars(rows: Rows, values: list[Row], scale: alt.X, told: list[alt.Tooltip]) -> list[alt.Chart]:
    """Outlined bars `from` - `to`, some shaded, with a text `at` one of the ends."""
    place = rows.data(values).encode(y=rows.y, tooltip=told)
    shade = alt.FillOpacity("shade:Q", scale=None)
    bars = place.mark_bar(stroke=INK, strokeWidth=1, height=20).encode(
        x=scale, x2="to:Q", fillOpacity=shade, opacity=dimmed()
    )
    texts = [
        rows.data([row for row in values if row["side"] == side])
        .mark_text(align=side, dx=6 if side == "left" else -6)
        .encode(y=rows.y, x="at:Q", text="text:N", opacity=dimmed())
        for side in sorted({row["side"] for row in values})
    ]
    return [bars, *texts]
