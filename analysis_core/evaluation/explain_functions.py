"""Functions that explain: what sanity checks and maximal sensitivity call again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.targets import Target
from analysis_core.types import Attribution

Explain = Callable[[MultimodalModel, Mapping[str, Any], Target], Attribution]


def require_function(explain: Any) -> None:
    """raises: BadInput (nothing that can be called, such as a method's name)"""
    if not callable(explain):
        raise BadInput(
            "explain must be a function (model, sample, target) -> Attribution, such as stages.unimodal.gradient, not "
            f"{explain!r:.80}"
        )
