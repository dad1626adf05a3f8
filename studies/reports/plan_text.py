"""A plan as text for a terminal: the answer, a table per condition, what would suffice, and power by size."""

from __future__ import annotations

from collections.abc import Sequence

from studies.reports.figures import NONE
from studies.reports.plan_shape import Plan, PlanOption
from studies.reports.plan_words import money, percent, width

Lines = list[str]


def plan_text(plan: Plan) -> str:
    """Everything, not wrapped."""
    lines = [*plan.answer, ""]
    lines += [f"note: {note}" for note in plan.notes] + [""] * bool(plan.notes)
    lines += [_design(plan), ""]
    lines += [*_table(*arm_rows(plan), names=1), ""]
    if len(plan.pairs) > 1:
        lines += [*_table(*pair_rows(plan), names=2), ""]
    lines += [*_table(*option_rows(plan), names=2), ""]
    lines += _table(*grid_rows(plan), names=1)
    return "\n".join(lines)


def arm_rows(plan: Plan) -> tuple[Lines, list[Lines]]:
    """Heads and rows: one per condition, and the sum."""
    heads = [
        "condition",
        "accuracy",
        "share right",
        "annotators",
        "alpha",
        "its interval",
        "accuracy's",
        "hours",
        "cost",
    ]
    rows = [
        [
            arm.name,
            f"{arm.accuracy:.3g}",
            f"{arm.share:.2f}",
            str(arm.annotators),
            f"{arm.alpha:.2f}",
            _width(arm.alpha_width),
            _width(arm.accuracy_width),
            f"{arm.hours:.1f}",
            money(arm.money),
        ]
        for arm in plan.arms
    ]
    total = ["in all", "", "", str(sum(plan.request.sizes)), "", "", "", f"{plan.hours:.1f}", money(plan.money)]
    return heads, [*rows, total]


def pair_rows(plan: Plan) -> tuple[Lines, list[Lines]]:
    """Heads and rows: one per pair of conditions."""
    return ["condition", "and", "found"], [[pair.a, pair.b, percent(pair.power)] for pair in plan.pairs]


def option_rows(plan: Plan) -> tuple[Lines, list[Lines]]:
    """Heads and rows: what suffices for each goal, or why nothing does."""
    return ["goal", "by", "smallest", "reaches", "hours", "cost"], [_option(plan, one) for one in plan.options]


def grid_rows(plan: Plan) -> tuple[Lines, list[Lines]]:
    """Heads and rows: per number of annotators, for each number of items the power, the width and the cost."""
    grid = plan.grid
    heads = ["annotators per condition"]
    for items in grid.items:
        heads += [f"{items} items: found"] if grid.power else []
        heads += ["alpha's interval" if grid.power else f"{items} items: alpha's interval", "cost"]
    rows = []
    for column, annotators in enumerate(grid.annotators):
        row = [str(annotators)]
        for place in range(len(grid.items)):
            row += [percent(grid.power[place][column])] if grid.power else []
            row += [_width(grid.alpha_width[place][column]), money(grid.money[place][column])]
        rows.append(row)
    return heads, rows


def _option(plan: Plan, one: PlanOption) -> Lines:
    is_power = one.goal == "power"
    goal = f"found {percent(plan.request.power)}" if is_power else f"alpha's interval {width(plan.request.width)}"
    by = "annotators per condition" if one.over == "annotators" else "items"
    if one.number is None:
        return [goal, by, f"none: {one.reason}", "", "", ""]
    reached = percent(one.value or 0) if is_power else _width(one.value)
    return [goal, by, str(one.number), reached, f"{one.hours or 0:.1f}", money(one.money or 0)]


def _design(plan: Plan) -> str:
    request = plan.request
    test = "trend test" if request.test == "trend" else "pairs, Holm"
    least = NONE if plan.smallest_p is None else f"{plan.smallest_p:.2g}"
    return (
        f"{request.items} items, {request.choices} choices, annotator SD {request.annotator_sd:g}, item SD"
        f" {request.item_sd:g}; {test} at {request.level:g}, smallest possible p {least}; {plan.simulations} simulated"
        f" studies (error of the power {plan.error or 0:.3f})"
    )


def _width(value: float | None) -> str:
    return NONE if value is None else width(value)


def _table(heads: Lines, rows: Sequence[Lines], *, names: int) -> Lines:
    """Columns by their widest cell; names to the left, figures to the right; a reason runs on."""
    short = [row for row in rows if not any(cell.startswith("none: ") for cell in row)]
    widths = [max(len(cell) for cell in column) for column in zip(heads, *short, strict=True)]

    def line(row: Lines) -> str:
        cells = (
            cell.ljust(size) if place < names or cell.startswith("none: ") else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [line(heads), *(line(row) for row in rows)]
