"""Agreement, accuracy, intervals and tests for answers of people. Needs numpy and scipy; loads no torch."""

from __future__ import annotations

from analysis_core.statistics.agreement import Alpha, alpha
from analysis_core.statistics.alpha_tests import alpha_test, alpha_trend_test
from analysis_core.statistics.answer_files import Columns, read_answers
from analysis_core.statistics.calibration import (
    ConfidenceLevel,
    Separation,
    calibration,
    calibration_sentence,
    separation,
)
from analysis_core.statistics.coefficients import Coefficient, fleiss_kappa, gwet_ac1, percent_agreement
from analysis_core.statistics.costs import ArmCost, Cost, cost
from analysis_core.statistics.design import Design
from analysis_core.statistics.interval_notes import interval_notes
from analysis_core.statistics.intervals import Interval, alpha_interval
from analysis_core.statistics.limits import annotators_needed, limit_sentence
from analysis_core.statistics.permutation import Test, holm, permutation_test, trend_test
from analysis_core.statistics.pilot import Pilot, from_pilot, pilot_estimates
from analysis_core.statistics.planning import Smallest, for_alpha_width, smallest_design
from analysis_core.statistics.ratings import LEVELS, Ratings, from_long
from analysis_core.statistics.replicates import bootstrap_alphas, bootstrap_alphas_both
from analysis_core.statistics.scores import Accuracy, Summary, accuracy, crossed_accuracy, summary
from analysis_core.statistics.simulated_power import PairPower, Power, power, power_grid
from analysis_core.statistics.simulation import Population, marginal_accuracy, population_alpha, simulate_answers
from analysis_core.statistics.widths import Width, alpha_width_grid, interval_widths

__all__ = [
    "LEVELS",
    "Accuracy",
    "Alpha",
    "ArmCost",
    "Coefficient",
    "Columns",
    "ConfidenceLevel",
    "Cost",
    "Design",
    "Interval",
    "PairPower",
    "Pilot",
    "Population",
    "Power",
    "Ratings",
    "Separation",
    "Smallest",
    "Summary",
    "Test",
    "Width",
    "accuracy",
    "alpha",
    "alpha_interval",
    "alpha_test",
    "alpha_trend_test",
    "alpha_width_grid",
    "annotators_needed",
    "bootstrap_alphas",
    "bootstrap_alphas_both",
    "calibration",
    "calibration_sentence",
    "cost",
    "crossed_accuracy",
    "fleiss_kappa",
    "for_alpha_width",
    "from_long",
    "from_pilot",
    "gwet_ac1",
    "holm",
    "interval_notes",
    "interval_widths",
    "limit_sentence",
    "marginal_accuracy",
    "percent_agreement",
    "permutation_test",
    "pilot_estimates",
    "population_alpha",
    "power",
    "power_grid",
    "read_answers",
    "separation",
    "simulate_answers",
    "smallest_design",
    "summary",
    "trend_test",
]
