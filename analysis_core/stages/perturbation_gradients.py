"""Stage U for models that cannot be differentiated (other libraries, programs in the middle): finite differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import finite, listed
from analysis_core.errors import BadInput, MissingCapability, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.stages.point_gradients import atom_norms, movable, require_finite
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import Attribution

DIFFERENCES = ("components", "atoms")
#: Up to so many forward passes the gradient is taken component by component when nothing else is asked for.
AFFORDABLE = 20_000


def perturbation(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    differences: str | None = None,
    step: float | None = None,
) -> list[Attribution]:
    """Importance from forward passes alone. The same passes serve all targets.

    differences: "components": saliency, the L2 norm over an atom's components of (f(x + h) - f(x - h)) / 2h, >= 0; two
                 passes per component. "atoms": f(x) - f(x with the atom at its baseline), signed (occlusion); one per
                 atom. None = components where that takes at most 20,000 passes and the model is not flat, else atoms
    step:        h as a share of the modality's standard deviation; None = eps^(1/3) of the input's dtype
    returns:     config: differences; quality: differences_reason, and for components asymmetry, the sum of
                 |f(x + h) - 2 f(x) + f(x - h)| as a share of that of |f(x + h) - f(x - h)| (near 1: the step is too
                 large, or only noise is seen)
    raises:      MissingCapability (components of a model that is flat around the sample), BadInput, UnknownName
    source:      central differences; Zeiler & Fergus 2014 for "atoms"
    """
    if differences is not None and differences not in DIFFERENCES:
        raise UnknownName("kind of differences", differences, DIFFERENCES)
    step = None if step is None else finite("step", step)
    if step is not None and step <= 0:
        raise BadInput(f"step must be a positive share of the input's standard deviation, not {step}")
    targets = listed("targets", targets, "[Logit(0)]")
    if not targets:
        raise BadInput("a gradient by perturbation needs at least one target")
    game = Masking(model, sample)
    for m, x in game.encoded.x.items():
        require_finite(x, f"the sample's {m!r} has NaN or infinite entries: clean it before it is explained")
    resolved = [resolve(t, game.unperturbed) for t in targets]
    passes = 2 * sum(len(_components(game, m)) for m in model.modalities)
    chosen, reason = differences or "components", None
    if differences is None and passes > AFFORDABLE:
        chosen, reason = "atoms", f"components would take {passes} forward passes"
    if chosen == "components":
        results = _by_component(game, resolved, step, reason)
        flat = _flat(game, resolved, results)
        if not flat:
            return results
        if differences == "components":
            raise MissingCapability(f"{flat}: take a larger step=, or differences='atoms'")
        reason = flat
    return _by_atom(game, resolved, reason)


def _by_component(
    game: Masking, targets: Sequence[Target], step: float | None, reason: str | None
) -> list[Attribution]:
    slopes: list[dict[str, Tensor]] = [{} for _ in targets]
    bends, changes = [0.0] * len(targets), [0.0] * len(targets)
    steps: dict[str, float] = {}
    for m, x in game.encoded.x.items():
        share = torch.finfo(x.dtype).eps ** (1 / 3) if step is None else step
        steps[m] = share * _scale(x)
        components = _components(game, m)
        forth, back, width = _both_sides(game, m, components, steps[m], targets)
        for i, target in enumerate(targets):
            here = float(select(target, game.unperturbed)[0])
            bends[i] += float((forth[i] - 2 * here + back[i]).abs().sum())
            changes[i] += float((forth[i] - back[i]).abs().sum())
            slope = torch.zeros(x.numel(), dtype=torch.float64)
            slope[components] = (forth[i] - back[i]) / width
            slopes[i][m] = slope.reshape(x.shape)
    results = []
    for i, target in enumerate(targets):
        for m, slope in slopes[i].items():
            require_finite(slope, f"the target is NaN or infinite beside the sample's {m!r}: take a smaller step=")
        quality = {"step": steps, "asymmetry": bends[i] / changes[i] if changes[i] else None}
        values = {m: atom_norms(game.encoded, m, slope) for m, slope in slopes[i].items()}
        config = {"differences": "components", "step": step}
        results.append(_result(game, target, values, config, quality, reason))
    return results


def _by_atom(game: Masking, targets: Sequence[Target], reason: str | None) -> list[Attribution]:
    without_each = 1 - torch.eye(game.n_atoms)
    output = game.predict_masks(without_each, layers=layers_of(targets))
    results = []
    for target in targets:
        lost = select(target, game.unperturbed) - select(target, output)
        require_finite(lost, "the target is NaN or infinite without one of the atoms: check the model's baseline()")
        config = {"differences": "atoms", "step": None}
        results.append(_result(game, target, game.split(lost), config, {}, reason))
    return results


def _both_sides(
    game: Masking, modality: str, components: Tensor, step: float, targets: Sequence[Target]
) -> tuple[Tensor, Tensor, Tensor]:
    """Values [targets, n] a step up and a step down each component, and the distance [n] between the two."""
    x = game.encoded.x[modality]
    flat = x.reshape(1, -1)

    def compute(start: int, stop: int) -> tuple[Tensor, Tensor]:
        # Rows 2c and 2c + 1 are component c a step up and a step down.
        number = torch.arange(start, stop)
        row, component = torch.arange(stop - start, device=x.device), components[number // 2].to(x.device)
        moved = flat.repeat(stop - start, 1)
        moved[row, component] += (step * (1.0 - 2 * (number % 2).double())).to(x)
        rows = {m: t.expand(stop - start, *t.shape[1:]) for m, t in game.encoded.x.items()}
        rows[modality] = moved.reshape(-1, *x.shape[1:])
        with torch.no_grad():
            output = leaves.forward(game.model, rows, game.encoded.aux)
        game.forwards += stop - start
        values = torch.stack([select(t, output).detach().to("cpu", torch.float64) for t in targets])
        return values, moved[row, component].to("cpu", torch.float64)

    parts = list(game.batches.run(2 * len(components), compute))
    values = torch.cat([v for v, _ in parts], dim=1) if parts else torch.zeros(len(targets), 0, dtype=torch.float64)
    # What the input's dtype made of x + h and x - h, not 2h, is the distance that was walked.
    at = torch.cat([a for _, a in parts]) if parts else torch.zeros(0, dtype=torch.float64)
    return values[:, ::2], values[:, 1::2], at[::2] - at[1::2]


def _components(game: Masking, modality: str) -> Tensor:
    """int64: the entries of the flattened input that belong to an atom."""
    x = game.encoded.x[modality]
    return movable(game.encoded, modality).expand_as(x).flatten().nonzero().flatten().cpu()


def _scale(x: Tensor) -> float:
    spread = float(x.std()) if x.numel() > 1 else 0.0
    return spread if spread > 0 else max(1.0, float(x.abs().max()))


def _flat(game: Masking, targets: Sequence[Target], results: Sequence[Attribution]) -> str | None:
    """What to say where no component changes a target that the baseline does change: a tree, a rounded output."""
    still = [t for t, r in zip(targets, results, strict=True) if not any(bool(v.any()) for v in r.values.values())]
    if not still:
        return None
    absent = game.predict_masks(torch.zeros(1, game.n_atoms), layers=layers_of(targets))
    for target in still:
        if float(select(target, game.unperturbed)[0]) != float(select(target, absent)[0]):
            steps = ", ".join(f"{m} {h:.1e}" for m, h in results[0].quality["step"].items())
            return f"the model is flat around the sample (steps of {steps} change nothing, removing all atoms does)"
    return None


def _result(
    game: Masking,
    target: Target,
    values: Mapping[str, Tensor],
    config: Mapping[str, Any],
    quality: Mapping[str, Any],
    reason: str | None,
) -> Attribution:
    return Attribution(
        values=values,
        target=describe(target),
        method="gradient/perturbation",
        config={"method": "perturbation", **config},
        quality={
            "value": float(select(target, game.unperturbed)[0]),
            **quality,
            "differences_reason": reason,
            "evaluations": game.forwards,
            "forwards": game.forwards,
            "halvings": game.batches.halvings,
        },
    )
