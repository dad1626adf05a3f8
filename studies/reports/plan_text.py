"""A plan as text for a terminal: the answer, a table per condition, what would suffice, and figures by size."""

from __future__ import annotations

from studies.reports import plan_tables
from studies.reports.html_tables import Table
from studies.reports.plan_shape import Plan


def plan_text(plan: Plan) -> str:
    """Everything, not wrapped."""
    parts = [list(plan.answer), [f"note: {note}" for note in plan.notes], [_design(plan)]]
    tables = [plan_tables.arm_table(plan)]
    tables += [plan_tables.pair_table(plan)] if len(plan.pairs) > 1 else []
    tables += [plan_tables.option_table(plan), plan_tables.grid_table(plan)]
    return "\n\n".join("\n".join(lines) for lines in [*parts, *map(_aligned, tables)] if lines)


def _design(plan: Plan) -> str:
    request = plan.request
    assumed = (
        f"{request.items} items, {request.choices} choices, annotator SD {request.annotator_sd:g}, item SD"
        f" {request.item_sd:g}"
    )
    if plan.smallest_p is None:  # one condition: nothing is tested
        return f"{assumed}; {plan.simulations} simulated studies"
    test = "trend test" if request.test == "trend" else "pairs, Holm"
    return (
        f"{assumed}; {test} at {request.level:g}, smallest possible p {plan.smallest_p:.2g}; {plan.simulations}"
        f" simulated studies (error of the power {plan.error or 0:.3f})"
    )


def _aligned(table: Table) -> list[str]:
    """Columns by their widest cell; names to the left, figures to the right; a short row's last cell runs on."""
    whole = [row for row in (table.heads, *table.rows) if len(row) == len(table.heads)]
    widths = [max(len(cell) for cell in column) for column in zip(*whole, strict=True)]

    def line(row: tuple[str, ...]) -> str:
        is_short = len(row) < len(table.heads)
        cells = [
            cell.ljust(size) if place < table.names or is_short else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, widths, strict=False))
        ]
        return "  ".join(cells).rstrip()

    return [line(row) for row in (table.heads, *table.rows)]
