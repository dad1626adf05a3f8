"""Several pictures side by side with a line of text each: the examples of a feature, as one SVG."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from analysis_core.errors import BadInput
from analysis_core.visualizations import picture
from analysis_core.visualizations import svg as parts

SIDE, GAP, MARGIN, LINE, SIZE = 180.0, 16.0, 16.0, 18.0, 13.0
#: Lines of text below a picture.
LINES = 3


def svg(images: Sequence[Any], captions: Sequence[str], *, title: str) -> bytes:
    """A card with the pictures in a row, each above its caption.

    images: Pillow images or arrays, encoded anew without metadata; captions: broken into three lines at most
    raises: BadInput (no picture, another number of captions)
    """
    if not images or len(images) != len(captions):
        raise BadInput(f"{len(images)} pictures need as many captions, at least one, not {len(captions)}")
    n = parts.number
    body = []
    for column, (image, caption) in enumerate(zip(images, captions, strict=True)):
        x = MARGIN + column * (SIDE + GAP)
        data = base64.b64encode(picture.encode(image, max_side=int(2 * SIDE))).decode()
        place = f'x="{n(x)}" y="{n(MARGIN)}" width="{n(SIDE)}" height="{n(SIDE)}"'
        body.append(f'<image {place} href="data:image/png;base64,{data}"/>')
        for row, text in enumerate(_lines(caption)):
            body.append(parts.label(x, MARGIN + SIDE + LINE * (row + 1), text, SIZE))
    wide = 2 * MARGIN + len(images) * (SIDE + GAP) - GAP
    return parts.card(wide, 2 * MARGIN + SIDE + LINES * LINE, title, body)


def _lines(text: str) -> Iterator[str]:
    line, left = "", LINES
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and left > 1 and parts.width(longer, SIZE) > SIDE:
            yield line
            line, left = word, left - 1
        else:
            line = longer
    yield parts.shortened(line, SIZE, SIDE)
