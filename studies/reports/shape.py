"""The report as an object: plain frozen values, stored as JSON and read by every export.

A figure that cannot be computed is null. A part that the study does not ask for (helpfulness of a condition with one
page) is null as a whole.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Bounds = tuple[float, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccuracyFigures(_Part):
    """Shares between 0 and 1; std over annotators with n - 1; the interval holds for `over` (new annotators, items)."""

    mean: float | None
    std: float | None
    interval: Bounds | None
    over: str | None
    per_annotator: tuple[float | None, ...]


class AlphaFigures(_Part):
    """Krippendorff's alpha, or None with the reason in `undefined`."""

    value: float | None
    interval: Bounds | None
    over: str
    level: str
    undefined: Literal["no_overlap", "no_variation"] | None


class Spread(_Part):
    """Mean and standard deviation (n - 1) over answers."""

    mean: float | None
    std: float | None


class Helpful(_Part):
    """How many answers (annotators x items) found which page more helpful."""

    overview: int
    features: int


class Part(_Part):
    """Figures on some of the items."""

    items: int
    accuracy: AccuracyFigures
    alpha: AlphaFigures


class Split(_Part):
    """The items that the model gets right, and those it gets wrong."""

    model_right: Part
    model_wrong: Part


class ConditionReport(_Part):
    """One arm."""

    name: str
    stages: tuple[str, ...]
    annotators: int
    items: int
    accuracy: AccuracyFigures | None
    alpha: AlphaFigures
    alpha_identity: AlphaFigures | None
    confidence: Spread | None
    helpful: Helpful | None
    categories: dict[str, float] | None
    split: Split | None


class Comparison(_Part):
    """Two arms: `difference` is b minus a, tested by permuting whole annotators."""

    a: str
    b: str
    statistic: str
    difference: float
    unit: str
    p: float
    p_adjusted: float
    smallest_possible_p: float


class Trend(_Part):
    """The test over ordered arms; `correlation` of order and score is None where all scores are the same."""

    p: float
    order: tuple[str, ...]
    statistic: str
    correlation: float | None
    smallest_possible_p: float


class Plan(_Part):
    """What was declared before data collection, and the hash of the freeze (None before it)."""

    sha256: str | None
    primary: str
    alpha: float
    exclude: tuple[str, ...]


class Report(_Part):
    """One study's outcomes for one state of its data."""

    study: str
    title: str
    version: str
    matches_plan: bool
    simulated: bool
    sheets: str  # live | simulated | pilot
    kind: str
    state: str
    plan: Plan
    chance: float | None
    conditions: tuple[ConditionReport, ...]
    comparisons: tuple[Comparison, ...]
    trend: Trend | None
    warnings: tuple[str, ...]

    @property
    def mark(self) -> str:
        """The watermark: first on every form of a report that is not about people's counted answers."""
        return {
            "simulated": "SIMULATED: answers of simulated annotators, not of people",
            "pilot": "PREVIEW: pilot answers, which do not count",
        }.get(self.sheets, "")
