"""The stylesheet's colours: enough contrast (WCAG 2.2 AA, 4.5 to 1) in both modes, for every pair that meets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parents[2] / "studies/static/studies/base.css"
GROUNDS = ["ground", "surface", "sunken"]
PAIRS = [
    *[(ink, ground) for ink in ("ink", "ink-soft", "accent") for ground in GROUNDS],
    *[(ink, ground) for ink in ("good", "warn", "bad") for ground in ("surface", f"{ink}-soft")],
    *[("ink", f"{tone}-soft") for tone in ("accent", "good", "warn", "bad")],
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
]


def colours_of(mode: str) -> dict[str, str]:
    """The colours by name, light or dark."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS.read_text(), re.DOTALL)[:2]
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found if mode == "light" else {**found, **dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark))}


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Between 1 (the same luminance) and 21 (black and white), as WCAG 2.2 defines it."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_that_wcag_gives() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_can_be_read_on_their_ground(mode: str, ink: str, ground: str) -> None:
    colours = colours_of(mode)
    assert contrast(colours[ink], colours[ground]) >= 4.5
