"""The claims that are measured, by name, and what a claim's module yields. Importing this loads no torch."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Scale = Literal["small", "paper"]
SCALES: tuple[Scale, ...] = ("small", "paper")

#: name -> one sentence: what is set against what. The module is benchmarks.<name>, "-" as "_".
CLAIMS = {
    "study": "the demo study, file to pictures: model forwards and seconds per item, unbatched counting against ours",
    "targets": "LIME and Shapley values of the logit and five features: one call per target against one for all",
    "perturbations": "200 perturbed rows of one sample: a forward pass each against batches with each tower run once",
    "emap": "all pairs of n samples: a forward pass each against n encodings of each modality and a fusion per pair",
    "dime": "a row's means: a copy of the partners' logits against known sums; and whole explanations, 100 partners",
    "second-order": "all words x all parts of the picture: one double backward per word against one batched call",
    "heatmap": "a 224 x 224 overlay: a loop over pixels in Python against ours",
    "sparse": "sparse path to 30 features per class: sklearn's enet_path on the Gram matrix against the exact homotopy",
    "extremes": "top and bottom 3 datapoints of every feature: argsort of every column against the streaming pass",
    "shapley": "Shapley values of 12 atoms, equal budgets: error and time of shap's and captum's against ours",
    "agreement": "alpha, 10,000 bootstrap replicates, each left out: a loop over the krippendorff package against ours",
}


@dataclass(frozen=True)
class Row:
    """One line of a table; None where a way was not measured (the note says why).

    unit: "forwards", "encodings", "s", "ms" or "error"; the smaller figure is the better one
    """

    name: str
    unit: str
    usual: float | None
    ours: float | None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the usual way costs of ours."""
        return self.usual / self.ours if self.usual is not None and self.ours else None


def rows(claim: str, scale: Scale) -> Iterator[Row]:
    """Measure one claim; its module is imported now."""
    found: Iterator[Row] = importlib.import_module(f"benchmarks.{claim.replace('-', '_')}").rows(scale)
    return found
