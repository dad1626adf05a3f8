"""Whether an explanation is true to the model. One file per kind of metric; this is where callers find them."""

from __future__ import annotations

from analysis_core.evaluation.faithfulness_boxes import BoxFaithfulness, boxes
from analysis_core.evaluation.faithfulness_captum import Score, infidelity, max_sensitivity
from analysis_core.evaluation.faithfulness_curves import Faithfulness, curves
from analysis_core.evaluation.faithfulness_pairs import PairFaithfulness, pairs

__all__ = [
    "BoxFaithfulness",
    "Faithfulness",
    "PairFaithfulness",
    "Score",
    "boxes",
    "curves",
    "infidelity",
    "max_sensitivity",
    "pairs",
]
