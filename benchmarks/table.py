"""Tables of rows as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.claims import CLAIMS, Row

HEADER = ("", "unit", "usual way", "ours", "ratio", "")


def text(machine: Mapping[str, Any], scale: str, tables: Mapping[str, Sequence[Row]]) -> str:
    """The machine, then each claim with its rows, columns aligned over all claims."""
    head = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {machine['system']}, "
        f"Python {machine['python']}, torch {machine['torch']}, numpy {machine['numpy']}\n"
        f"threads {machine['threads']}, load {machine['load']} before and {machine['load_after']} after; "
        f"device {machine['device']}; scale {scale}\n"
    )
    cells = {claim: [_cells(row) for row in rows] for claim, rows in tables.items()}
    everything = [HEADER, *(line for lines in cells.values() for line in lines)]
    widths = [max(len(line[column]) for line in everything) for column in range(len(HEADER))]
    parts = [head]
    for claim, lines in cells.items():
        parts.append(f"\n{claim}: {CLAIMS[claim]}\n")
        parts += [_line(line, widths) for line in (HEADER, *lines)]
    return "".join(parts)


def number(value: float | None) -> str:
    """Three significant digits, whole numbers whole; "-" where there is none."""
    if value is None:
        return "-"
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{number(row.ratio)} x"
    return (row.name, row.unit, number(row.usual), number(row.ours), ratio, row.note)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, unit, *figures, note = cells
    right = "  ".join(cell.rjust(width) for cell, width in zip(figures, widths[2:-1], strict=True))
    return f"  {name.ljust(widths[0])}  {unit.ljust(widths[1])}  {right}  {note}".rstrip() + "\n"
