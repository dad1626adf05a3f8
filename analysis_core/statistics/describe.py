"""One group of answers as a JSON-ready mapping: what `python -m analysis_core.statistics --json` prints per group."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from analysis_core.errors import BadInput
from analysis_core.statistics.agreement import alpha
from analysis_core.statistics.answer_groups import DENSE_CELLS, Group, laid_out
from analysis_core.statistics.calibration import calibration, calibration_sentence
from analysis_core.statistics.coefficients import Coefficient, fleiss_kappa, gwet_ac1, percent_agreement
from analysis_core.statistics.group_notes import notes_on
from analysis_core.statistics.intervals import alpha_interval
from analysis_core.statistics.ratings import Ratings
from analysis_core.statistics.scores import crossed_accuracy, summary

#: As many different confidences are levels.
MOST_LEVELS = 20


def describe(
    group: Group, level: str, *, categories: int | None, truth: bool, confidence: bool, over: str = "both"
) -> dict[str, Any]:
    """Agreement and, where asked for, accuracy and accuracy per confidence level; what is not asked for is null.

    categories: how many values an answer could have had, where that is declared
    over: what alpha's interval generalises to, as in alpha_interval; that of accuracy always speaks of both
    Undefined values are null and their reason is named beside them; no number is nan.
    """
    ratings = group.ratings(level)
    found, interval = alpha(ratings, level), alpha_interval(ratings, level, over=over)
    described: dict[str, Any] = {
        "group": group.name,
        "raters": found.raters,
        "units": found.units,
        "alpha": {
            "value": found.value,
            "interval": interval.interval,
            "over": interval.over,
            "undefined": found.reason,
            "undefined_replicates": interval.undefined_replicates,
        },
        "percent": _coefficient(percent_agreement(ratings)),
        "fleiss": _coefficient(fleiss_kappa(ratings)),
        "ac1": _coefficient(gwet_ac1(ratings, categories=categories)),
        "accuracy": accuracy_of(group.correct()) if truth else None,
        "confidence": confidence_of(group) if truth and confidence else None,
    }
    described["notes"] = notes_on(described, has_too_many_values=interval.reason is not None)
    return described


def accuracy_of(correct: Ratings) -> dict[str, Any]:
    """Accuracy over raters; without an interval where raters x units are too many to lay out."""
    if correct.raters * correct.units <= DENSE_CELLS:
        found = crossed_accuracy(laid_out(correct))
        mean, std, interval, per_annotator = found.mean, found.std, found.interval, found.per_annotator
    else:
        given = np.bincount(correct.rater, minlength=correct.raters)
        right = np.bincount(correct.rater, weights=correct.values[correct.code], minlength=correct.raters)
        per_annotator = tuple(float(r / n) if n else None for r, n in zip(right, given, strict=True))
        over_raters = summary(per_annotator)
        mean, std, interval = over_raters.mean, over_raters.std, None
    return {"mean": mean, "std": std, "interval": interval, "over": "both", "per_annotator": list(per_annotator)}


def confidence_of(group: Group) -> dict[str, Any]:
    """Accuracy at each confidence that was given, and what it says in words.

    raises: BadInput (too many different confidences, or too many raters x units to lay out)
    """
    correct, sure = group.correct(), group.confidences()
    if correct.raters * correct.units > DENSE_CELLS:
        raise BadInput(
            f"{correct.raters:,} raters x {correct.units:,} units are more than {DENSE_CELLS:,} cells, too many for "
            "accuracy per confidence: leave --confidence-column out"
        )
    levels = [int(value) for value in sure.values]
    if len(levels) > MOST_LEVELS:
        raise BadInput(
            f"the confidence column has {len(levels)} different values; accuracy per confidence takes at most "
            f"{MOST_LEVELS}: group them first"
        )
    tables = laid_out(correct), laid_out(sure)
    found = [asdict(level) for level in calibration(*tables, levels)]
    return {"levels": found, "sentence": calibration_sentence(*tables, levels)}


def _coefficient(found: Coefficient) -> dict[str, Any]:
    return {"value": found.value, "undefined": found.reason}
