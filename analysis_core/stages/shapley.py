"""Stage U by Shapley values: exact for few atoms, from paired coalitions for many. Behind unimodal.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import count, whole
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import coalitions
from analysis_core.stages.masking import Masking
from analysis_core.stages.shapley_exact import shapley_values
from analysis_core.stages.shapley_kriging import MOST_EVALUATIONS, Kriged, draw, krige
from analysis_core.stages.shapley_quantities import ShapleyValues
from analysis_core.targets import Target, describe, resolve_all
from analysis_core.types import Attribution


def shap(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    evaluations: int | None = None,
    seed: int = 0,
    modalities: Iterable[str] | None = None,
    exact_up_to: int = 12,
) -> list[Attribution]:
    """Shapley values of one joint game over all atoms; the same rows serve every target.

    evaluations: rows to sample, all and none among them, an odd number rounded down, from 2 n_atoms + 4 to 8192;
                 None = max(1000, 20 n_atoms). Where n_atoms <= exact_up_to, or where evaluations reach 2^n_atoms, all
                 2^n_atoms rows are taken instead
    modalities:  those whose atoms are switched; the others stay present. None = all
    exact_up_to: at most 20
    returns:     one Attribution per target: signed values float64 [n_atoms] per modality, which add up to
                 f(all) - f(none) = quality["value"] - quality["absent"]; quality: standard_error per modality (zeros
                 where exact), interaction_order; config["present"]: the modalities that stayed whole, if any
    raises:      BadInput (no target, fewer than two atoms, too few or too many evaluations), UnknownName
    source:      Shapley 1953; Lundberg & Lee 2017; sampling and regression: docs/methods/games.md
    """
    seed = whole("seed", seed)
    game = Masking(model, sample, modalities=modalities)
    n = game.n_atoms
    if n < 2:
        raise BadInput(f"Shapley values need at least two atoms to divide among, not {n}")
    if not targets:
        raise BadInput("Shapley values need at least one target")
    resolved = resolve_all(targets, game.unperturbed)
    wanted = min(max(1000, 20 * n), MOST_EVALUATIONS) if evaluations is None else count("evaluations", evaluations)
    exact_up_to = count("exact_up_to", exact_up_to, least=0)
    if coalitions.enumerable(n, wanted, exact_up_to):
        Z = coalitions.every(n)
        f = coalitions.evaluate(game, Z, resolved)
        values = torch.stack([shapley_values(Z, column) for column in f.unbind(1)], dim=1)
        found, ends, rows = Kriged(values, torch.zeros_like(values), []), f[[0, -1]], len(Z)
    else:
        found, ends, rows = _sampled(game, resolved, wanted, seed)
    config: dict[str, Any] = {
        "evaluations": rows,
        "exact": not found.orders,
        "exact_up_to": exact_up_to,
        "seed": seed,
        "modalities": [c.modality for c in game.columns],
    }
    if present := [m for m in model.modalities if m not in config["modalities"]]:
        config["present"] = present
    quality = {"evaluations": rows, "forwards": game.forwards, "halvings": game.batches.halvings}
    return [
        Attribution(
            values=game.split(found.values[:, k]),
            target=describe(target),
            method="shap",
            config=config,
            quality={
                **quality,
                "standard_error": {m: e.tolist() for m, e in game.split(found.standard_errors[:, k]).items()},
                "interaction_order": found.orders[k] if found.orders else None,
                "value": float(ends[1, k]),
                "absent": float(ends[0, k]),
            },
        )
        for k, target in enumerate(resolved)
    ]


def _sampled(game: Masking, targets: Sequence[Target], evaluations: int, seed: int) -> tuple[Kriged, Tensor, int]:
    """Estimates, the targets' values of none and of all [2, targets], and the rows taken."""
    quantities = ShapleyValues(game.n_atoms)
    Z = draw(quantities, evaluations, seed, "shap")
    f = coalitions.evaluate(game, torch.cat([Z, ~Z]), targets)
    kept, absent = f.tensor_split(2)
    found = krige(Z, (kept - absent) / 2, quantities)
    ends = torch.stack([absent[0], kept[0]])
    # The estimate passes through all and none up to the nugget; what is missing is shared out.
    gap = ends[1] - ends[0] - found.values.sum(dim=0)
    return Kriged(found.values + gap / game.n_atoms, found.standard_errors, found.orders), ends, 2 * len(Z)
