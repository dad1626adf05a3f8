"""What a sanity check found: similarities step by step, and a verdict in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

#: What was randomised, for the sentence.
_DONE = {
    "cascading": "with all layers re-initialised",
    "independent": "with the most influential layer re-initialised",
    "data": "after a refit on permuted labels",
}


@dataclass(frozen=True)
class SanityReport:
    """Similarity of an explanation before and after randomising: means over samples and repeats, NaN where undefined.

    randomised: "cascading" | "independent" (layers of the model) or "data" (labels)
    steps: what was randomised, from the output down; cascading: each with all before it
    parts: "values/<modality>", "pairs", "pixels"
    spearman, spearman_of_sizes, top_overlap, ssim: float64 [steps, parts]
    standard_error: float64 [steps, parts], of spearman over samples and repeats
    """

    randomised: str
    method: str
    steps: tuple[str, ...]
    parts: tuple[str, ...]
    spearman: Tensor
    spearman_of_sizes: Tensor
    top_overlap: Tensor
    ssim: Tensor
    standard_error: Tensor
    config: Mapping[str, Any]
    quality: Mapping[str, Any]

    @property
    def similarity(self) -> Tensor:
        """float64 [steps, parts]: the larger of the two rank correlations; a change of sign alone is no change."""
        both = torch.stack([self.spearman, self.spearman_of_sizes])
        return torch.where(both.isnan(), -torch.inf, both).amax(0).masked_fill(both.isnan().all(0), torch.nan)

    @property
    def judged(self) -> Tensor:
        """float64 [parts]: what the verdict looks at: the last step of a cascade, the lowest of independent ones."""
        if self.randomised != "independent":
            return self.similarity[-1]
        lowest = torch.where(self.similarity.isnan(), torch.inf, self.similarity).amin(0)
        return lowest.masked_fill(self.similarity.isnan().all(0), torch.nan)

    @property
    def passed(self) -> bool | None:
        """Whether every part changed: similarity at most config["limit"]; None where nothing can be judged."""
        known = self.judged[~self.judged.isnan()]
        return bool((known <= self.config["limit"]).all()) if len(known) else None

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.passed is None:
            return (
                f"{self.method} cannot be judged: its explanations are constant or of one atom, or were refused after "
                "randomising"
            )
        figures = ", ".join(f"{name} {value:.2f}" for name, value in zip(self.parts, self.judged.tolist(), strict=True))
        found = f"{self._done} its rank correlation with the original is {figures}"
        limit = f"limit {self.config['limit']:.2f}"
        if self.passed:
            return f"{self.method} passes: {found} ({limit})"
        learnt = "what the model has learnt from its labels" if self.randomised == "data" else "the model's weights"
        return f"{self.method} fails: {found} ({limit}), so much of it does not come from {learnt}"

    @property
    def _done(self) -> str:
        """What was randomised, where layers were named, by their names."""
        if self.config.get("all_layers", True):
            return _DONE[self.randomised]
        one = "the most influential layer of " if self.randomised == "independent" else ""
        return f"with {one}{', '.join(self.steps)} re-initialised"

    def __str__(self) -> str:
        width = max(len(step) for step in self.steps)
        lines = [f"{'':{width}}  " + "  ".join(self.parts)]
        for step, row in zip(self.steps, self.similarity.tolist(), strict=True):
            cells = (f"{value:{len(part)}.2f}" for part, value in zip(self.parts, row, strict=True))
            lines.append(f"{step:{width}}  " + "  ".join(cells))
        return "\n".join([*lines, self.verdict])
