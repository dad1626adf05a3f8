"""explain(): the stages of one sample in order, with the choices a study makes by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis_core import leaves, targets
from analysis_core.arguments import count, listed, whole
from analysis_core.errors import BadInput, MissingCapability, NotDifferentiableTwice, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import crossmodal, methods
from analysis_core.targets import Feature, PredictedLogit, Target
from analysis_core.types import Attribution

STAGES = ("U", "C", "Rl")
_NO_GRADIENT = "the model has no gradient that second order could take"


def explain(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target | str | None = None,
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

    target:   None = the predicted class's logit; a class's label, such as "red", stands for its logit
    stages:   some of "U", "C", "Rl"
    method:   for U and Rl, a name of `stages.names()`; "gradient" is "saliency". Both share passes and perturbations
    source:   C goes from this modality (None = the first of kind word, else the last) to each other one
    atoms:    C takes the source's atoms that the method gives the largest values, of either sign, this many, at least 1
    direction: of C's second-order gradient. Where a model has none (no gradients; ReLUs, whose second derivative is 0
              although the modalities interact), C is by `crossmodal.removal` instead, named in the result's method and
              quality.reason, unless a direction other than the default is asked for
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
    name = _name(method)
    wanted = {**_drawing(name, samples, seed), **(options or {})}
    target = PredictedLogit() if target is None else targets.of(model, target)
    result: dict[str, Any] = {}
    rows = [whole("a feature number", j) for j in listed("features", features, "[0]")] if "Rl" in stages else []
    asked: list[Target] = [*([target] if "U" in stages else []), *(Feature(j, layer) for j in rows)]
    found = methods.attribute(name, model, sample, asked, **wanted) if asked else []
    if "U" in stages:
        result["U"] = found[0]
    if "C" in stages:
        chosen = source or _default_source(model, sample)
        if "U" in stages and chosen in found[0].values:
            strongest = _strongest(found[0], chosen, atoms)
        else:
            everywhere = {option: value for option, value in wanted.items() if option != "modalities"}
            strongest = strongest_atoms(model, sample, target, chosen, atoms, method=name, options=everywhere)
        result["C"] = {
            to: _interactions(model, sample, target, chosen, to, strongest, direction, seed)
            for to in model.modalities
            if to != chosen
        }
    if "Rl" in stages:
        result["Rl"] = dict(zip(rows, found[-len(rows) :] if rows else [], strict=True))
    return result


def strongest_atoms(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    modality: str,
    n: int,
    *,
    method: str = "gradient",
    options: Mapping[str, Any] | None = None,
) -> list[int]:
    """The n >= 1 atoms of a modality with the largest values of a method of U, of either sign, in the sample's order.

    raises: UnknownName (modality, method, option), BadInput (n, no values for the modality), and what the method raises
    """
    n = count("atoms", n)
    if modality not in model.modalities:
        raise UnknownName("modality", modality, model.modalities)
    (found,) = methods.attribute(_name(method), model, sample, [target], **(options or {}))
    if modality not in found.values:
        raise BadInput(f"method {method!r} has no values for {modality!r}: take another source, or another method")
    return _strongest(found, modality, n)


def _strongest(found: Attribution, modality: str, n: int) -> list[int]:
    order = found.values[modality].abs().argsort(descending=True, stable=True)[:n]
    return sorted(order.tolist())


def _interactions(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    source: str,
    to: str,
    atoms: list[int],
    direction: str,
    seed: int,
) -> Attribution:
    """Second order where the model has one, else removal, which says why it stands there."""
    try:
        return crossmodal.second_order(
            model, sample, target, source=source, to=to, atoms=atoms, direction=direction, seed=seed
        )
    except (MissingCapability, NotDifferentiableTwice) as error:
        if direction != "norm":
            raise
        reason = _NO_GRADIENT if isinstance(error, MissingCapability) else str(error)
    removed = crossmodal.removal(model, sample, target, source=source, to=to, atoms=atoms)
    return replace(removed, quality={**removed.quality, "reason": f"{reason}: atoms are removed instead"})


def _name(method: str) -> str:
    return "saliency" if method == "gradient" else method


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
