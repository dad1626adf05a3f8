"""A planner's curves over annotators per condition: power, width of alpha's interval, cost. Workers only.

One line per number of items, told apart by dashes, shapes and a name at its end; colour is never needed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import altair as alt

from studies.reports.charts import FAILED, Chart, render_chart
from studies.reports.charts_marks import WIDTH, Row, dimmed, tells
from studies.reports.plan_shape import Plan
from studies.reports.plan_words import money, percent, width
from studies.watch import reason_of

logger = logging.getLogger(__name__)

HEIGHT = 250
#: Room at the right of the last point for the names of the lines, as a share of the scale
NAMES = 0.2
DASHES: tuple[list[int], ...] = ([2, 3], [1, 0], [8, 4])
SHAPES = ("square", "circle", "triangle-up")


def plan_chart_rows(plan: Plan) -> list[dict[str, Any]]:
    """The charts of a plan as JSON, to be stored; where they cannot be drawn, one row that says why."""
    try:
        return [asdict(chart) for chart in plan_charts(plan)]
    except Exception as error:  # a plan without drawings still has all its figures
        logger.exception("the curves of a plan could not be drawn")
        return [{FAILED: reason_of(error)}]


def plan_charts(plan: Plan) -> list[Chart]:
    """Power (where there is something to compare), width of alpha's interval, cost (where there is a pay)."""
    charts = [_power_chart(plan)] if plan.grid.power else []
    charts += [_alpha_chart(plan)]
    return [*charts, _cost_chart(plan)] if plan.money else charts


def _power_chart(plan: Plan) -> Chart:
    wanted = plan.request.power
    values = _rows(plan, plan.grid.power or (), percent)
    lines = _lines(plan, values, 1.0, _axis("Studies that find it", ".0%"))
    return render_chart(
        "plan-power",
        "Power",
        "Share of simulated studies whose test finds the difference, by annotators per condition; one line per number"
        f" of items. The dashed line is the {percent(wanted)} that are wanted.",
        _layers(*_goal(plan, wanted, f"wanted: {percent(wanted)}"), *_asked(plan), *lines),
    )


def _alpha_chart(plan: Plan) -> Chart:
    wanted = plan.request.width
    values = _rows(plan, plan.grid.alpha_width, width)
    most = max([wanted * 1.2, *(row["y"] for row in values)])
    lines = _lines(plan, values, min(2.0, most), _axis("Width of the 95 % interval", ".1f"))
    return render_chart(
        "plan-alpha",
        "How precisely agreement is measured",
        "Expected width of the 95 % interval of Krippendorff's alpha, for new annotators and new items, by annotators"
        f" per condition; one line per number of items. The dashed line is the {width(wanted)} that is wanted.",
        _layers(*_goal(plan, wanted, f"wanted: {width(wanted)}"), *_asked(plan), *lines),
    )


def _cost_chart(plan: Plan) -> Chart:
    values = _rows(plan, plan.grid.money, money)
    lines = _lines(plan, values, max(row["y"] for row in values), _axis("Cost of all conditions", ",d"))
    return render_chart(
        "plan-cost",
        "Cost",
        "What all annotators of all conditions cost, by annotators per condition; one line per number of items.",
        _layers(*_asked(plan), *lines),
    )


def _rows(plan: Plan, table: Sequence[Sequence[float | None]], words: Any) -> list[Row]:
    """`condition` is what charts.js dims the others by: here the line's number of items."""
    return [
        {"condition": f"{items} items", "x": annotators, "y": value, "words": words(value)}
        for items, row in zip(plan.grid.items, table, strict=True)
        for annotators, value in zip(plan.grid.annotators, row, strict=True)
        if value is not None
    ]


def _lines(plan: Plan, values: list[Row], top: float, axis: alt.Axis) -> list[alt.Chart]:
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=axis)
    names = [f"{items} items" for items in plan.grid.items]
    middle = plan.grid.items.index(plan.request.items)
    # The design's own number of items is the full line with circles.
    styles = [(DASHES[1 + place - middle], SHAPES[1 + place - middle]) for place in range(len(names))]
    dashes = alt.Scale(domain=names, range=[dash for dash, _ in styles])
    shapes = alt.Scale(domain=names, range=[shape for _, shape in styles])
    told = tells(condition="", x="Annotators per condition", words="")
    place = _chart(values).encode(x=_x(plan), y=y)
    ends = list({row["condition"]: row for row in values}.values())
    return [
        place.mark_line(strokeWidth=1.8).encode(
            detail="condition:N", strokeDash=alt.StrokeDash("condition:N", scale=dashes, legend=None), opacity=dimmed()
        ),
        place.mark_point(filled=True, size=42).encode(
            shape=alt.Shape("condition:N", scale=shapes, legend=None), tooltip=told, opacity=dimmed()
        ),
        *(
            _chart([end])
            .mark_text(align="left", dx=8, dy=dy)
            .encode(x=_x(plan), y=y, text="condition:N", opacity=dimmed())
            for end, dy in zip(ends, _apart([end["y"] / top for end in ends]), strict=True)
        ),
    ]


def _apart(heights: Sequence[float]) -> list[int]:
    """Shifts in pixels that keep the names of lines that end close to each other from lying upon each other.

    heights: shares of the drawing's height
    """
    order = sorted(range(len(heights)), key=lambda place: -heights[place])
    shifts, last = [0] * len(heights), -100.0
    for place in order:
        at = (1 - heights[place]) * HEIGHT
        moved = max(at, last + 14)
        shifts[place], last = round(moved - at), moved
    return shifts


def _goal(plan: Plan, wanted: float, words: str) -> list[alt.Chart]:
    # It ends where the lines end: their names stand beyond.
    place = _chart([{"y": wanted, "x": 0, "to": plan.grid.annotators[-1], "words": words}])
    line = place.mark_rule(strokeDash=[3, 4], strokeOpacity=0.8).encode(x=_x(plan), x2="to:Q", y="y:Q")
    name = place.mark_text(align="left", baseline="bottom", dx=4, dy=-3, fontSize=11)
    return [line, name.encode(x=_x(plan), y="y:Q", text="words:N")]


def _asked(plan: Plan) -> list[alt.Chart]:
    """A thin line at the design's own number of annotators, where all conditions have the same."""
    if len(set(plan.request.sizes)) > 1:
        return []
    place = _chart([{"x": plan.request.sizes[0], "words": f"asked: {plan.request.sizes[0]}"}])
    name = place.mark_text(baseline="bottom", dy=-3, fontSize=11)
    return [
        place.mark_rule(strokeOpacity=0.45).encode(x=_x(plan)),
        name.encode(x=_x(plan), y=alt.value(0), text="words:N"),
    ]


def _x(plan: Plan) -> alt.X:
    last = plan.grid.annotators[-1]
    scale = alt.Scale(domain=[0, last * (1 + NAMES)], nice=False)
    ticks = list(range(0, last + 1, max(1, round(last / 8))))
    axis = alt.Axis(title="Annotators per condition", values=ticks, format="d", grid=False, labelFlush=False)
    return alt.X("x:Q", scale=scale, axis=axis)


def _axis(title: str, form: str) -> alt.Axis:
    return alt.Axis(title=title, format=form, tickCount=5)


def _chart(values: list[Row]) -> alt.Chart:
    return alt.Chart(alt.Data(values=values))


def _layers(*layers: alt.Chart) -> alt.LayerChart:
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    return alt.LayerChart(layer=list(layers), width=WIDTH, height=HEIGHT, autosize=fit)
