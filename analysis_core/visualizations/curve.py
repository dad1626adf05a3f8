"""Curves of the prediction stage as SVG: what a sparse model gains by each feature, and how active a feature is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from analysis_core.arguments import count, finite
from analysis_core.errors import BadInput
from analysis_core.visualizations import svg as parts

WIDTH, HEIGHT, SIZE = 560.0, 300.0, 13.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 24.0, 40.0, 48.0


class _Frame:
    """Where numbers lie on the card."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """raises: BadInput (an axis that begins and ends at one number, or is longer than numbers reach)"""
        for low, high in (x, y):
            if not 0 < high - low < math.inf:
                raise BadInput(f"an axis from {low:g} to {high:g} cannot be drawn: bring the numbers to another scale")
        self.x_range, self.y_range = x, y

    def x(self, value: float) -> float:
        low, high = self.x_range
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def axes(
        self, x_title: str, y_title: str, *, shares: bool = False, percent: bool = False, whole: tuple[bool, bool]
    ) -> Iterator[str]:
        """Rules and numbers of both axes, and what they count.

        shares: nothing beyond 0 and 1 is numbered; percent: y as %; whole: whether x, and y, are whole numbers
        """
        n = parts.number
        ticks = _ticks(*self.y_range, whole=whole[1])
        ticks = [value for value in ticks if 0 <= value <= 1] if shares else ticks
        texts = _texts(ticks, percent=percent)
        size = min([SIZE, *((LEFT - 12) / parts.width(text, 1) for text in texts)])
        for value, text in zip(ticks, texts, strict=True):
            y = self.y(value)
            yield (
                f'<line x1="{n(LEFT)}" x2="{n(WIDTH - RIGHT)}" y1="{n(y)}" y2="{n(y)}" '
                f'stroke="{parts.RULE}" stroke-width="1"/>'
            )
            yield parts.label(LEFT - 8, y + SIZE / 3, text, size, anchor="end", fill=parts.PALE_INK)
        ticks = _ticks(*self.x_range, whole=whole[0])
        for value, text in zip(ticks, _texts(ticks), strict=True):
            x = min(self.x(value), WIDTH - 4 - parts.width(text, SIZE) / 2)
            yield parts.label(x, HEIGHT - BOTTOM + 18, text, SIZE, anchor="middle", fill=parts.PALE_INK)
        middle = (LEFT + WIDTH - RIGHT) / 2
        yield parts.label(middle, HEIGHT - 10, x_title, SIZE, anchor="middle")
        yield parts.label(LEFT, 22, y_title, SIZE, weight=600)


def sparsity(
    counts: Any, scores: Any, chosen: int | None = None, *, title: str, score: str = "accuracy", percent: bool = True
) -> bytes:
    """The score of a sparse model against its number of features, the chosen one ringed and named.

    counts: [n] numbers of features, any order; scores: [n]; chosen: which of them is used, None = none
    score:  what the scores are called; percent: whether they are shares
    raises: BadInput (no point, unequal lengths, nan or infinite)
    """
    x, y = np.asarray(counts, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise BadInput(f"a curve needs as many scores as counts, at least one, not {list(y.shape)} and {list(x.shape)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise BadInput("a curve needs finite counts and scores")
    low, high = float(y.min()), float(y.max())
    pad = 0.08 * (high - low) or 0.05 * max(1.0, abs(high))
    frame = _Frame((min(0.0, float(x.min())), max(1.0, float(x.max()))), (low - pad, high + pad))
    order = np.argsort(x, kind="stable")
    n = parts.number
    points = [(frame.x(float(x[i])), frame.y(float(y[i]))) for i in order]
    path = "M" + "L".join(f"{n(a)} {n(b)}" for a, b in points)
    chosen = None if chosen is None else count("chosen", chosen, least=0)
    if chosen is not None and chosen >= len(x):
        raise BadInput(f"chosen must be one of the {len(x)} points, 0 to {len(x) - 1}, not {chosen}")
    ring, room = (
        ([], WIDTH - LEFT - RIGHT)
        if chosen is None
        else _ring(frame, float(x[chosen]), float(y[chosen]), score, percent)
    )
    shares = percent and low >= 0 and high <= 1
    name = parts.shortened(score, SIZE, room / parts.BOLD)
    body = [*frame.axes("features used", name, shares=shares, percent=percent, whole=(True, False))]
    body.append(f'<path d="{path}" fill="none" stroke="{parts.NEGATIVE}" stroke-width="2" stroke-linejoin="round"/>')
    body += [f'<circle cx="{n(a)}" cy="{n(b)}" r="2.5" fill="{parts.NEGATIVE}"/>' for a, b in points]
    return parts.card(WIDTH, HEIGHT, title, [*body, *ring])


def histogram(edges: Any, counts: Any, *, title: str, mark: float | None = None, name: str = "activation") -> bytes:
    """How often a feature takes which value; a dashed line marks the explained datapoint's.

    edges: [b + 1] ascending; counts: [b] >= 0; mark: a value, None = none
    raises: BadInput (lengths, order, negative or not finite; a mark that is none)
    """
    at, heights = np.asarray(edges, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if heights.ndim != 1 or not len(heights) or at.shape != (len(heights) + 1,):
        raise BadInput(f"{len(heights)} bins have {len(heights) + 1} edges, not {list(at.shape)}")
    if not np.isfinite(at).all() or (np.diff(at) <= 0).any() or not np.isfinite(heights).all() or heights.min() < 0:
        raise BadInput("a histogram needs ascending finite edges and counts of at least 0")
    ends = (float(at[0]), float(at[-1]))
    if mark is not None:
        mark = finite("mark", mark)
        ends = (min(ends[0], mark), max(ends[1], mark))
    frame = _Frame(ends, (0.0, max(1.0, float(heights.max())) * 1.08))
    n, base = parts.number, HEIGHT - BOTTOM
    body = [*frame.axes(name, "datapoints", whole=(False, bool((heights == np.floor(heights)).all())))]
    for left, right, height in zip(at[:-1].tolist(), at[1:].tolist(), heights.tolist(), strict=True):
        x, y = frame.x(left), frame.y(height)
        wide = max(frame.x(right) - x - 1, 0.5)
        body.append(
            f'<rect x="{n(x)}" y="{n(y)}" width="{n(wide)}" height="{n(base - y)}" '
            f'fill="{parts.NEGATIVE}" fill-opacity="0.75"/>'
        )
    if mark is not None:
        x = frame.x(mark)
        body.append(
            f'<line x1="{n(x)}" x2="{n(x)}" y1="{n(TOP - 6)}" y2="{n(base)}" stroke="{parts.POSITIVE}" '
            'stroke-width="2" stroke-dasharray="5 4"/>'
        )
        is_right = x > WIDTH / 2
        body.append(
            parts.label(x + (-6 if is_right else 6), TOP + 4, "this one", SIZE, anchor="end" if is_right else "start")
        )
    return parts.card(WIDTH, HEIGHT, title, body)


def _ring(frame: _Frame, x: float, y: float, score: str, percent: bool) -> tuple[list[str], float]:
    """A ring around the chosen point; what it stands for is written above the curve, where no line runs.

    returns: its parts, and the room that is left beside the words: a long score is named once, by the axis
    """
    n, a, b = parts.number, frame.x(x), frame.y(y)
    stroke = f'fill="none" stroke="{parts.POSITIVE}" stroke-width="2.5"'
    figure = f"{y:.1%}" if percent else f"{y:.3g}"
    text, across = f"chosen: {x:g} features, {score} {figure}", WIDTH - LEFT - RIGHT - 30
    if parts.width(text, SIZE) + parts.BOLD * parts.width(score, SIZE) > across:
        text = f"chosen: {x:g} features, {figure}"
    ring = [
        f'<circle cx="{n(a)}" cy="{n(b)}" r="7" {stroke}/>',
        f'<circle cx="{n(WIDTH - RIGHT - parts.width(text, SIZE) - 14)}" cy="17.5" r="6" {stroke}/>',
        parts.label(WIDTH - RIGHT, 22, text, SIZE, anchor="end"),
    ]
    return ring, across - parts.width(text, SIZE)


def _ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Four to eight round numbers within the range."""
    span = high - low
    step = 10.0 ** np.floor(np.log10(span / 4))
    step *= next(m for m in (1, 2, 5, 10) if span / (step * m) <= 8)
    step = max(1.0, round(step)) if whole else step
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return list(dict.fromkeys(float(f"{k * step:.12g}") for k in range(first, last + 1)))


def _texts(values: Sequence[float], *, percent: bool = False) -> list[str]:
    """Numbers as they stand at an axis: with as many digits as tell them apart."""
    found: list[str] = []
    for digits in range(12):
        found = [f"{value:.{digits}%}" if percent else _plain(value, 6 + digits) for value in values]
        if len(set(found)) == len(values):
            break
    return found


def _plain(value: float, digits: int) -> str:
    text = f"{value:.0f}" if value.is_integer() and abs(value) < 1e9 else f"{value:.{digits}g}"
    return text.replace("-", "\N{MINUS SIGN}")
