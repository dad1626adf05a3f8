"""The small part of SVG that the pictures share: a light card (readable in dark mode), text, widths, escaping."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape as _escape

INK, PALE_INK, PAPER, RULE = "#1d2330", "#5a6375", "#ffffff", "#d5dae3"
#: Lines and numbers of either sign: at least 4.5 : 1 against the paper.
POSITIVE, NEGATIVE = "#b34700", "#0f5fb5"
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

#: How much wider bold text runs.
BOLD = 1.07

_NARROW, _WIDE = "iljtfrI.,;:'|!()[] ", "mwMW@%"


def escape(text: str) -> str:
    """Text for element content and quoted attributes; characters that XML forbids become the replacement mark."""
    allowed = "".join(c if c in "\t\n\r" or (ord(c) >= 0x20 and not _forbidden(ord(c))) else "\ufffd" for c in text)
    return _escape(allowed, {'"': "&quot;"})


def width(text: str, size: float) -> float:
    """About how wide a text is in a sans-serif face."""
    return size * sum(_advance(c) for c in text)


def shortened(text: str, size: float, room: float) -> str:
    """The text, or as much of its beginning as fits with an ellipsis."""
    if width(text, size) <= room:
        return text
    while text and width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def label(
    x: float, y: float, text: str, size: float, *, anchor: str = "start", weight: int = 400, fill: str = INK
) -> str:
    """A line of text with its base line at y, held to its estimated width whatever font the reader has."""
    if not text:
        return ""
    wide = width(text, size) * (BOLD if weight >= 600 else 1)
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" text-anchor="{anchor}" '
        f'font-weight="{weight}" fill="{fill}" textLength="{number(wide)}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )


def card(wide: float, high: float, title: str, body: list[str]) -> bytes:
    """A whole SVG file: a light card of this size with the parts on it."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(wide)} {number(high)}" '
            f'width="{number(wide)}" height="{number(high)}" role="img" font-family="{FONT}">',
            f"<title>{escape(title)}</title>",
            f'<rect x="0.5" y="0.5" width="{number(wide - 1)}" height="{number(high - 1)}" rx="10" '
            f'fill="{PAPER}" stroke="{RULE}"/>',
            *body,
            "</svg>",
            "",
        ]
    ).encode()


def number(value: float) -> str:
    """At most two decimals, without trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _advance(character: str) -> float:
    # Marks stand above, below or beside their letter without a place of their own; joiners and selectors have none.
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in _NARROW:
        return 0.33
    if character in _WIDE:
        return 0.9
    return 0.68 if character.isupper() else 0.57


def _forbidden(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF) or 0x7F <= code <= 0x9F
