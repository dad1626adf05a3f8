"""Words with their weights: strength classes for a page, and a highlighted sentence as SVG (never by colour alone)."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analysis_core.arguments import count
from analysis_core.errors import BadInput
from analysis_core.visualizations import colours, unseen
from analysis_core.visualizations import svg as parts

#: Strength classes run from 0 (none) to this.
STRONGEST = 5

SIZE, LINE, MARGIN, GAP, PAD = 22.0, 46.0, 20.0, 5.0, 4.0


def levels(values: Any) -> list[int]:
    """Strength classes 0 to 5 of |value| relative to the largest; the sign is the caller's to show.

    Class c holds the shares from (c - 0.5) / 5 up to (c + 0.5) / 5: below a tenth of the largest is 0. All zero: all 0.
    raises: BadInput (nan or infinite)
    """
    strengths = np.abs(np.asarray(values, dtype=np.float64).reshape(-1))
    if not np.isfinite(strengths).all():
        raise BadInput("a weight is nan or infinite")
    largest = strengths.max(initial=0.0)
    if largest == 0:
        return [0] * len(strengths)
    return [math.floor(STRONGEST * share + 0.5) for share in (strengths / largest).tolist()]


def _lines(words: Sequence[str], room: float) -> list[list[int]]:
    """Indices of the words that share a line of this width."""
    lines: list[list[int]] = [[]]
    at = 0.0
    for index, word in enumerate(words):
        wide = parts.width(word, SIZE) + 2 * PAD + GAP
        if lines[-1] and at + wide > room:
            lines.append([])
            at = 0.0
        lines[-1].append(index)
        at += wide
    return lines


def _runs_leftward(text: str) -> bool | None:
    """Whether the first letter that says so is of a script from right to left; None: none says so."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), None)


def _from_the_left(line: Sequence[int], words: Sequence[str], *, leftward: bool) -> list[int]:
    """The words of a line as they stand from left to right: runs of the other direction keep their own order."""
    order: list[int] = []
    for other, group in itertools.groupby(line, lambda i: _runs_leftward(words[i]) is (not leftward)):
        run = list(group)
        order.extend(run[::-1] if other else run)
    return order[::-1] if leftward else order


def svg(words: Sequence[str], values: Any, *, title: str, width: int = 640, not_looked_at: Any = None) -> bytes:
    """The words in order on a light card; strength shows by background and by the underline's thickness.

    Where the first letters are of a script from right to left (Arabic, Hebrew), so do the words go, and lines begin at
    the right.
    values: [n_words]; positive ones are orange, negative ones blue with a dashed underline
    width:  of the card, at least 80; lines break to fit it
    title:  what a screen reader says first; must not name a class that is to stay hidden
    not_looked_at: booleans [n_words], words that the method left out: hatched, in grey, with a line that says so
    raises: BadInput (as many values, and marks, as words are needed; a width below 80)
    """
    width = count("width", width, least=80)
    weights = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(weights) != len(words):
        raise BadInput(f"{len(words)} words need as many weights, not {len(weights)}")
    classes = levels(weights)
    left_out = unseen.mask(not_looked_at, weights.shape)
    room = width - 2 * MARGIN
    words = [parts.shortened(word, SIZE, room - 2 * PAD - GAP) for word in words]
    lines = _lines(words, room)
    leftward = bool(_runs_leftward(" ".join(words)))
    body: list[str] = []
    for row, indices in enumerate(lines):
        x, base = MARGIN, MARGIN + row * LINE + SIZE
        if leftward:
            x += room - sum(parts.width(words[i], SIZE) + 2 * PAD + GAP for i in indices) + GAP
        for index in _from_the_left(indices, words, leftward=leftward):
            if left_out[index]:
                body.extend(_left_out(words[index], x, base))
            else:
                body.extend(_word(words[index], classes[index], float(weights[index]), x, base))
            x += parts.width(words[index], SIZE) + 2 * PAD + GAP
    high = 2 * MARGIN + len(lines) * LINE - (LINE - SIZE - 12)
    if left_out.any():
        high += unseen.LEGEND_HEIGHT
        body.extend(unseen.legend(MARGIN, high - MARGIN + 4, unseen.note(int(left_out.sum()), len(words))))
    return parts.card(width, high, title, body)


def _left_out(word: str, x: float, base: float) -> Iterable[str]:
    n, wide = parts.number, parts.width(word, SIZE) + 2 * PAD
    yield (
        f'<rect x="{n(x)}" y="{n(base + 8)}" width="{n(wide)}" height="7" rx="2" fill="{unseen.FILL}" '
        f'stroke="{parts.PALE_INK}" stroke-width="0.5"/>'
    )
    yield parts.label(x + PAD, base, word, SIZE, fill=parts.PALE_INK)


def _word(word: str, level: int, value: float, x: float, base: float) -> Iterable[str]:
    wide = parts.width(word, SIZE) + 2 * PAD
    if level:
        line, tint = (parts.NEGATIVE, colours.NEGATIVE[0]) if value < 0 else (parts.POSITIVE, colours.POSITIVE[0])
        thick = 1.0 + level
        dash = ' stroke-dasharray="5 4"' if value < 0 else ""
        yield (
            f'<rect x="{parts.number(x)}" y="{parts.number(base - SIZE)}" width="{parts.number(wide)}" '
            f'height="{parts.number(SIZE + 6)}" rx="3" fill="{tint}" fill-opacity="{parts.number(0.18 * level)}"/>'
        )
        yield (
            f'<line x1="{parts.number(x)}" x2="{parts.number(x + wide)}" y1="{parts.number(base + 7 + thick / 2)}" '
            f'y2="{parts.number(base + 7 + thick / 2)}" stroke="{line}" stroke-width="{parts.number(thick)}"{dash}/>'
        )
    yield parts.label(x + PAD, base, word, SIZE)
