"""Functional programs in CLEVR v1.0's release layout: nodes {inputs, function, value_inputs}, the answer last.

Two functions are ours beside CLEVR's own: `except` (a set without one object) and `pair` (two values, "gray+red").
"""

from __future__ import annotations

from typing import Any

from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES, Description

Program = list[dict[str, Any]]


class Builder:
    """Appends nodes and returns their indices, so that a program reads like nested calls."""

    def __init__(self) -> None:
        self.program: Program = []

    def add(self, function: str, *inputs: int, value: str = "") -> int:
        """One node on the results of the nodes `inputs`; its index."""
        self.program.append({"inputs": list(inputs), "function": function, "value_inputs": [value] if value else []})
        return len(self.program) - 1

    def matching(self, wanted: Description) -> int:
        """The set of objects that fit."""
        node = self.add("scene")
        for attribute, value in zip(ATTRIBUTES, wanted, strict=True):
            if value:
                node = self.add(f"filter_{attribute}", node, value=value)
        return node

    def the(self, wanted: Description) -> int:
        """The one object that fits."""
        return self.add("unique", self.matching(wanted))
