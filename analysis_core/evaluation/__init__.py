"""Judging explanations: sanity checks, alignment with known truth, faithfulness, debugging. One module per subject."""

from __future__ import annotations

import importlib
from typing import Any

_SUBJECTS = ("alignment", "debugging", "faithfulness", "sanity")

__all__ = ["alignment", "debugging", "faithfulness", "sanity"]


def __getattr__(name: str) -> Any:
    if name in _SUBJECTS:
        return importlib.import_module(f"analysis_core.evaluation.{name}")
    raise AttributeError(f"module 'analysis_core.evaluation' has no attribute {name!r}")
