"""One condition's figures from its rating table. Loads numpy: for workers and commands, never for the web process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from analysis_core.statistics import (
    alpha,
    alpha_interval,
    calibration,
    calibration_sentence,
    crossed_accuracy,
    fleiss_kappa,
    gwet_ac1,
    percent_agreement,
    separation,
    summary,
)
from studies.config import StudyConfig
from studies.config_parts import FEATURE_STAGES, OVERVIEW_STAGES
from studies.reports.ratings import RatedItem, RatingTable
from studies.reports.shape import (
    AccuracyFigures,
    AgreementFigures,
    AlphaFigures,
    Calibration,
    CoefficientFigures,
    ConditionReport,
    ConfidenceFigures,
    ConfidenceLevel,
    Helpful,
    Part,
    Split,
    Unfiltered,
)

#: A part with fewer items has no interval of alpha: with 3 items of 5 annotators it covers .90 in simulated studies.
PART_ITEMS = 10

Rows = Sequence[Sequence[Any]]


def condition_report(
    config: StudyConfig, items: Sequence[RatedItem], table: RatingTable, excluded: int = 0
) -> ConditionReport:
    """All figures of one condition; a condition without answers has the same parts, with nulls in them.

    table: without the sheets that the plan leaves out; excluded: how many these are
    """
    rated = rated_answers(config, table)
    return ConditionReport(
        name=table.condition,
        stages=table.stages,
        annotators=len(table.annotators),
        excluded=excluded,
        items=len(items),
        accuracy=accuracy_figures(table.correct),
        alpha=alpha_figures(rated),
        alpha_identity=alpha_figures(table.labels),
        agreement=_agreement(rated, max((item.choices for item in items), default=2)),
        confidence=_confidence(table) if "confidence" in config.questions else None,
        calibration=_calibration(table) if "confidence" in config.questions else None,
        helpful=_helpful(table) if "helpful_page" in config.questions and _has_both_pages(table) else None,
        categories=None,
        split=_split(items, table.correct, rated),
        drop_off=table.drop_off,
    )


def rated_answers(config: StudyConfig, table: RatingTable) -> Rows:
    """What agreement is computed on: the classes where all items list the same ones, else the canonical letters.

    A class that only some items offer would make agreement by chance look rare.
    """
    return table.labels if config.answers.fixed else table.letters


def unfiltered(config: StudyConfig, table: RatingTable, report: ConditionReport) -> Unfiltered:
    """One condition with the sheets that the plan leaves out. table: with them; report: without them"""
    same = report.excluded == 0
    return Unfiltered(
        name=table.condition,
        annotators=len(table.annotators),
        accuracy=report.accuracy if same else accuracy_figures(table.correct),
        alpha=report.alpha if same else alpha_figures(rated_answers(config, table)),
    )


def accuracy_figures(correct: Rows) -> AccuracyFigures:
    """Mean and std over annotators, with an interval for new annotators and new items."""
    if not correct:
        return AccuracyFigures(mean=None, std=None, interval=None, over=None, per_annotator=())
    found = crossed_accuracy(correct)
    return AccuracyFigures(
        mean=found.mean, std=found.std, interval=found.interval, over=found.over, per_annotator=found.per_annotator
    )


def alpha_figures(rated: Rows, *, over_items: bool = True) -> AlphaFigures:
    """Alpha of nominal answers, with an interval for new annotators and new items.

    over_items: beside it the one for these annotators and new items
    """
    if not rated:
        return AlphaFigures(value=None, interval=None, over="both", level="nominal", undefined="no_overlap")
    found, interval = alpha(rated, "nominal"), alpha_interval(rated, "nominal", over="both")
    return AlphaFigures(
        value=found.value,
        interval=interval.interval,
        over=interval.over,
        level=found.level,
        undefined=found.reason,
        interval_items=alpha_interval(rated, "nominal", over="items").interval if over_items else None,
    )


def _split(items: Sequence[RatedItem], correct: Rows, rated: Rows) -> Split | None:
    if any(item.model_is_right is None for item in items):
        return None

    def part(keep: Callable[[RatedItem], bool]) -> Part:
        columns = [column for column, item in enumerate(items) if keep(item)]
        agreement = alpha_figures(_only(rated, columns), over_items=False)
        return Part(
            items=len(columns),
            accuracy=accuracy_figures(_only(correct, columns)),
            alpha=agreement if len(columns) >= PART_ITEMS else agreement.model_copy(update={"interval": None}),
        )

    return Split(model_right=part(lambda i: bool(i.model_is_right)), model_wrong=part(lambda i: not i.model_is_right))


def _only(rows: Rows, columns: Sequence[int]) -> list[list[Any]]:
    return [[row[column] for column in columns] for row in rows] if columns else []


def _agreement(rated: Rows, categories: int) -> AgreementFigures:
    """categories: the number of choices, where items differ the largest"""
    found = (fleiss_kappa(rated), percent_agreement(rated), gwet_ac1(rated, categories=categories)) if rated else ()
    fleiss, percent, ac1 = [CoefficientFigures(value=each.value, undefined=each.reason) for each in found] or [
        CoefficientFigures(value=None, undefined="no_overlap")
    ] * 3
    return AgreementFigures(fleiss=fleiss, percent=percent, ac1=ac1)


def _confidence(table: RatingTable) -> ConfidenceFigures:
    found = summary(_cells(table.confidence))
    return ConfidenceFigures(
        mean=found.mean, std=found.std, per_annotator=tuple(summary(row).mean for row in table.confidence)
    )


def _calibration(table: RatingTable) -> Calibration:
    if not table.annotators:
        return Calibration(levels=(), separation=None, undefined="no_answers", sentence="No answers yet.")
    separated = separation(table.correct, table.confidence)
    return Calibration(
        levels=tuple(ConfidenceLevel(**asdict(level)) for level in calibration(table.correct, table.confidence)),
        separation=separated.auc,
        undefined=separated.reason,
        sentence=calibration_sentence(table.correct, table.confidence),
    )


def _helpful(table: RatingTable) -> Helpful:
    cells = _cells(table.helpful)
    return Helpful(overview=cells.count("overview"), features=cells.count("features"))


def _has_both_pages(table: RatingTable) -> bool:
    return bool(OVERVIEW_STAGES.intersection(table.stages)) and bool(FEATURE_STAGES.intersection(table.stages))


def _cells(rows: Iterable[Iterable[Any]]) -> list[Any]:
    return [cell for row in rows for cell in row]
