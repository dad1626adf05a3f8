"""A report as HTML: what the template part of the report page needs, and the same part as one self-contained file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from studies.reports import figures, html_tables
from studies.reports.charts import charts_of
from studies.reports.shape import DropOff, Report

STYLES = ("studies/static/studies/base.css", "studies/static/studies/report.css")


def as_html(report: Report, chart_rows: Sequence[dict[str, Any]] = ()) -> str:
    """A standalone page: it loads nothing, so it can be mailed or archived. chart_rows: as they are stored"""
    style = "\n".join((settings.BASE_DIR / name).read_text(encoding="utf-8") for name in STYLES)
    context = {**report_context(report, chart_rows), "style": style, "is_file": True}
    return render_to_string("researcher/report_file.html", context)


def report_context(report: Report, chart_rows: Sequence[dict[str, Any]] = ()) -> dict[str, object]:
    """What templates/researcher/_report.html shows."""
    charts, failure = charts_of(chart_rows)
    return {
        "report": report,
        "plan": figures.plan(report),
        "alpha_tests": figures.ALPHA_TESTS,
        "items": report.conditions[0].items if report.conditions else 0,
        "chance": figures.share(report.chance),
        "charts": charts,
        "charts_failure": failure,
        "per_condition": html_tables.table(html_tables.PER_CONDITION, report.conditions),
        "agreement": html_tables.table(html_tables.AGREEMENT, report.conditions),
        "split": html_tables.split(report),
        "differences": html_tables.differences(report),
        "calibration": html_tables.calibration(report),
        "without_rules": html_tables.without_rules(report),
        "started": _started(report.drop_off),
        "drop_off": html_tables.table(html_tables.DROP_OFF, report.conditions),
    }


def _started(drop_off: DropOff) -> str:
    """54 of 60 who started were given a condition; 3 screened out, ..."""
    lost = (
        (drop_off.screened_out, "screened out by the quiz"),
        (drop_off.no_place, "without a free place"),
        (drop_off.left, "withdrew before"),
        (drop_off.unassigned, "did not come that far"),
    )
    words = [f"{number} {what}" for number, what in lost if number]
    given = f"{drop_off.assigned} of {drop_off.started} who started were given a condition"
    return f"{'; '.join([given, ', '.join(words)]) if words else given}."
