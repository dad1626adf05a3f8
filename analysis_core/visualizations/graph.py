"""The graph of the prediction stage: features -> class with their coefficients, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis_core.arguments import finite
from analysis_core.errors import BadInput
from analysis_core.visualizations import svg as parts

WIDTH, ROW, MARGIN, NODE = 640.0, 46.0, 24.0, 32.0
FEATURE_WIDTH, CLASS_WIDTH, SIZE = 220.0, 180.0, 15.0
THINNEST, THICKEST = 1.5, 9.0

#: What stands for the class where its name must stay hidden.
MASKED = "the predicted answer"


def svg(features: Sequence[tuple[str, float]], class_name: str | None, *, title: str | None = None) -> bytes:
    """A card with one node per feature, in the order given, and a line to the class from each.

    features:   (label, coefficient); the line is as thick as |coefficient| relative to the largest, dashed and blue
                where negative, with the number on it. Features of weight 0 are never drawn
    class_name: None masks it as "the predicted answer", in the title as well
    title:      what a screen reader says first; None = made from the class name
    raises:     BadInput (no pairs, a coefficient that is no number, nan or infinite)
    """
    name = MASKED if class_name is None else class_name
    if isinstance(features, Mapping) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in features):
        raise BadInput(f"a graph needs pairs of a label and a coefficient, not {features!r:.80}")
    for text, weight in features:
        finite(f"the coefficient of {text!r}", weight)
    drawn = [(text, weight) for text, weight in features if weight != 0]
    heading = title if title is not None else f"Features that count for {name}"
    if not drawn:
        note = parts.shortened(f"No feature carries weight for {name}.", SIZE, WIDTH - 2 * MARGIN)
        return parts.card(WIDTH, 2 * MARGIN + ROW, heading, [parts.label(MARGIN, MARGIN + 28, note, SIZE)])
    high = 2 * MARGIN + ROW * len(drawn)
    centres = [MARGIN + ROW * (row + 0.5) for row in range(len(drawn))]
    largest = max(abs(weight) for _, weight in drawn)
    # Lines first, numbers last: a number is never crossed by another feature's line.
    body = [_line(y, high / 2, weight, largest) for y, (_, weight) in zip(centres, drawn, strict=True)]
    body += [_node(MARGIN, y, FEATURE_WIDTH, text) for y, (text, _) in zip(centres, drawn, strict=True)]
    body.append(_node(WIDTH - MARGIN - CLASS_WIDTH, high / 2, CLASS_WIDTH, name, strong=True))
    body += [_coefficient(y, weight) for y, (_, weight) in zip(centres, drawn, strict=True)]
    return parts.card(WIDTH, high, heading, body)


def _line(y: float, target: float, weight: float, largest: float) -> str:
    start, end = MARGIN + FEATURE_WIDTH, WIDTH - MARGIN - CLASS_WIDTH
    # Level at first, so that the number on it stands clear of the neighbours, then a curve into the class.
    bend, middle = start + 80, (start + 80 + end) / 2
    thick = THINNEST + (THICKEST - THINNEST) * abs(weight) / largest
    colour, dash = (parts.POSITIVE, "") if weight > 0 else (parts.NEGATIVE, ' stroke-dasharray="9 6"')
    n = parts.number
    return (
        f'<path d="M{n(start)} {n(y)} H{n(bend)} C{n(middle)} {n(y)} {n(middle)} {n(target)} {n(end)} {n(target)}" '
        f'fill="none" stroke="{colour}" stroke-opacity="0.75" stroke-width="{n(thick)}"{dash}/>'
    )


def _node(x: float, y: float, wide: float, text: str, *, strong: bool = False) -> str:
    n = parts.number
    shown = parts.shortened(text, SIZE, wide - 20)
    fill, stroke = ("#fff4e0", parts.INK) if strong else ("#f2f4f8", parts.PALE_INK)
    box = (
        f'<rect x="{n(x)}" y="{n(y - NODE / 2)}" width="{n(wide)}" height="{n(NODE)}" rx="{8 if strong else 16}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="{2 if strong else 1}"/>'
    )
    words = parts.label(x + wide / 2, y + SIZE / 3, shown, SIZE, anchor="middle", weight=600 if strong else 400)
    return f"<g><title>{parts.escape(text)}</title>{box}{words}</g>"


def _coefficient(y: float, weight: float) -> str:
    n = parts.number
    # A true minus sign, as wide as the plus; three significant digits.
    text = f"{weight:+.3g}".replace("-", "\N{MINUS SIGN}")
    wide = parts.width(text, 13) + 12
    x = MARGIN + FEATURE_WIDTH + 14
    pill = (
        f'<rect x="{n(x)}" y="{n(y - 10)}" width="{n(wide)}" height="20" rx="10" '
        f'fill="{parts.PAPER}" stroke="{parts.RULE}"/>'
    )
    return pill + parts.label(x + wide / 2, y + 4.5, text, 13, anchor="middle")
