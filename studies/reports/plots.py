"""Strip plots of accuracy: where each annotator's dot lies, in percent of the drawing's width. Templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studies.reports.shape import ConditionReport, Report

# The scale from 0 to 1 lies between these, so that dots at its ends are not cut off.
LEFT, RIGHT = 3.0, 97.0
# Dots of the same accuracy are stacked: vertical distance in pixels, and how many fit.
STEP, ROWS = 10, 3


@dataclass(frozen=True)
class Dot:
    """x in percent, y in pixels from the middle line."""

    x: float
    y: int


@dataclass(frozen=True)
class Strip:
    """One condition; None where there is nothing to draw."""

    condition: ConditionReport
    dots: tuple[Dot, ...]
    mean: float | None
    low: float | None
    high: float | None
    chance: float | None


def strips(report: Report) -> list[Strip]:
    """One strip per condition, on one common scale."""
    return [_strip(condition, report.chance) for condition in report.conditions]


def place(share: float | None) -> float | None:
    """Where a share between 0 and 1 lies, in percent of the width."""
    return None if share is None else round(LEFT + (RIGHT - LEFT) * share, 3)


def _strip(condition: ConditionReport, chance: float | None) -> Strip:
    figures = condition.accuracy
    low, high = figures.interval if figures and figures.interval else (None, None)
    return Strip(
        condition=condition,
        dots=_dots([s for s in figures.per_annotator if s is not None] if figures else []),
        mean=place(figures.mean if figures else None),
        low=place(low),
        high=place(high),
        chance=place(chance),
    )


def _dots(scores: Sequence[float]) -> tuple[Dot, ...]:
    """Equal scores are stacked around the middle: 0, +1, -1, and again from 0."""
    seen: dict[float, int] = {}
    dots = []
    for score in sorted(scores):
        x = place(score)
        assert x is not None
        turn = seen.get(x, 0)
        seen[x] = turn + 1
        level = (turn % ROWS + 1) // 2
        dots.append(Dot(x, STEP * (level if turn % 2 else -level)))
    return tuple(dots)
