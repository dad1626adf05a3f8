"""Stage U by a local surrogate: LIME on one joint game over the atoms of all modalities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.coalitions import evaluate
from analysis_core.stages.masking import Masking
from analysis_core.stages.surrogate import KERNEL_WIDTH, RIDGE, cosine_kernel, fit_ridge, require_room, stability
from analysis_core.targets import Target, describe, resolve_all
from analysis_core.types import Attribution


def lime(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    targets: Sequence[Target],
    *,
    samples: int | None = None,
    seed: int = 0,
    modalities: Iterable[str] | None = None,
) -> list[Attribution]:
    """Local linear surrogates over one joint game of all atoms; the same rows serve every target.

    samples:    rows, the whole sample among them; None = max(200, 10 n_atoms)
    modalities: those whose atoms are switched; the others stay present. None = all
    returns:    one Attribution per target: signed coefficients float64 [n_atoms] per modality; quality: weighted r2,
                standard_error per modality, and stability, the correlation to expect with another seed's coefficients
    raises:     BadInput (no target, fewer than two atoms or rows, more than fits, NaN from the model), UnknownName
    source:     Ribeiro et al. 2016: Bernoulli(.5) rows, cosine kernel of width .25, ridge regression
    """
    game = Masking(model, sample, modalities=modalities)
    rows = max(200, 10 * game.n_atoms) if samples is None else samples
    if game.n_atoms < 2 or rows < 2:
        raise BadInput(f"LIME needs at least two atoms and two rows, not {game.n_atoms} and {rows}")
    if not targets:
        raise BadInput("LIME needs at least one target")
    require_room(rows, game.n_atoms)
    resolved = resolve_all(targets, game.unperturbed)
    Z = bernoulli(rows, game.n_atoms, seed, "lime")
    y = evaluate(game, Z, resolved)
    fit = fit_ridge(Z.to(torch.float64), y, cosine_kernel(Z))
    config = {
        "samples": rows,
        "seed": seed,
        "kernel_width": KERNEL_WIDTH,
        "ridge": RIDGE,
        "modalities": [c.modality for c in game.columns],
    }
    quality = {"evaluations": rows, "forwards": game.forwards, "halvings": game.batches.halvings}
    return [
        Attribution(
            values=game.split(fit.coefficients[:, k]),
            target=describe(target),
            method="lime",
            config=config,
            quality={
                **quality,
                "r2": fit.r2[k],
                "stability": stability(fit.coefficients[:, k], fit.standard_errors[:, k]),
                "standard_error": {m: e.tolist() for m, e in game.split(fit.standard_errors[:, k]).items()},
                "intercept": float(fit.intercepts[k]),
                "value": float(y[0, k]),
            },
        )
        for k, target in enumerate(resolved)
    ]


def bernoulli(rows: int, atoms: int, seed: int, purpose: str) -> Tensor:
    """bool [rows, atoms], each kept with probability 1/2; the first row keeps all."""
    Z = torch.rand(rows, atoms, generator=generator(seed, purpose)) < 0.5
    Z[0] = True
    return Z
