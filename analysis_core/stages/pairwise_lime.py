"""Stage C by a local surrogate: LIME with a term for every pair of atoms of two modalities. Behind crossmodal.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from analysis_core.arguments import count, whole
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.coalitions import every
from analysis_core.stages.designs import bernoulli
from analysis_core.stages.pairwise import PRESELECTED, pair_game
from analysis_core.stages.surrogate import KERNEL_WIDTH, cosine_kernel, fit_ridge, require_room, stability
from analysis_core.targets import Target
from analysis_core.types import Attribution

#: As a share of the total weight. The kernel gives coalitions without any atom 0.0003 of the weight of the whole, so
#: that where few rows tell a pair, its coefficient shrinks by some 1e-7 of itself.
PAIR_RIDGE = 1e-11


def lime(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    samples: int | None = None,
    seed: int = 0,
    preselect: int | None = PRESELECTED,
) -> Attribution:
    """The coefficients of z_i z_j in a local surrogate with every atom and every pair of a source and a target atom.

    samples:   rows, the whole sample among them; None = max(200, 10 unknowns). Where 2^atoms are no more: all of them
    preselect: atoms of each modality with the strongest main effects that are looked at; None = all
    returns:   Attribution with pairs float64 [n_atoms(source), n_atoms(to)], signed, 0 where not looked at
               (config["selected"] names who was); values {to: sum over the source atoms of |pairs|}; quality: r2
               (of rows left out, as in unimodal.lime; of all rows where all are taken) and r2_in_sample, stability,
               standard_error, pairs_sum beside `between`
    raises:    BadInput (fewer rows than unknowns, more than fits, one modality named twice, no atom), UnknownName
    source:    LIME (Ribeiro et al. 2016) with product terms; strong heredity as in Bien et al. 2013
    """
    seed = whole("seed", seed)
    game = pair_game(model, sample, target, source=source, to=to, preselect=preselect)
    n, split = game.n, len(game.first)
    unknowns = 1 + n + split * (n - split)
    rows = max(200, 10 * unknowns) if samples is None else count("samples", samples)
    if rows < min(unknowns, 2**n):
        raise BadInput(f"{rows} samples do not determine {unknowns} unknowns: take at least that many, or preselect")
    require_room(rows, unknowns)
    enumerated = 2**n <= rows
    Z = every(n) if enumerated else bernoulli(rows, n, seed, "crossmodal lime")
    f, quality = game.values_of(Z)
    kept = Z.to(torch.float64)
    products = kept[:, :split, None] * kept[:, None, split:]
    fit = fit_ridge(torch.cat([kept, products.flatten(1)], dim=1), f[:, None], cosine_kernel(Z), PAIR_RIDGE)
    pairs = fit.coefficients[n:, 0].reshape(split, n - split)
    # Another seed would take the same rows.
    errors = torch.zeros_like(pairs) if enumerated else fit.standard_errors[n:, 0].reshape(split, n - split)
    return game.attribution(
        "crossmodal_lime",
        pairs,
        errors,
        {
            "samples": len(Z),
            "enumerated": enumerated,
            "seed": seed,
            "kernel_width": KERNEL_WIDTH,
            "ridge": PAIR_RIDGE,
        },
        {
            **quality,
            # All coalitions are what the surrogate is about: none is left out.
            "r2": fit.r2_in_sample[0] if enumerated else fit.r2[0],
            "r2_in_sample": fit.r2_in_sample[0],
            "stability": None if fit.r2[0] is None else stability(pairs, errors),
            "intercept": float(fit.intercepts[0]),
        },
    )
