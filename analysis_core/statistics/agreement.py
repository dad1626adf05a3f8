"""Krippendorff's alpha by the krippendorff package, with its traps handled and undefined values named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import krippendorff
import numpy as np

from analysis_core.statistics import ratings as table
from analysis_core.statistics.replicates import weighted_alphas

Reason = Literal["no_overlap", "no_variation"]

#: The package holds several float64 [units, values, values]; beyond this many cells our own kernel takes over.
PACKAGE_CELLS = 10_000_000


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

    ratings: [raters, units], nan or None missing; at nominal level any labels (the text "nan" is a label)
    level:   nominal, ordinal, interval or ratio
    raises:  UnknownName (level), BadInput (not a table, or values that the level cannot use)
    source:  Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"
    """
    coded = table.read(ratings, level)
    value, reason = coded_alpha(coded)
    return Alpha(value, reason, level, coded.raters, coded.units)


def coded_alpha(coded: table.Ratings) -> tuple[float | None, Reason | None]:
    """The same for a table that is coded already: (value, None) or (None, reason)."""
    counts = coded.counts()
    # A value that nobody else could have repeated takes no part in alpha; without it the domain may be a single value,
    # on which the package raises or gives nan.
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return None, "no_overlap"
    used = counts.any(axis=0)
    if used.sum() < 2:
        return None, "no_variation"
    counts, values = counts[:, used], coded.values[used]
    if counts.size * len(values) > PACKAGE_CELLS:
        return float(weighted_alphas(counts, values, coded.level, np.ones((1, len(counts))))[0]), None
    level = cast(Any, coded.level)
    return float(krippendorff.alpha(value_counts=counts, value_domain=values, level_of_measurement=level)), None
