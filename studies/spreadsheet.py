"""Values as cells of a CSV file that somebody will open in a spreadsheet. Exports and lists of links use this."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

#: What spreadsheets take for the beginning of a formula; full-width forms too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: Any) -> Any:
    """The value as it may stand in a CSV file: text that looks like a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return value
    text = value.replace("\x00", "")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rows_write(file: TextIO, head: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table as CSV, row by row."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([cell(value) for value in row])


def rows_text(head: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A small table as CSV text."""
    file = io.StringIO()
    rows_write(file, head, rows)
    return file.getvalue()
