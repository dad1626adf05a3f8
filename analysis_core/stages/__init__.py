"""The explanation stages: unimodal (U), crossmodal (C), representation (R) and prediction (P)."""

from __future__ import annotations

import importlib
from typing import Any

_STAGES = ("crossmodal", "prediction", "representation", "unimodal")

__all__ = ["crossmodal", "prediction", "representation", "unimodal"]


def __getattr__(name: str) -> Any:
    if name in _STAGES:
        return importlib.import_module(f"analysis_core.stages.{name}")
    raise AttributeError(f"module 'analysis_core.stages' has no attribute {name!r}")
