"""Are people right when they are sure? Accuracy at each confidence, whether confidence separates, and both in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.crossed import NO_VARIANCE, crossed_variance, jackknife_variance
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.scores import wilson

#: Fewer annotators or items than this at a level have no interval. In 1,500 simulated tables per size the intervals
#: cover .98 to 1 from 3 x 20 to 5 x 20, .96 to .98 at 10 x 40 and .94 to .97 at 20 x 40: wide with few annotators.
FEWEST = 3


@dataclass(frozen=True)
class ConfidenceLevel:
    """The answers given at one confidence.

    annotators: how many gave such an answer
    accuracy:   share of them that are right; None without answers
    interval:   95 %, for new annotators and new items; None with fewer than FEWEST of either, or without variance
    """

    level: int
    answers: int
    annotators: int
    accuracy: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Separation:
    """How often a right answer has the higher confidence than a wrong one of the same annotator (AUC; .5: no sign).

    auc:        mean over the annotators who have both right and wrong answers; equal confidences count as a half
    annotators: how many these are
    reason:     why auc is None: no_answers, or no_mistakes_and_successes (no annotator has both)
    """

    auc: float | None
    annotators: int
    reason: str | None = None


def calibration(correct: Any, confidence: Any, levels: Sequence[int] = (1, 2, 3, 4, 5)) -> tuple[ConfidenceLevel, ...]:
    """Accuracy of the answers at each confidence, in the order of `levels`.

    Accuracy is a share of answers, not of annotators: who says 5 more often counts more often there. Its interval
    takes annotators and items as samples: delete-one jackknife variances of right / given over both, less that over
    single answers (crossed_variance), Student's t, Wilson's ends.
    correct:    [annotators, items] of 1, 0 (or booleans), nan or None for missing
    confidence: [annotators, items] of the levels, nan or None for missing; an answer counts where both are there
    raises:     BadInput (tables of different shapes, an entry that is neither 1 nor 0, a confidence off the scale)
    """
    right, sure = _tables(correct, confidence, levels)
    return tuple(_level(level, np.where(sure == level, right, np.nan)) for level in levels)


def separation(correct: Any, confidence: Any, levels: Sequence[int] = (1, 2, 3, 4, 5)) -> Separation:
    """Whether confidence separates an annotator's right answers from the wrong ones; arguments as in calibration.

    source: the area under the receiver operating characteristic, within annotators (type 2 AUC; Fleming and Lau 2014,
            "How to measure metacognition")
    """
    right, sure = _tables(correct, confidence, levels)
    areas = [_area(sure[row][right[row] == 1], sure[row][right[row] == 0]) for row in range(len(right))]
    found = [area for area in areas if area is not None]
    if found:
        return Separation(float(np.mean(found)), len(found))
    return Separation(None, 0, "no_answers" if np.isnan(right).all() else "no_mistakes_and_successes")


def calibration_sentence(correct: Any, confidence: Any, levels: Sequence[int] = (1, 2, 3, 4, 5)) -> str:
    """What calibration and separation say, in words; arguments as in calibration."""
    used = [level for level in calibration(correct, confidence, levels) if level.answers]
    if not used:
        return "No answer has both a confidence and a truth."
    highest, lowest = used[-1], used[0]
    said = f"When people said {highest.level} they were right in {_share(highest)}"
    said += (
        f", when they said {lowest.level} in {_share(lowest)}."
        if lowest is not highest
        else "; they said nothing else."
    )
    return f"{said} {_separation_sentence(separation(correct, confidence, levels))}"


def _separation_sentence(found: Separation) -> str:
    if found.auc is None:
        return "Whether confidence separates right from wrong cannot be told: nobody has both right and wrong answers."
    who = "one annotator" if found.annotators == 1 else f"{found.annotators} annotators"
    return (
        f"Of a right and a wrong answer of the same person, the right one had the higher confidence in {found.auc:.0%}"
        f" of pairs (mean of {who} with both; ties count half, 50% would be no sign of knowing)."
    )


def _share(level: ConfidenceLevel) -> str:
    return f"{level.accuracy:.0%} of {level.answers} answer{'' if level.answers == 1 else 's'}"


def _tables(correct: Any, confidence: Any, levels: Sequence[int]) -> tuple[Floats, Floats]:
    """Right and confidence as float64 [annotators, items], nan in both where either is missing."""
    if list(levels) != sorted(set(levels)):
        raise BadInput(f"confidence levels ascend and differ: {list(levels)}")
    coded = [table.read(cells, "interval") for cells in (correct, confidence)]
    if (coded[0].raters, coded[0].units) != (coded[1].raters, coded[1].units):
        shapes = " and ".join(f"{each.raters} x {each.units}" for each in coded)
        raise BadInput(f"right answers and confidences are tables of the same shape, not {shapes}")
    for each, allowed in zip(coded, ((0.0, 1.0), tuple(levels)), strict=True):
        strange = each.values[~np.isin(each.values, allowed)]
        if len(strange):
            raise BadInput(f"{strange[0]:g} is none of {', '.join(f'{value:g}' for value in allowed)}")
    right, sure = (np.where(each.codes >= 0, np.append(each.values, np.nan)[each.codes], np.nan) for each in coded)
    missing = np.isnan(right) | np.isnan(sure)
    return np.where(missing, np.nan, right), np.where(missing, np.nan, sure)


def _level(level: int, right: Floats) -> ConfidenceLevel:
    given = ~np.isnan(right)
    right, given = right[given.any(axis=1)][:, given.any(axis=0)], given[given.any(axis=1)][:, given.any(axis=0)]
    answers, annotators = int(given.sum()), len(right)
    if not answers:
        return ConfidenceLevel(level, 0, 0, None, None)
    share = float(np.nansum(right) / answers)
    return ConfidenceLevel(level, answers, annotators, share, _interval(np.nan_to_num(right), given, share))


def _interval(right: Floats, given: Any, share: float) -> tuple[float, float] | None:
    if min(right.shape) < FEWEST or share in (0.0, 1.0):
        return None
    variances = [
        jackknife_variance((right.sum() - right.sum(axis=axis)) / (given.sum() - given.sum(axis=axis)))
        for axis in (1, 0)
    ]
    single = jackknife_variance((right.sum() - right[given]) / (given.sum() - 1))
    variance, freedom = crossed_variance(variances[0], variances[1], single, *right.shape)
    return wilson(share, variance, float(stdtrit(freedom, 0.975))) if variance > NO_VARIANCE else None


def _area(right: Floats, wrong: Floats) -> float | None:
    if not len(right) or not len(wrong):
        return None
    apart = right[:, None] - wrong
    return float((apart > 0).mean() + (apart == 0).mean() / 2)
