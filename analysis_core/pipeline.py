"""explain(): the stages of one sample in order, with the choices a study makes by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis_core import leaves
from analysis_core.arguments import count, listed, whole
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import crossmodal, methods, unimodal
from analysis_core.targets import Feature, PredictedLogit, Target

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
    layer: str = "penultimate",
    samples: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Explain one sample.

    target:   None = the predicted class's logit
    stages:   some of "U", "C", "Rl"
    method:   for U and Rl, a name of `stages.names()`; "gradient" is "saliency". Both share passes and perturbations
    source:   C goes from this modality (None = the first of kind word, else the last) to each other one
    atoms:    C takes the source's atoms with the largest first-order gradient, this many, at least 1
    features: Rl explains these features of `layer`
    samples:  rows, copies or evaluations of methods that draw some; None = the method's own choice
    seed:     of whatever is drawn
    options:  further options of the method, by name
    returns:  for the stages asked for: {"U": Attribution, "C": {modality: Attribution}, "Rl": {feature: Attribution}}
    raises:   UnknownName, BadInput (samples for a method that draws none), and what the stages raise
    """
    stages = (stages,) if isinstance(stages, str) else tuple(listed("stages", stages, "('U', 'C')"))
    if options is not None and not isinstance(options, Mapping):
        raise BadInput(f"options must be the method's options by name, such as {{'noise': 0.1}}, not {options!r:.80}")
    for stage in stages:
        if stage not in STAGES:
            raise UnknownName("stage", stage, STAGES)
    atoms = count("atoms", atoms)
    name = "saliency" if method == "gradient" else method
    wanted = {**_drawing(name, samples, seed), **(options or {})}
    target = PredictedLogit() if target is None else target
    result: dict[str, Any] = {}
    rows = [whole("a feature number", j) for j in listed("features", features, "[0]")] if "Rl" in stages else []
    targets: list[Target] = [*([target] if "U" in stages else []), *(Feature(j, layer) for j in rows)]
    found = methods.attribute(name, model, sample, targets, **wanted) if targets else []
    if "U" in stages:
        result["U"] = found[0]
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
        result["Rl"] = dict(zip(rows, found[-len(rows) :] if rows else [], strict=True))
    return result


def strongest_atoms(
    model: MultimodalModel, sample: Mapping[str, Any], target: Target, modality: str, n: int
) -> list[int]:
    """The n >= 1 atoms of a modality with the largest first-order gradient, in the sample's order.

    raises: UnknownName (modality), BadInput (n), and what a gradient raises
    """
    n = count("atoms", n)
    if modality not in model.modalities:
        raise UnknownName("modality", modality, model.modalities)
    scores = unimodal.gradient(model, sample, target).values[modality]
    order = scores.argsort(descending=True, stable=True)[:n]
    return sorted(order.tolist())


def _drawing(name: str, samples: int | None, seed: int) -> dict[str, Any]:
    """The number of draws and the seed under the names that a method has for them. raises: UnknownName, BadInput"""
    known = methods.options_of(name)
    given: dict[str, Any] = {"seed": seed} if "seed" in known else {}
    if samples is not None:
        counted = next((option for option in ("samples", "evaluations") if option in known), None)
        if counted is None:
            raise BadInput(f"method {name!r} draws nothing, so that samples={samples} has no meaning for it")
        given[counted] = samples
    return given


def _default_source(model: MultimodalModel, sample: Mapping[str, Any]) -> str:
    if len(model.modalities) < 2:
        raise BadInput("stage C needs a model of at least two modalities")
    kinds = {m: atoms.kind for m, atoms in leaves.encode(model, sample).atoms.items()}
    return next((m for m in model.modalities if kinds[m] == "word"), model.modalities[-1])
