"""Agreement in other coins than alpha: percent agreement, Fleiss' kappa, Gwet's AC1. All of them nominal."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.agreement import Reason
from analysis_core.statistics.ratings import Floats, Integers, Ratings


@dataclass(frozen=True)
class Coefficient:
    """value: the coefficient, at most 1, or None with the reason.

    reason: no_overlap (no unit has two answers) or no_variation (all answers are the same, as by chance they would be)
    """

    value: float | None
    reason: Reason | None


@dataclass(frozen=True)
class _Shares:
    """What all three are made of.

    agreement:  p_a = mean over the units with two or more answers of sum_k r_ik (r_ik - 1) / (r_i (r_i - 1)), where
                r_ik raters of unit i chose category k and r_i raters answered it; None without such a unit
    prevalence: pi_k = mean over the units with one or more answers of r_ik / r_i: float64 [categories that occur]
    """

    agreement: float | None
    prevalence: Floats


def percent_agreement(ratings: Any) -> Coefficient:
    """How often two raters who answered the same unit gave the same answer: between 0 and 1, not corrected for chance.

    The share of agreeing pairs is taken per unit, then averaged over the units with two or more answers, so that a unit
    counts once however many answered it.
    ratings: [raters, units] with None or nan missing, any labels; or Ratings
    raises:  BadInput (not a table)
    source:  Fleiss 1971, "Measuring nominal scale agreement among many raters", for equal numbers of raters; Gwet 2014,
             "Handbook of Inter-Rater Reliability", 4th edition, p_a, for varying ones
    """
    agreement = _shares(_coded(ratings)).agreement
    return Coefficient(None, "no_overlap") if agreement is None else Coefficient(agreement, None)


def fleiss_kappa(ratings: Any) -> Coefficient:
    """(p_a - p_e) / (1 - p_e) with p_e = sum_k pi_k^2: chance draws two answers from the pooled prevalences.

    With missing answers p_a averages over the units with two or more answers, pi_k over all units with an answer; on a
    complete table that is Fleiss' own formula.
    ratings, raises: as in percent_agreement
    source:  Fleiss 1971; with missing answers as in Gwet 2014 and his package irrCAC
    """
    shares = _shares(_coded(ratings))
    return _beyond_chance(shares, _spread(shares), len(shares.prevalence))


def gwet_ac1(ratings: Any, *, categories: int | Collection[Any] | None = None) -> Coefficient:
    """(p_a - p_e) / (1 - p_e) with p_e = sum_k pi_k (1 - pi_k) / (q - 1): stays near p_a where one category prevails.

    categories: q, the number of categories that an answer could have had, or these categories; without it those that
                occur. More categories make chance agreement rarer and AC1 larger. With a declared domain unanimous
                answers have the value 1; without it there is one category and no value.
    ratings:    as in percent_agreement
    raises:     BadInput (not a table, or fewer categories than occur)
    source:     Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement"; with
                missing answers as in Gwet 2014 and irrCAC (which writes q / (q (q - 1)) for the factor 1 / (q - 1))
    """
    shares = _shares(_coded(ratings))
    found = len(shares.prevalence)
    declared = found if categories is None else categories if isinstance(categories, int) else len(set(categories))
    if declared < found:
        raise BadInput(f"{declared} categories are declared, but {found} different answers occur")
    return _beyond_chance(shares, 1 - _spread(shares) / max(declared - 1, 1), declared)


def _spread(shares: _Shares) -> float:
    """sum_k pi_k (1 - pi_k) = 1 - sum_k pi_k^2"""
    return float((shares.prevalence * (1 - shares.prevalence)).sum())


def _beyond_chance(shares: _Shares, disagreement_by_chance: float, categories: int) -> Coefficient:
    """(p_a - p_e) / (1 - p_e), written with disagreements."""
    if shares.agreement is None:
        return Coefficient(None, "no_overlap")
    if categories < 2:
        return Coefficient(None, "no_variation")
    return Coefficient(1 - (1 - shares.agreement) / disagreement_by_chance, None)


def _coded(ratings: Any) -> Ratings:
    return ratings if isinstance(ratings, Ratings) else table.read(ratings, "nominal")


def _shares(coded: Ratings) -> _Shares:
    unit, code, times = _cells(coded)
    answers = np.bincount(unit, weights=times, minlength=coded.units)
    rated = answers > 0
    portions = np.bincount(code, weights=times / answers[unit])
    prevalence = portions[portions > 0] / max(int(rated.sum()), 1)
    compared = answers >= 2
    if not compared.any():
        return _Shares(None, prevalence)
    agreeing = np.bincount(unit, weights=times * (times - 1), minlength=coded.units)[compared]
    pairs = answers[compared] * (answers[compared] - 1)
    return _Shares(float((agreeing / pairs).mean()), prevalence)


def _cells(coded: Ratings) -> tuple[Integers, Integers, Floats]:
    """The cells of the count table [units, categories] that are not 0: unit, category, how many raters.

    Sparse, so that memory follows the answers: a dense count table of 10^6 different free texts would not fit.
    """
    width = max(len(coded.values), 1)
    cells, times = np.unique(coded.unit * width + coded.code, return_counts=True)
    return cells // width, cells % width, times.astype(np.float64)
