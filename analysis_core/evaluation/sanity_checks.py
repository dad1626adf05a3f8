"""Model and data randomisation: explain, randomise a copy, explain again, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import count, finite, one_attribution
from analysis_core.errors import AnalysisError, BadInput, MissingCapability, UnknownName
from analysis_core.evaluation.explain_functions import Explain, require_function
from analysis_core.evaluation.sanity_layers import RandomisedCopy, is_model
from analysis_core.evaluation.sanity_report import SanityReport
from analysis_core.evaluation.sanity_similarity import MEASURES, parts_of, similarity, top_share
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.targets import Target, resolve
from analysis_core.types import Output

Sample = Mapping[str, Any]
Labels = TypeVar("Labels")

MODES = ("cascading", "independent")


def model_randomisation(
    model: MultimodalModel,
    samples: Sequence[Sample],
    target: Target,
    explain: Explain,
    *,
    mode: str = "cascading",
    layers: Sequence[str] | None = None,
    at_most: int = 10,
    repeats: int = 3,
    top: float = 0.1,
    limit: float = 0.5,
    seed: int = 0,
) -> SanityReport:
    """Whether explanations change when layers of a copy of the model are re-initialised.

    model:   a torch nn.Module, or an object that holds one in an attribute; it is copied and never written to
    target:  resolved on the model itself, sample by sample
    explain: (model, sample, target) -> Attribution: stages.unimodal.gradient, or
             functools.partial(stages.crossmodal.second_order, source=..., to=...)
    mode:    "cascading": from the output down, each step with all before it; "independent": each layer alone
    layers:  names of modules, each a step; None = all that hold weights, in at most `at_most` steps
    repeats: new weights so many times; few atoms need more, because short rankings agree by chance
    limit:   the rank correlation up to which the check is passed: a convention, the figures are there as well
    returns: SanityReport. Explanations that are refused on a randomised model are left out and counted in `quality`
    raises:  MissingCapability (no modules, no copy, or weights without influence), UnknownName, BadInput
    source:  Adebayo et al. 2018, section 3
    """
    if mode not in MODES:
        raise UnknownName("mode", mode, MODES)
    repeats, limit = _check(samples, explain, repeats, top, limit)
    at_most = count("at_most", at_most)
    randomised = RandomisedCopy(model, samples[0])
    steps = randomised.steps(layers, at_most)
    before = _Before(model, samples, target, explain)
    table = _Table(before, top)
    for repeat in range(repeats):
        randomised.restore()
        changed = False
        for step, names in steps.items():
            if mode == "independent":
                randomised.restore()
            randomised.randomise(names, seed, str(repeat))
            table.add(step, randomised.model)
            changed = changed or not _same_output(before.outputs[0], randomised.model, samples[0])
        if not changed:
            raise MissingCapability(
                f"re-initialising {', '.join(steps)} changed nothing in the model's output: does its forward pass use "
                "modules that are not attributes of the model?"
            )
    config = {"target": repr(target), "layers": {step: list(names) for step, names in steps.items()}}
    whole = set().union(*steps.values()) == set(randomised.layers)
    return table.report(mode, {**config, "all_layers": whole, "repeats": repeats, "limit": limit, "seed": seed})


def data_randomisation(
    model: MultimodalModel,
    fit: Callable[[Labels], MultimodalModel],
    labels: Labels,
    samples: Sequence[Sample],
    target: Target,
    explain: Explain,
    *,
    repeats: int = 1,
    top: float = 0.1,
    limit: float = 0.5,
    seed: int = 0,
) -> SanityReport:
    """Whether explanations change when the model is refitted on permuted labels.

    fit:     labels -> a model trained on them, by the recipe that `model` came from; its inputs stay as they are
    labels:  those `model` was trained on: a tensor, an array, a list or a column of pandas; `fit` gets the same kind,
             permuted (a column keeps its index, so that what is matched by index is permuted as well), never in their
             own order, which few labels would often come to: that refit would have learnt the same
    target, explain, top, limit: as in model_randomisation; repeats: refits
    returns: SanityReport with one step
    raises:  BadInput (no labels, or all equal)
    source:  Adebayo et al. 2018, section 4
    """
    repeats, limit = _check(samples, explain, repeats, top, limit)
    if not callable(fit):
        raise BadInput(f"fit must be a function from labels to a model trained on them, not {fit!r:.80}")
    table = _Table(_Before(model, samples, target, explain), top)
    for repeat in range(repeats):
        refitted = fit(_permuted(labels, seed, repeat))
        if not is_model(refitted):
            raise BadInput(f"fit must return a model like the one that is checked, not {refitted!r:.80}")
        table.add("labels permuted", refitted)
    return table.report("data", {"target": repr(target), "repeats": repeats, "limit": limit, "seed": seed})


class _Before:
    """The model's own outputs, resolved targets and explanations, sample by sample."""

    def __init__(self, model: MultimodalModel, samples: Sequence[Sample], target: Target, explain: Explain) -> None:
        self.samples, self.explain = samples, explain
        self.outputs = [_output(model, sample) for sample in samples]
        self.targets = [resolve(target, output) for output in self.outputs]
        self.explanations = [one_attribution(explain(model, s, t)) for s, t in zip(samples, self.targets, strict=True)]


