"""The explanation stages: unimodal (U), crossmodal (C), representation (R) and prediction (P).

`names` lists the methods of U without importing torch, `method` is one of them by its name.
"""

from __future__ import annotations

import importlib
from typing import Any

from analysis_core.stages.methods import load as method
from analysis_core.stages.methods import names

_STAGES = ("crossmodal", "prediction", "representation", "unimodal")

__all__ = ["crossmodal", "method", "names", "prediction", "representation", "unimodal"]


def __getattr__(name: str) -> Any:
    if name in _STAGES:
        return importlib.import_module(f"analysis_core.stages.{name}")
    raise AttributeError(f"module 'analysis_core.stages' has no attribute {name!r}")
