"""One report, many forms: `render(report, "text")`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from studies.reports.csv_tables import as_csv
from studies.reports.html import as_html
from studies.reports.latex import as_latex
from studies.reports.shape import Report
from studies.reports.text import as_text


class UnknownFormat(ValueError):
    """A form that reports do not have."""


def as_json(report: Report) -> str:
    """Full precision, in the order of interfaces.md."""
    return json.dumps(report.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "html": as_html,
    "csv": as_csv,
    "latex": as_latex,
}
#: format -> ending and media type of its file
FILES = {
    "text": ("txt", "text/plain"),
    "json": ("json", "application/json"),
    "html": ("html", "text/html"),
    "csv": ("csv", "text/csv"),
    "latex": ("tex", "application/x-tex"),
}


def render(report: Report, format: str, chart_rows: Sequence[dict[str, Any]] = ()) -> str:
    """The report in one of FORMATS; charts, as they are stored, go into HTML. raises: UnknownFormat"""
    if format not in FORMATS:
        raise UnknownFormat(f"unknown format {format!r}; a report can be {', '.join(FORMATS)}")
    return as_html(report, chart_rows) if format == "html" else FORMATS[format](report)
