"""Stage C by Shapley interaction indices between the atoms of two modalities. Behind crossmodal.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from analysis_core.arguments import count, whole
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import coalitions
from analysis_core.stages.pairwise import PRESELECTED, pair_game
from analysis_core.stages.shapley_exact import interaction_indices
from analysis_core.stages.shapley_kriging import MOST_EVALUATIONS, draw, krige
from analysis_core.stages.shapley_quantities import InteractionIndices
from analysis_core.targets import Target
from analysis_core.types import Attribution


def shap(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    evaluations: int | None = None,
    seed: int = 0,
    preselect: int | None = PRESELECTED,
    exact_up_to: int = 12,
) -> Attribution:
    """The Shapley interaction index of every pair of a source and a target atom, in the game of these two modalities.

    evaluations: rows to sample, an odd number rounded down, at most 8192; None = max(1000, 8 unknowns), of which there
                 are 1 + n (n - 1) / 2 for n atoms. Where n <= exact_up_to, or where evaluations reach 2^n, all 2^n rows
                 are taken instead
    preselect:   atoms of each modality with the strongest main effects that are looked at; None = all
    exact_up_to: at most 20
    returns:     Attribution with pairs float64 [n_atoms(source), n_atoms(to)], signed: > 0 where both together raise
                 the target by more than the sum of their parts; 0 where not looked at (config["selected"] names who
                 was); values {to: sum over the source atoms of |pairs|}; quality: standard_error (zeros where exact),
                 interaction_order, pairs_sum beside `between`
    raises:      BadInput (too few or too many evaluations, one modality named twice, no atom), UnknownName
    source:      Grabisch & Roubens 1999; sampling and regression: docs/methods/games.md
    """
    seed = whole("seed", seed)
    game = pair_game(model, sample, target, source=source, to=to, preselect=preselect)
    n, split = game.n, len(game.first)
    quantities = InteractionIndices(n, split)
    wanted = min(max(1000, 8 * quantities.unknowns), MOST_EVALUATIONS) if evaluations is None else evaluations
    wanted, exact_up_to = count("evaluations", wanted), count("exact_up_to", exact_up_to, least=0)
    order: float | None = None
    if coalitions.enumerable(n, wanted, exact_up_to):
        Z = coalitions.every(n)
        f, quality = game.values_of(Z)
        pairs = interaction_indices(Z, f, torch.arange(split), torch.arange(split, n))
        errors = torch.zeros_like(pairs)
    else:
        half = draw(quantities, wanted, seed, "crossmodal shap")
        Z = torch.cat([half, ~half])
        f, quality = game.values_of(Z)
        kept, absent = f.tensor_split(2)
        found = krige(half, (kept + absent)[:, None] / 2, quantities)
        pairs, errors = (t[:, 0].reshape(split, n - split) for t in (found.values, found.standard_errors))
        order = found.orders[0]
    return game.attribution(
        "crossmodal_shap",
        pairs,
        errors,
        {"evaluations": len(Z), "exact": order is None, "exact_up_to": exact_up_to, "seed": seed},
        {**quality, "interaction_order": order},
    )
