"""The computing half: explanations of multimodal models and the statistics of the answers people give to them.

Usable alone in a notebook; imports no Django. Everything here is lazy: `import analysis_core` loads neither torch nor
numpy, `analysis_core.statistics` loads no torch.
"""

from __future__ import annotations

import importlib
from typing import Any

from analysis_core import errors
from analysis_core.targets import AllLogits, Feature, Logit, Margin, PredictedLogit
from analysis_core.types import Atoms, Attribution, Encoded, Output

_SUBPACKAGES = ("datasets", "evaluation", "models", "stages", "statistics", "visualizations")
_FUNCTIONS = {
    "capabilities": "analysis_core.models.checks",
    "check_model": "analysis_core.models.checks",
    "explain": "analysis_core.pipeline",
}

__all__ = [
    "AllLogits",
    "Atoms",
    "Attribution",
    "Encoded",
    "Feature",
    "Logit",
    "Margin",
    "Output",
    "PredictedLogit",
    "errors",
    *_FUNCTIONS,
    *_SUBPACKAGES,
]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"analysis_core.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'analysis_core' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
