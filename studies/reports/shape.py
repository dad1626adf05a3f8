"""The report as an object: plain frozen values, stored as JSON and read by every export.

A figure that cannot be computed is null, with the reason beside it. A part that the study does not ask for (helpfulness
of a condition with one page) is null as a whole.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Bounds = tuple[float, float]
Undefined = Literal["no_overlap", "no_variation"]
#: What is compared between conditions
Statistic = Literal["accuracy", "alpha", "confidence"]
STATISTICS: tuple[Statistic, ...] = ("accuracy", "alpha", "confidence")


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
    """Krippendorff's alpha, or None with the reason in `undefined`.

    interval:       for the population that `over` names (both: new annotators and new items)
    interval_items: for these annotators and new items; None as well for alphas of which it is not computed
    """

    value: float | None
    interval: Bounds | None
    over: str
    level: str
    undefined: Undefined | None
    interval_items: Bounds | None = None


class CoefficientFigures(_Part):
    """Another coefficient of agreement, or None with the reason in `undefined`."""

    value: float | None
    undefined: Undefined | None


class AgreementFigures(_Part):
    """Coefficients beside alpha, on the same answers: Fleiss' kappa, percent agreement (a share), Gwet's AC1."""

    fleiss: CoefficientFigures
    percent: CoefficientFigures
    ac1: CoefficientFigures


class ConfidenceFigures(_Part):
    """From 1 to 5: mean and standard deviation (n - 1) over answers, and each annotator's mean (None: no answers)."""

    mean: float | None
    std: float | None
    per_annotator: tuple[float | None, ...]


class ConfidenceLevel(_Part):
    """The answers given at one confidence: how many, by how many annotators, and the share of right ones."""

    level: int
    answers: int
    annotators: int
    accuracy: float | None
    interval: Bounds | None


class Calibration(_Part):
    """Accuracy per confidence level, whether confidence separates right from wrong, and what both say in a sentence.

    separation: how often a right answer has the higher confidence than a wrong one of the same annotator (.5: no sign
                of knowing), or None with the reason in `undefined`
    """

    levels: tuple[ConfidenceLevel, ...]
    separation: float | None = None
    undefined: str | None = None
    sentence: str


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


class ConditionDropOff(_Part):
    """What became of the sheets that were assigned to one condition: assigned = finished + unfinished + withdrawn.

    late:    of all of them, those whose annotator came back after the time-out
    reached: how many answered at least k items, k = 0, 1, ... (practice and attention checks are items here too).
             Sheets that may still be answered are left out, so reached[0] can be smaller than assigned
    """

    assigned: int
    finished: int
    unfinished: int
    withdrawn: int
    late: int
    reached: tuple[int, ...]


class DropOff(_Part):
    """What became of everybody who started: started = unassigned + screened_out + no_place + left + assigned.

    unassigned: still at the consent or the quiz, or gone from there without a word; left: withdrew there
    """

    started: int
    unassigned: int
    screened_out: int
    no_place: int
    left: int
    assigned: int


class ConditionReport(_Part):
    """One arm. excluded: finished sheets that a declared rule leaves out of every figure."""

    name: str
    stages: tuple[str, ...]
    annotators: int
    excluded: int
    items: int
    accuracy: AccuracyFigures | None
    alpha: AlphaFigures
    alpha_identity: AlphaFigures | None
    agreement: AgreementFigures
    confidence: ConfidenceFigures | None
    calibration: Calibration | None
    helpful: Helpful | None
    categories: dict[str, float] | None
    split: Split | None
    drop_off: ConditionDropOff


class ExclusionRule(_Part):
    """One declared rule in words, and how many finished sheets of each condition it leaves out."""

    rule: str
    meaning: str
    excluded: dict[str, int]


class Unfiltered(_Part):
    """One condition with all its finished sheets, the excluded ones too."""

    name: str
    annotators: int
    accuracy: AccuracyFigures | None
    alpha: AlphaFigures


class Exclusions(_Part):
    """The rules of the plan, and the figures as they would be without them."""

    rules: tuple[ExclusionRule, ...]
    without: tuple[Unfiltered, ...]


class Comparison(_Part):
    """Two arms: `difference` is b minus a, tested by permuting whole annotators; adjusted within its statistic.

    exact: all relabellings were counted, none sampled
    """

    a: str
    b: str
    statistic: Statistic
    difference: float
    unit: str
    p: float
    p_adjusted: float
    smallest_possible_p: float
    exact: bool


class Trend(_Part):
    """The test over ordered arms; `correlation` of order and score is None where all scores are the same."""

    p: float
    order: tuple[str, ...]
    statistic: Statistic
    correlation: float | None
    unit: str
    smallest_possible_p: float
    exact: bool


class Primary(_Part):
    """The result that the plan declares as the main one.

    p: of the trend, or the smallest adjusted one of all pairs; None with the reason in `sentence`
    """

    comparison: Literal["trend", "pairs"]
    statistic: Statistic
    p: float | None
    level: float
    sentence: str


class Plan(_Part):
    """What was declared before data collection, and the hash of the freeze (None before it)."""

    sha256: str | None
    primary: str
    alpha: float
    exclude: tuple[str, ...]


class Report(_Part):
    """One study's outcomes for one state of its data. trend: the one of accuracy; trends: all that can be computed"""

    study: str
    title: str
    version: str
    software: str
    seed: int
    matches_plan: bool
    simulated: bool
    sheets: str  # live | simulated | pilot
    kind: str
    state: str
    plan: Plan
    chance: float | None
    primary: Primary
    conditions: tuple[ConditionReport, ...]
    comparisons: tuple[Comparison, ...]
    trend: Trend | None
    trends: tuple[Trend, ...]
    exclusions: Exclusions | None
    drop_off: DropOff
    warnings: tuple[str, ...]
    methods: str

    @property
    def mark(self) -> str:
        """The watermark: first on every form of a report that is not about people's counted answers."""
        return {
            "simulated": "SIMULATED: answers of simulated annotators, not of people",
            "pilot": "PREVIEW: pilot answers, which do not count",
        }.get(self.sheets, "")
