"""The tables of a plan, the same at the terminal and on the page: figures as words, in rows. No numpy."""

from __future__ import annotations

from studies.reports.figures import NONE
from studies.reports.html_tables import Table
from studies.reports.plan_shape import Plan, PlanOption
from studies.reports.plan_words import PER_CONDITION, decimals, money, percent, width


def arm_table(plan: Plan) -> Table:
    """One row per condition, and the sum."""
    heads = (
        "Condition",
        "Accuracy",
        "Share right",
        "Annotators",
        "Alpha",
        "Its interval",
        "Accuracy's interval",
        "Hours",
        "Cost",
    )
    rows = [
        (
            arm.name,
            f"0{decimals(arm.accuracy)}",
            f"{arm.share:.2f}",
            str(arm.annotators),
            f"{arm.alpha:.2f}",
            width_or_none(arm.alpha_width),
            width_or_none(arm.accuracy_width),
            f"{arm.hours:.1f}",
            money(arm.money),
        )
        for arm in plan.arms
    ]
    everybody = str(sum(plan.request.sizes))
    total = ("In all", "", "", everybody, "", "", "", f"{plan.hours:.1f}", money(plan.money))
    return Table(heads, (*rows, total))


def pair_table(plan: Plan) -> Table:
    """One row per pair of conditions: how often they are found to differ."""
    rows = tuple((pair.a, pair.b, percent(pair.power)) for pair in plan.pairs)
    return Table(("Condition", "and", "Found to differ"), rows, names=2)


def option_table(plan: Plan) -> Table:
    """What suffices for each goal. Where nothing does, the last cell of a short row says why."""
    heads = ("Goal", "By", "Smallest", "Reaches", "Hours", "Cost")
    return Table(heads, tuple(_option(plan, one) for one in plan.options), names=2)


def grid_table(plan: Plan) -> Table:
    """Per number of annotators, for each number of items: power, width of alpha's interval, cost."""
    grid = plan.grid
    figures = ("found", "alpha's interval", "cost") if grid.power else ("alpha's interval", "cost")
    heads = [f"{items} items: {figure}" for items in grid.items for figure in figures]
    rows = []
    for column, annotators in enumerate(grid.annotators):
        row = [str(annotators)]
        for place in range(len(grid.items)):
            row += [percent(grid.power[place][column])] if grid.power else []
            row += [width_or_none(grid.alpha_width[place][column]), money(grid.money[place][column])]
        rows.append(tuple(row))
    return Table((f"Annotators {PER_CONDITION}", *heads), tuple(rows))


def _option(plan: Plan, one: PlanOption) -> tuple[str, ...]:
    is_power = one.goal == "power"
    goal = f"found in {percent(plan.request.power)}" if is_power else f"alpha's interval {width(plan.request.width)}"
    by = f"annotators {PER_CONDITION}" if one.over == "annotators" else "items"
    if one.number is None:
        return goal, by, one.reason or NONE
    reached = percent(one.value or 0) if is_power else width_or_none(one.value)
    return goal, by, str(one.number), reached, f"{one.hours or 0:.1f}", money(one.money or 0)


def width_or_none(value: float | None) -> str:
    """.41, or a dash where there is no interval."""
    return NONE if value is None else width(value)