class _Table:
    """Similarities by step, collected over samples and repeats."""

    def __init__(self, before: _Before, top: float) -> None:
        self.before, self.top = before, top
        # Samples may have parts of their own, such as pictures of which only some have a text.
        self.parts = tuple(dict.fromkeys(part for own in before.explanations for part in parts_of(own)))
        self.found: dict[str, list[dict[str, dict[str, float]]]] = {}
        self.refused: list[str] = []

    def add(self, step: str, model: MultimodalModel) -> None:
        """Explain every sample by a randomised model and compare."""
        b, rows = self.before, self.found.setdefault(step, [])
        for sample, target, own in zip(b.samples, b.targets, b.explanations, strict=True):
            try:
                rows.append(similarity(own, b.explain(model, sample, target), top=self.top))
            except AnalysisError as error:
                # A method may refuse a network of random weights; that says nothing about similarity.
                self.refused.append(str(error))

    def report(self, randomised: str, config: Mapping[str, Any]) -> SanityReport:
        """Means and standard errors over samples and repeats."""
        measures = {m: self._over(m, _mean) for m in MEASURES}
        return SanityReport(
            randomised=randomised,
            method=self.before.explanations[0].method,
            steps=tuple(self.found),
            parts=self.parts,
            **measures,
            standard_error=self._over("spearman", _standard_error),
            config={
                **config,
                "top": self.top,
                "samples": len(self.before.samples),
                "explanation": dict(self.before.explanations[0].config),
            },
            quality={
                "explanations": len(self.before.samples) + sum(map(len, self.found.values())),
                "refused": len(self.refused),
                "first_refusal": self.refused[0] if self.refused else None,
            },
        )

    def _over(self, measure: str, figure: Callable[[Tensor], float]) -> Tensor:
        rows = [
            [
                figure(torch.tensor([one[part][measure] for one in found if part in one], dtype=torch.float64))
                for part in self.parts
            ]
            for found in self.found.values()
        ]
        return torch.tensor(rows, dtype=torch.float64)


def _mean(t: Tensor) -> float:
    return float(t.nanmean())


def _standard_error(t: Tensor) -> float:
    known = t[~t.isnan()]
    return float(known.std() / len(known) ** 0.5) if len(known) > 1 else float("nan")


def _check(samples: Sequence[Sample], explain: Explain, repeats: int, top: float, limit: float) -> tuple[int, float]:
    """What every check is asked for: repeats and limit as plain numbers. raises: BadInput"""
    if isinstance(samples, Mapping) or not hasattr(samples, "__len__") or not hasattr(samples, "__getitem__"):
        raise BadInput(f"give a list of samples, such as [sample], not a {type(samples).__name__}")
    if len(samples) == 0:
        raise BadInput("a sanity check needs at least one sample")
    require_function(explain)
    top_share(top)
    return count("repeats", repeats), finite("limit", limit)


def _output(model: MultimodalModel, sample: Sample) -> Output:
    encoded = leaves.encode(model, sample)
    with torch.no_grad():
        return leaves.forward(model, encoded.x, encoded.aux)


def _same_output(before: Output, model: MultimodalModel, sample: Sample) -> bool:
    after = _output(model, sample)
    return torch.equal(before.logits, after.logits) and torch.equal(before.features, after.features)


def _permuted(labels: Any, seed: int, repeat: int) -> Any:
    """The labels in another order, of the same kind. raises: BadInput (no labels, or one label only)"""
    if not hasattr(labels, "__len__") or isinstance(labels, Mapping) or not len(labels):
        raise BadInput(f"there are no labels to permute: give those that the model was trained on, not {labels!r}")
    # Of pandas, whose numbers in brackets are names of rows, not places.
    column = hasattr(labels, "iloc")
    here = labels.cpu() if isinstance(labels, Tensor) else labels.to_numpy() if column else labels
    if all(_equal(here[0], label) for label in here):
        raise BadInput("all labels are equal: permuting them changes nothing")
    g = generator(seed, "sanity", "labels", str(repeat))
    order = torch.randperm(len(here), generator=g)
    while all(_equal(here[i], label) for i, label in zip(order.tolist(), here, strict=True)):
        order = torch.randperm(len(here), generator=g)
    if isinstance(labels, Tensor):
        return labels[order.to(labels.device)]
    if column:
        return labels.iloc[order.numpy()].set_axis(labels.index)
    return labels[order.numpy()] if isinstance(labels, np.ndarray) else [labels[i] for i in order.tolist()]


def _equal(one: Any, two: Any) -> bool:
    return bool(np.array_equal(np.asarray(one), np.asarray(two)))
