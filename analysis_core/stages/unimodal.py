"""Stage U: how much each atom of each modality matters. One file per method; this is where callers find them."""

from __future__ import annotations

from analysis_core.stages.gradients import gradient, gradient_x_input, saliency
from analysis_core.stages.integrated_gradients import integrated_gradients
from analysis_core.stages.lime import lime
from analysis_core.stages.modality_shares import modality_shares
from analysis_core.stages.perturbation_gradients import perturbation
from analysis_core.stages.shapley import shap
from analysis_core.stages.smoothgrad import smoothgrad

__all__ = [
    "gradient",
    "gradient_x_input",
    "integrated_gradients",
    "lime",
    "modality_shares",
    "perturbation",
    "saliency",
    "shap",
    "smoothgrad",
]
