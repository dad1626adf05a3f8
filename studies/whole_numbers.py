"""Whole numbers that somebody typed into a form. `int` takes other scripts' digits, and raises at thousands of them."""

from __future__ import annotations

MOST_DIGITS = 9


def whole_number(text: str) -> int | None:
    """The number of up to nine digits 0 to 9 and nothing else; None for every other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
