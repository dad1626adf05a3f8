"""Agreement, accuracy, intervals and tests for answers of people. Needs numpy and krippendorff; loads no torch."""

from __future__ import annotations

from analysis_core.statistics.agreement import Alpha, alpha
from analysis_core.statistics.coefficients import Coefficient, fleiss_kappa, gwet_ac1, percent_agreement
from analysis_core.statistics.intervals import Interval, alpha_interval
from analysis_core.statistics.permutation import Test, holm, permutation_test, trend_test
from analysis_core.statistics.ratings import LEVELS
from analysis_core.statistics.scores import Accuracy, Summary, accuracy, crossed_accuracy, summary
from analysis_core.statistics.simulation import Population, population_alpha, simulate_answers

__all__ = [
    "LEVELS",
    "Accuracy",
    "Alpha",
    "Coefficient",
    "Interval",
    "Population",
    "Summary",
    "Test",
    "accuracy",
    "alpha",
    "alpha_interval",
    "crossed_accuracy",
    "fleiss_kappa",
    "gwet_ac1",
    "holm",
    "percent_agreement",
    "permutation_test",
    "population_alpha",
    "simulate_answers",
    "summary",
    "trend_test",
]
