"""Krippendorff's alpha, with undefined values named. Equals the krippendorff package to 1e-12; memory O(answers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis_core.statistics import ratings as table
from analysis_core.statistics.disagreement import weighted_alpha
from analysis_core.statistics.pairable import pairable

Reason = Literal["no_overlap", "no_variation"]


@dataclass(frozen=True)
class Alpha:
    """value: Krippendorff's alpha, or None with the reason.

    reason: no_overlap (no unit has two answers) or no_variation (all answers that can be compared are the same)
    raters, units: the shape of the table
    """

    value: float | None
    reason: Reason | None
    level: str
    raters: int
    units: int


def alpha(ratings: Any, level: str) -> Alpha:
    """Agreement of raters beyond chance.

    ratings: [raters, units], nan or None missing; at nominal level any labels (the text "nan" is a label); or a
             `Ratings`, which holds a large table with few answers in little memory
    level:   nominal, ordinal, interval or ratio
    cost:    O(answers log answers) time, O(answers) memory; at ratio level O(answers x distinct values of a unit) time
    raises:  UnknownName (level), BadInput (not a table, or values that the level cannot use)
    source:  Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"
    """
    coded = table.read(ratings, level)
    value, reason = coded_alpha(coded)
    return Alpha(value, reason, level, coded.raters, coded.units)


def coded_alpha(coded: table.Ratings) -> tuple[float | None, Reason | None]:
    """The same for a table that is coded already: (value, None) or (None, reason)."""
    # A value that nobody else could have repeated takes no part in alpha: `pairable` leaves it out of the domain.
    p = pairable(coded)
    if not p.units.groups:
        return None, "no_overlap"
    value = weighted_alpha(p, np.ones(p.units.groups))
    return (None, "no_variation") if np.isnan(value) else (value, None)
