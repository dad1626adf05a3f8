"""What the report's charts share: rows per condition, scales, reference lines, intervals, dimming. Workers only.

Every chart is one layered view with one row per condition, so that it can be made narrower and that no name needs a
legend. Rows are plain lists of values: altair needs no pandas for them.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt

from studies.reports.charts import INK, PICKED

WIDTH = 480
#: Longest line of a condition's name in letters, and how many lines it may have
NAME, LINES = 22, 3
LINE_HEIGHT = 15
#: Colours of Okabe and Ito, told apart in all common forms of colour blindness; never the only difference.
BLUE, VERMILLION = "#0072b2", "#d55e00"
Row = dict[str, Any]


def labels_of(names: Sequence[str]) -> dict[str, str]:
    """Names broken into lines; names that look the same when cut get their number."""
    labels: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        text = printable(name)
        is_wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in text)
        width = NAME // 2 if is_wide else NAME
        lines = textwrap.wrap(text, width, max_lines=LINES, placeholder=" …") or ["?"]
        label = "\n".join(lines)
        labels[name] = f"{label} ({number})" if label in labels.values() else label
    return labels


def printable(text: str) -> str:
    """Text without control characters, which SVG cannot hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


class Rows:
    """One row per condition, in the report's order, at least `height` pixels each."""

    def __init__(self, names: Sequence[str], height: int) -> None:
        self.labels = labels_of(names)
        lines = max((label.count("\n") + 1 for label in self.labels.values()), default=1)
        self.height = max(height, LINE_HEIGHT * lines + 8)

    def data(self, rows: Sequence[Row]) -> alt.Chart:
        """A layer's rows, each with the `condition` it belongs to."""
        values = [{**row, "label": self.labels[row["condition"]]} for row in rows]
        return alt.Chart(alt.Data(values=values))

    @property
    def y(self) -> alt.Y:
        """The condition's row."""
        axis = alt.Axis(title=None, labelExpr="split(datum.label, '\\n')", grid=False)
        return alt.Y("label:N", scale=alt.Scale(domain=list(self.labels.values())), axis=axis)

    def chart(self, *layers: alt.Chart) -> alt.LayerChart:
        """Layers as one drawing that fits the width it is given."""
        fit = alt.AutoSizeParams(type="fit-x", contains="padding")
        return alt.LayerChart(layer=list(layers), width=WIDTH, height=alt.Step(self.height), autosize=fit)


def offset(field: str = "offset") -> alt.YOffset:
    """Where in its row a mark lies: -1 at the top, 1 at the bottom."""
    return alt.YOffset(f"{field}:Q", scale=alt.Scale(domain=[-1, 1]))


def x(field: str, title: str, ends: tuple[float, float], **axis: Any) -> alt.X:
    """A scale between two ends; `axis`: altair's options of its axis."""
    options = {"format": ".1f", "tickCount": 5, "labelFlush": False, **axis}
    scale = alt.Scale(domain=list(ends), nice=False, zero=False)
    return alt.X(f"{field}:Q", scale=scale, axis=alt.Axis(title=title, **options))


def reference(at: float, words: str) -> list[alt.Chart]:
    """A dashed line over all rows, named above the drawing."""
    place = alt.Chart(alt.Data(values=[{"at": at, "words": words}])).encode(x="at:Q")
    line = place.mark_rule(strokeDash=[3, 4], strokeOpacity=0.7)
    name = place.mark_text(baseline="bottom", dy=-4, align="left" if at < 0.15 else "center", fontSize=11)
    return [line, name.encode(y=alt.value(0), text="words:N")]


def interval(place: alt.Chart, low: str = "low", high: str = "high", width: float = 1.5) -> list[alt.Chart]:
    """A bar with ends from one field to the other; `place` says where vertically, and what its tooltip tells."""
    bar = place.mark_rule(strokeWidth=width).encode(x=f"{low}:Q", x2=f"{high}:Q", opacity=dimmed())
    ends = place.mark_tick(thickness=width, size=9, orient="vertical")
    return [bar, *(ends.encode(x=f"{end}:Q", opacity=dimmed()) for end in (low, high))]


def dimmed() -> alt.OpacityValue:
    """Full, or faint while the reader points at another condition."""
    test = f"{PICKED} == '' || datum.condition == {PICKED}"
    return alt.OpacityValue(0.15, condition={"test": test, "value": 1})


def tells(**fields: str) -> list[alt.Tooltip]:
    """What a tooltip says: field=heading, in this order. Numbers get their digits in the data."""
    return [alt.Tooltip(f"{field}:N", title=heading) for field, heading in fields.items()]


def strip(rows: Rows, people: Sequence[Row], means: Sequence[Row], scale: alt.X, told: str) -> list[alt.Chart]:
    """A dot per annotator, and below them a diamond for the mean with its bar. Rows: see `people_rows`, `mean_row`.

    told: heading of the figure in tooltips
    """
    each = rows.data(people).encode(
        y=rows.y, yOffset=offset(), tooltip=tells(condition="Condition", who="Annotator", words=told)
    )
    dots = each.mark_point(filled=True, size=45, fillOpacity=0.25, stroke=INK, strokeWidth=1.2)
    tip = tells(condition="Condition", words=f"{told}, mean ± std", bounds="95 % interval")
    if not any("bounds" in row for row in means):
        tip = tip[:-1]
    middle = rows.data(means).encode(y=rows.y, yOffset=offset(), tooltip=tip)
    bounded = rows.data([row for row in means if row["low"] is not None]).encode(
        y=rows.y, yOffset=offset(), tooltip=tip
    )
    diamonds = middle.mark_point(filled=True, size=110, shape="diamond")
    return [
        dots.encode(x=scale, opacity=dimmed()),
        *interval(bounded),
        diamonds.encode(x="value:Q", opacity=dimmed()),
    ]


def people_rows(condition: str, values: Sequence[float | None], words: Callable[[float], str]) -> list[Row]:
    """A strip's dots: one per annotator with a value, equal ones above each other."""
    known = [(number, value) for number, value in enumerate(values, 1) if value is not None]
    places = stacked([value for _, value in known])
    return [
        {"condition": condition, "who": n, "value": v, "words": words(v), "offset": place - 0.25}
        for (n, v), place in zip(known, places, strict=True)
    ]


def mean_row(condition: str, mean: float, ends: tuple[float, float] | None, words: str, **more: Any) -> Row:
    """A mean or another single figure with its interval, in a strip's lower part."""
    low, high = ends or (None, None)
    return {"condition": condition, "value": mean, "low": low, "high": high, "words": words, "offset": 0.72, **more}


def stacked(values: Sequence[float], reach: float = 0.5, step: float = 0.22) -> list[float]:
    """Offsets that put equal values above each other, around 0 and within ±reach."""
    most = max((values.count(value) for value in values), default=1)
    step = min(step, 2 * reach / max(most - 1, 1))
    seen: dict[float, int] = {}
    offsets = []
    for value in values:
        turn = seen[value] = seen.get(value, -1) + 1
        offsets.append((turn - (values.count(value) - 1) / 2) * step)
    return offsets
