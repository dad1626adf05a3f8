"""Stage C: interactions between the atoms of two modalities. One file per method; this is where callers find them."""

from __future__ import annotations

from analysis_core.stages.boxes import box_means
from analysis_core.stages.dime import dime
from analysis_core.stages.dime_background import Background
from analysis_core.stages.emap import emap
from analysis_core.stages.finite_step import finite_step
from analysis_core.stages.pairwise_lime import lime
from analysis_core.stages.pairwise_shap import shap
from analysis_core.stages.phrases import phrases
from analysis_core.stages.readouts import agreement
from analysis_core.stages.removal import removal
from analysis_core.stages.second_order import second_order
from analysis_core.stages.smooth_relu import smooth

__all__ = [
    "Background",
    "agreement",
    "box_means",
    "dime",
    "emap",
    "finite_step",
    "lime",
    "phrases",
    "removal",
    "second_order",
    "shap",
    "smooth",
]
