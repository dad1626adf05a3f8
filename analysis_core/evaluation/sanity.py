"""Sanity checks of explanations: do they change when the model, or what it learnt, is randomised?

One file per subject; this is where callers find them. Source: Adebayo et al. 2018, Sanity checks for saliency maps.
"""

from __future__ import annotations

from analysis_core.evaluation.explain_functions import Explain
from analysis_core.evaluation.sanity_checks import data_randomisation, model_randomisation
from analysis_core.evaluation.sanity_report import SanityReport
from analysis_core.evaluation.sanity_similarity import MEASURES, similarity

__all__ = ["MEASURES", "Explain", "SanityReport", "data_randomisation", "model_randomisation", "similarity"]
