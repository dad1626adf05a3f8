"""Charts: drawn by Vega in a worker, stored as SVG and compiled Vega, inserted by the web process as they are.

altair and vl_convert are loaded by the functions that draw, never by this module: the web process imports it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from studies.watch import reason_of

if TYPE_CHECKING:
    import altair

    from studies.reports.shape import Report

logger = logging.getLogger(__name__)
_drawing_process: int | None = None

#: The key of a stored row that tells why nothing could be drawn
FAILED = "failed"
#: The signal that every chart has: the condition that the reader points at, "" for none. charts.js sets it in all.
PICKED = "picked"
#: Everything is drawn in the page's own colour, so that dark pages and black ink on paper need nothing more.
INK = "currentColor"
VEGA_LITE = "6.4"
CONFIG: dict[str, Any] = {
    "background": None,
    # The drawing is one image with a title and a description; its numbers stand in tables.
    "aria": False,
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        **dict.fromkeys(("labelColor", "titleColor", "domainColor", "tickColor", "gridColor"), INK),
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "gridOpacity": 0.15,
    },
    "axisY": {"labelFontSize": 13, "labelPadding": 8, "labelLimit": 0, "domain": False, "ticks": False},
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "orient": "top",
        "direction": "vertical",
        "offset": 24,
    },
    "text": {"color": INK, "fontSize": 12},
    "point": {"color": INK, "strokeWidth": 1.5},
    "rule": {"color": INK},
    "tick": {"color": INK},
    "line": {"color": INK},
    "bar": {"color": INK},
}


@dataclass(frozen=True)
class Chart:
    """One drawing: `svg` for every reader, printer and file; `vega` for a browser with scripts."""

    name: str
    title: str
    description: str
    svg: str
    vega: dict[str, Any]


def report_charts(report: Report) -> list[Chart]:
    """The charts of a report, those left out for which it has no figures. For workers. raises: what drawing raises"""
    from studies.reports import charts_answers, charts_scores

    drawings = (
        charts_scores.accuracy_chart(report),
        charts_scores.alpha_chart(report),
        charts_scores.split_chart(report),
        charts_answers.confidence_chart(report),
        charts_answers.calibration_chart(report),
        charts_answers.helpful_chart(report),
        charts_answers.drop_off_chart(report),
    )
    return [chart for chart in drawings if chart]


def report_chart_rows(report: Report) -> list[dict[str, Any]]:
    """The charts of a report as JSON, to be stored; where they cannot be drawn, one row that says why."""
    try:
        return as_rows(report_charts(report))
    except Exception as error:  # a report without drawings still has all its figures
        logger.exception("the charts of %s could not be drawn", report.study)
        return [{FAILED: reason_of(error)}]


def render_chart(name: str, title: str, description: str, chart: altair.TopLevelMixin) -> Chart:
    """Compile and draw an altair chart. For workers: this loads vl_convert (a JavaScript engine).

    name:        letters, digits and dashes; unique on its page
    title:       the chart's heading
    description: what it shows, in a sentence or two, for those who cannot see it
    raises:      ValueError when Vega-Lite cannot compile it; RuntimeError in a fork of a process that has drawn
    """
    vl_convert = _engine()
    # altair's own check against the schema of Vega-Lite takes longer than the drawing; Vega-Lite reads the same spec.
    spec = {**chart.to_dict(validate=False), "description": description}
    spec["params"] = [*spec.get("params", []), {"name": PICKED, "value": ""}]
    vega = vl_convert.vegalite_to_vega(spec, vl_version=VEGA_LITE, config=CONFIG)
    svg = vl_convert.vega_to_svg(vega, allowed_base_urls=[])
    return Chart(name, title, description, _as_image(svg, name, title, description), vega)


def as_rows(charts: Sequence[Chart]) -> list[dict[str, Any]]:
    """Charts as JSON, to be stored."""
    return [asdict(chart) for chart in charts]


def charts_of(rows: Sequence[dict[str, Any]]) -> tuple[list[Chart], str]:
    """Stored charts, and why there are none ("" where nothing failed)."""
    if rows and FAILED in rows[0]:
        return [], str(rows[0][FAILED])
    return [Chart(**row) for row in rows], ""


def _engine() -> Any:
    """vl_convert, whose threads do not survive a fork: a child of a process that has drawn would wait for ever."""
    global _drawing_process
    if _drawing_process not in (None, os.getpid()):
        raise RuntimeError("charts were drawn before this process was forked; start it fresh to draw")
    import vl_convert

    _drawing_process = os.getpid()
    return vl_convert


def _as_image(svg: str, name: str, title: str, description: str) -> str:
    """Give the drawing a role, a name and a description; hide its parts, to which Vega gives roles without names."""
    start, rest = svg.removesuffix("</svg>").split(">", 1)
    role = f' role="img" aria-labelledby="chart-{name}-title chart-{name}-text"'
    words = f'<title id="chart-{name}-title">{escape(title)}</title>'
    more = f'<desc id="chart-{name}-text">{escape(description)}</desc>'
    return f'{start}{role}>{words}{more}<g aria-hidden="true">{rest}</g></svg>'
