"""explain(): the stages of one sample in order, with the choices a study makes by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis_core import leaves
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import crossmodal, representation, unimodal
from analysis_core.targets import PredictedLogit, Target

STAGES = ("U", "C", "Rl")


def explain(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target | None = None,
    *,
    stages: Sequence[str] = ("U", "C"),
    method: str = "gradient",
    source: str | None = None,
    atoms: int = 10,
    direction: str = "norm",
    features: Sequence[int] = (),
    samples: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Explain one sample.

    target:   None = the predicted class's logit
    stages:   some of "U", "C", "Rl"
    method:   "gradient" or "lime", for U and Rl
    source:   C goes from this modality (None = the first of kind word, else the last) to each other one
    atoms:    C takes the source's atoms with the largest first-order gradient, this many
    features: Rl explains these penultimate features
    returns:  for the stages asked for: {"U": Attribution, "C": {modality: Attribution}, "Rl": {feature: Attribution}}
    raises:   UnknownName, BadInput, and what the stages raise
    """
    for stage in stages:
        if stage not in STAGES:
            raise UnknownName("stage", stage, STAGES)
    if method not in representation.LOCAL_METHODS:
        raise UnknownName("method", method, representation.LOCAL_METHODS)
    target = PredictedLogit() if target is None else target
    result: dict[str, Any] = {}
    if "U" in stages and method == "lime":
        result["U"] = unimodal.lime(model, sample, [target], samples=samples, seed=seed)[0]
    elif "U" in stages:
        result["U"] = unimodal.gradient(model, sample, target)
    if "C" in stages:
        chosen = source or _default_source(model, sample)
        strongest = strongest_atoms(model, sample, target, chosen, atoms)
        result["C"] = {
            to: crossmodal.second_order(
                model, sample, target, source=chosen, to=to, atoms=strongest, direction=direction, seed=seed
            )
            for to in model.modalities
            if to != chosen
        }
    if "Rl" in stages:
        result["Rl"] = {
            int(j): representation.local(model, sample, j, method=method, samples=samples, seed=seed) for j in features
        }
    return result


def strongest_atoms(
    model: MultimodalModel, sample: Mapping[str, Any], target: Target, modality: str, n: int
) -> list[int]:
    """The n atoms of a modality with the largest first-order gradient, in the sample's order."""
    if modality not in model.modalities:
        raise UnknownName("modality", modality, model.modalities)
    scores = unimodal.gradient(model, sample, target).values[modality]
    order = scores.argsort(descending=True, stable=True)[:n]
    return sorted(order.tolist())


def _default_source(model: MultimodalModel, sample: Mapping[str, Any]) -> str:
    if len(model.modalities) < 2:
        raise BadInput("stage C needs a model of at least two modalities")
    kinds = {m: atoms.kind for m, atoms in leaves.encode(model, sample).atoms.items()}
    return next((m for m in model.modalities if kinds[m] == "word"), model.modalities[-1])
