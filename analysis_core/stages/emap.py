"""Stage C for a whole dataset: EMAP, the projection of a model's logits on functions that add its modalities up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import whole
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.emap_partners import Projection, all_partners, drawn_partners
from analysis_core.stages.towers_crowd import Crowd
from analysis_core.stages.towers_grid import Progress

#: logits [n, K] and labels int64 [n] -> a figure of the whole dataset.
Metric = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class EmapScore:
    """A metric of the logits, of their additive part, and what the interactions add: full - additive."""

    full: float
    additive: float
    difference: float


@dataclass(frozen=True)
class Emap:
    """Logits of n samples as their best additive approximation and the rest.

    logits, additive, interaction: float64 [n, K]; interaction = logits - additive, each sample's g12 (with three
                    modalities all interactions together)
    share:          of the variance of the logits over all combinations, the part that is no sum of modalities; 0 to 1
    class_shares:   float64 [K], the same per class
    standard_error: float64 [n, K] of additive and interaction for having drawn partners; 0 with all partners
    """

    logits: Tensor
    additive: Tensor
    interaction: Tensor
    share: float
    class_shares: Tensor
    standard_error: Tensor
    config: Mapping[str, Any]
    quality: Mapping[str, Any]

    def score(self, labels: Any, metric: Metric | None = None) -> EmapScore:
        """What the interactions are worth on labelled data.

        labels: int [n], tensor, array or list
        metric: larger is better; None = accuracy
        raises: BadInput (no labels, another number of them; for the accuracy also what is no class of the model)
        source: Hessel & Lee 2020, section 4
        """
        try:
            labels = torch.as_tensor(labels).cpu()
        except (TypeError, ValueError, RuntimeError) as error:
            raise BadInput(f"labels must be numbers, one per sample, not {labels!r:.80}") from error
        if labels.shape != (len(self.logits),):
            raise BadInput(f"one label per sample is needed: [{len(self.logits)}], not {list(labels.shape)}")
        if metric is None:
            _require_classes(labels, self.logits.shape[1])
        measure = accuracy if metric is None else metric
        full, additive = float(measure(self.logits, labels)), float(measure(self.additive, labels))
        return EmapScore(full, additive, full - additive)


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Share of rows whose largest logit is the label's; of equal logits the first counts."""
    return float((logits.argmax(dim=1) == labels).double().mean())


def _require_classes(labels: Tensor, classes: int) -> None:
    known = (labels >= 0) & (labels < classes) & (labels == labels.to(torch.int64))
    if not bool(known.all()):
        first = int((~known).int().argmax())
        raise BadInput(
            f"label {first} is {labels[first].item()}; the model has classes 0 to {classes - 1} (give a metric= for "
            "labels of another kind)"
        )


def emap(
    model: MultimodalModel,
    samples: Iterable[Mapping[str, Any]],
    *,
    partners: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Emap:
    """Project the logits on functions g1(x1) + g2(x2) (+ g3(x3)) of the modalities of n samples.

    Each modality of a sample is combined with the others' modalities of its partners; additive_i = sum over modalities
    of the mean over partners, less the grand mean (m - 1 times). aux[modality] travels with its modality.
    samples:  at least 2, of equal shapes; the caller's list is not changed
    partners: None = all samples: n^2 combinations (n^3 with three modalities). A number from 2 to n: so many, drawn
              once and shared by all samples, so that an additive model is still found exactly additive;
              m * n * partners combinations, and a standard error
    progress: called with the combinations done and those to do
    returns:  Emap; with towers n encodings per modality (quality.encodings), combinations are only fused (.forwards)
    raises:   BadInput (shapes differ, or a modality is empty: names it; fewer than 2 samples or modalities; NaN;
              partners or seed no whole number)
    source:   Hessel & Lee 2020, "Does my multimodal model learn cross-modal interactions?", equations 2 to 4
    """
    seed = whole("seed", seed)
    crowd = Crowd(model, samples)
    n = len(crowd)
    if n < 2:
        raise BadInput("EMAP needs at least two samples: their modalities are combined with each other")
    partners = None if partners is None else whole("partners", partners)
    if partners is not None and not 2 <= partners <= n:
        raise BadInput(f"partners must be from 2 to {n} (the number of samples), or None for all, not {partners}")
    everyone = partners is None or (partners == n and len(model.modalities) == 2)
    found = all_partners(crowd, progress) if everyone else drawn_partners(crowd, partners or n, seed, progress)
    return _result(crowd, found, partners, seed)


def _result(crowd: Crowd, found: Projection, partners: int | None, seed: int) -> Emap:
    total = float(found.total.sum())
    varied = found.total > 0
    fusion = crowd.fusion
    return Emap(
        logits=found.logits,
        additive=found.additive,
        interaction=found.logits - found.additive,
        share=float(found.beyond.sum()) / total if total > 0 else 0.0,
        class_shares=torch.where(varied, found.beyond / found.total.where(varied, torch.ones_like(found.total)), 0.0),
        standard_error=found.standard_error,
        config={"modalities": list(crowd.model.modalities), "samples": len(crowd), "partners": partners, "seed": seed},
        quality={
            "combinations": found.combinations,
            "forwards": fusion.forwards,
            "encodings": dict(fusion.encodings),
            "halvings": fusion.encode_batches.halvings + fusion.fuse_batches.halvings,
            "standard_error": float(found.standard_error.max()),
        },
    )
