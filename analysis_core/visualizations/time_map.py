"""Time x channel maps: what counts at which step of which series, behind the series themselves, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis_core.errors import BadInput
from analysis_core.visualizations import colours, unseen
from analysis_core.visualizations import svg as parts
from analysis_core.visualizations.words import STRONGEST, levels

WIDTH, MARGIN, NAMES, ROW, AXIS, SIZE = 720.0, 20.0, 120.0, 34.0, 26.0, 13.0
#: Marks of the sign are drawn from this strength class on; weaker cells would fill the map with them.
MARKED = 3
#: A mark needs a cell so wide.
MARK_ROOM = 7.0

Table = npt.NDArray[np.float64]


def svg(
    values: Any,
    channels: Sequence[str],
    *,
    title: str,
    series: Any | None = None,
    steps: Sequence[str] | None = None,
    not_looked_at: Any = None,
) -> bytes:
    """A card with a row per channel and a cell per step.

    values:   [T, C]; strength shows by five classes of tint relative to the largest |value| of the map, the sign by
              orange or blue and, from class 3 on, by a + or a - in the cell
    channels: their names, [C]
    title:    what a screen reader says first; must not name a class that is to stay hidden
    series:   [T, C], drawn over the cells, each channel scaled to its own row; not finite where nothing was observed
    steps:    names of the steps for the axis, [T]; None = 0 to T - 1
    not_looked_at: booleans [T, C], cells that the method left out: hatched, with a line that says so
    raises:   BadInput (not [T, C], as many names as channels are needed, nan or infinite values)
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise BadInput(f"a time x channel map needs values [T, C], not {list(table.shape)}")
    if len(channels) != table.shape[1] or (steps is not None and len(steps) != table.shape[0]):
        raise BadInput(f"a map [T, C] = {list(table.shape)} needs as many names of channels, and of steps if any")
    if series is not None and np.asarray(series).shape != table.shape:
        raise BadInput(f"the series are {list(np.asarray(series).shape)}, their values {list(table.shape)}")
    if not np.isfinite(table).all():
        step, channel = (int(i) for i in np.argwhere(~np.isfinite(table))[0])
        raise BadInput(f"the value of {channels[channel]!r} at step {step} is {table[step, channel]}")
    left_out = unseen.mask(not_looked_at, table.shape)
    wide = (WIDTH - 2 * MARGIN - NAMES) / len(table)
    classes = np.array(levels(table)).reshape(table.shape)
    body = [*_names(channels), *_cells(table, classes, wide)]
    if left_out.any():
        outline = "".join(_cell(int(step), int(channel), wide) for step, channel in np.argwhere(left_out))
        body.append(f'<path d="{outline}" fill="{unseen.FILL}"/>')
    body.extend(_rules(len(channels)))
    if series is not None:
        body.extend(_lines(np.asarray(series, dtype=np.float64), wide))
    body.extend(_marks(table, classes, wide))
    body.extend(_axis(len(table), steps, wide, len(channels)))
    high = 2 * MARGIN + ROW * len(channels) + AXIS
    if left_out.any():
        high += unseen.LEGEND_HEIGHT
        body.extend(unseen.legend(MARGIN, high - MARGIN + 4, unseen.note(int(left_out.sum()), left_out.size)))
    return parts.card(WIDTH, high, title, body)


def _names(channels: Sequence[str]) -> Iterator[str]:
    for row, name in enumerate(channels):
        short = parts.shortened(name, SIZE, NAMES - 10)
        text = parts.label(MARGIN, MARGIN + ROW * (row + 0.5) + SIZE / 3, short, SIZE)
        yield f"<g><title>{parts.escape(name)}</title>{text}</g>"


def _cells(table: Table, classes: npt.NDArray[np.int64], wide: float) -> Iterator[str]:
    """One path per class and sign: a map of thousands of cells stays small."""
    for negative, tint in ((False, colours.POSITIVE[0]), (True, colours.NEGATIVE[0])):
        for level in range(1, STRONGEST + 1):
            where = np.argwhere((classes == level) & ((table < 0) == negative))
            if not len(where):
                continue
            outline = "".join(_cell(int(step), int(channel), wide) for step, channel in where)
            yield f'<path d="{outline}" fill="{tint}" fill-opacity="{parts.number(level / STRONGEST)}"/>'


def _cell(step: int, channel: int, wide: float) -> str:
    n, x, y = parts.number, MARGIN + NAMES + step * wide, MARGIN + ROW * channel + 2
    return f"M{n(x)} {n(y)}h{n(wide)}v{n(ROW - 4)}h{n(-wide)}z"


def _rules(channels: int) -> Iterator[str]:
    n = parts.number
    for row in range(channels):
        y = MARGIN + ROW * (row + 1)
        yield (
            f'<line x1="{n(MARGIN)}" x2="{n(WIDTH - MARGIN)}" y1="{n(y)}" y2="{n(y)}" '
            f'stroke="{parts.RULE}" stroke-width="1"/>'
        )


def _lines(series: Table, wide: float) -> Iterator[str]:
    """Each channel as a line in its row, broken where nothing was observed; a constant runs through the middle."""
    n = parts.number
    for channel, column in enumerate(series.T):
        seen = np.isfinite(column)
        if not seen.any():
            continue
        # Halves, because a difference of very large numbers would leave the range of numbers.
        low, high = float(column[seen].min()) / 2, float(column[seen].max()) / 2
        share = (column / 2 - low) / (high - low) if high > low else np.where(seen, 0.5, np.nan)
        path, pen_down = "", False
        for step, s in enumerate(share.tolist()):
            if not math.isfinite(s):
                pen_down = False
                continue
            x, y = MARGIN + NAMES + (step + 0.5) * wide, MARGIN + ROW * (channel + 1) - 6 - s * (ROW - 12)
            path += f"{'L' if pen_down else 'M'}{n(x)} {n(y)}"
            pen_down = True
        yield (
            f'<path d="{path}" fill="none" stroke="{parts.INK}" stroke-width="1.5" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )


def _marks(table: Table, classes: npt.NDArray[np.int64], wide: float) -> Iterator[str]:
    if wide < MARK_ROOM:
        return
    for step, channel in np.argwhere(classes >= MARKED):
        sign = "+" if table[step, channel] > 0 else "\N{MINUS SIGN}"
        x, y = MARGIN + NAMES + (step + 0.5) * wide, MARGIN + ROW * channel + 13
        yield parts.label(x, y, sign, 11, anchor="middle", weight=600)


def _axis(length: int, steps: Sequence[str] | None, wide: float, channels: int) -> Iterator[str]:
    """As many names of steps as fit."""
    named = [str(i) for i in range(length)] if steps is None else list(steps)
    room = max(parts.width(name, SIZE) for name in named) + 12
    every = max(1, math.ceil(room / wide))
    for step in range(0, length, every):
        # Names at the ends stay on the card.
        beside = min(parts.width(named[step], SIZE), WIDTH - MARGIN) / 2 + MARGIN / 2
        x = min(max(MARGIN + NAMES + (step + 0.5) * wide, beside), WIDTH - beside)
        yield parts.label(x, MARGIN + ROW * channels + 18, named[step], SIZE, anchor="middle", fill=parts.PALE_INK)
