"""The shipped models and a few samples of their data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from analysis_core import datasets, models
from analysis_core.models.base import MultimodalModel

ROOT = Path(__file__).resolve().parents[1]
DEMO, CHECKPOINT = ROOT / "fixtures" / "clevr_demo", ROOT / "fixtures" / "checkpoints" / "clevr_cnn_lstm_sa"
NLVR, NLVR_CHECKPOINT = ROOT.parent / "shared" / "data" / "nlvr", ROOT / "fixtures" / "checkpoints" / "nlvr_regions"


def device() -> str:
    """cuda where there is one, as studies do by default."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def scenes_model() -> MultimodalModel:
    """cnn_lstm_sa, trained on generated scenes."""
    return models.load("cnn_lstm_sa", checkpoint=CHECKPOINT, device=device())


def sentences_model() -> MultimodalModel:
    """nlvr_regions, trained on NLVR."""
    return models.load("nlvr_regions", checkpoint=NLVR_CHECKPOINT, device=device())


def scenes(n: int) -> list[Mapping[str, Any]]:
    """Samples of the demo's held-out split, spread over it (generated on first use)."""
    return _spread(datasets.load("clevr", root=DEMO, split="val"), n)


def sentences(n: int) -> list[Mapping[str, Any]]:
    """Samples of NLVR's dev split. Call only where NLVR is there."""
    return _spread(datasets.load("nlvr", root=NLVR, split="dev"), n)


def _spread(dataset: Any, n: int) -> list[Mapping[str, Any]]:
    return [dataset[i * len(dataset) // n] for i in range(n)]
