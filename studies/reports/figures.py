"""Figures as words, the same in text and HTML. What cannot be computed is a dash or its reason, never nan."""

from __future__ import annotations

from collections.abc import Sequence

from studies.reports.shape import (
    AccuracyFigures,
    AlphaFigures,
    Bounds,
    CoefficientFigures,
    ConfidenceFigures,
    DropOff,
    Helpful,
    Part,
    Report,
    Trend,
)

NONE = "–"
#: What a p of alpha speaks of (see docs/statistics.md)
ALPHA_TESTS = "A small p for alpha says that people agree more, or less, on these items; not merely on other answers."
#: Why a coefficient of agreement has no value
REASONS = {"no_overlap": "no item has two answers", "no_variation": "all answers are the same"}

#: Whom the two intervals of alpha speak of
NEW = "new annotators and new items"
THESE = "these annotators and new items"


def share(value: float | None) -> str:
    """0.517; what rounds to nothing has no minus."""
    return NONE if value is None else f"{round(value, 3) + 0.0:.3f}"


def accuracy(figures: AccuracyFigures | None) -> str:
    """0.517 ± 0.126; without the second part for one annotator."""
    return mean_std(figures.mean, figures.std) if figures else NONE


def spread(figures: ConfidenceFigures | None) -> str:
    """3.90 ± 0.40"""
    return mean_std(figures.mean, figures.std, digits=2) if figures else NONE


def mean_std(mean: float | None, std: float | None, digits: int = 3) -> str:
    """Mean ± standard deviation."""
    if mean is None:
        return NONE
    return f"{mean:.{digits}f}" if std is None else f"{mean:.{digits}f} ± {std:.{digits}f}"


def interval(bounds: Bounds | None) -> str:
    """[0.300, 0.700]"""
    return NONE if bounds is None else f"[{share(bounds[0])}, {share(bounds[1])}]"


def coefficient(figures: CoefficientFigures) -> str:
    """0.501 or "undefined"."""
    return "undefined" if figures.undefined else share(figures.value)


def alpha(figures: AlphaFigures | None) -> str:
    """0.501; the reason of an undefined one stands among the warnings."""
    if figures is None:
        return NONE
    return "undefined" if figures.undefined else share(figures.value)


def part_alpha(part: Part | None) -> str:
    """Alpha on some of the items; a dash where there are none."""
    return alpha(part.alpha) if part and part.items else NONE


def drop_off(found: DropOff) -> str:
    """What became of everybody, up to the assignment, in one sentence."""
    gone = [
        (found.screened_out, "screened out"),
        (found.no_place, "without a place left"),
        (found.left, "withdrawn before the assignment"),
        (found.unassigned, "not yet assigned"),
    ]
    words = [f"{number} {what}" for number, what in gone if number]
    return f"{found.started} started: {listed([f'{found.assigned} assigned', *words])}."


def helpful(figures: Helpful | None) -> str:
    """12 / 48 (80 %): Overview, Features, and the share of the latter."""
    total = figures.overview + figures.features if figures else 0
    if figures is None or not total:
        return NONE
    return f"{figures.overview} / {figures.features} ({100 * figures.features / total:.0f} %)"


def p_value(p: float) -> str:
    """0.100; tiny ones as a bound."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_sentence(p: float) -> str:
    """p = 0.100 or p < 0.001"""
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def least_p(p: float) -> str:
    """What a test cannot go below: 0.10, and 0.067 where two digits would claim more than is so."""
    return f"{p:.2f}" if p >= 0.1 else f"{p:.3f}"


def signed(difference: float) -> str:
    """+0.100; what rounds to nothing has no minus."""
    return f"{round(difference, 3) + 0.0:+.3f}"


def counted(number: int, one: str, many: str = "") -> str:
    """3 sheets, 1 sheet"""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """a, b and c"""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def plan(report: Report) -> str:
    """Whether the report keeps to the freeze."""
    if report.plan.sha256 is None:
        return "not frozen"
    match = "matches plan" if report.matches_plan else "DEVIATES FROM plan"
    return f"{match} {report.plan.sha256[:12]}"


def trend(found: Trend) -> str:
    """The trend test in one sentence."""
    correlation = "no variation" if found.correlation is None else f"correlation {found.correlation:+.3f}"
    return f"Trend of {found.statistic} over {', '.join(found.order)}: {correlation}, {p_sentence(found.p)}"
