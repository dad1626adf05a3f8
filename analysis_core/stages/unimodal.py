"""Stage U: how much each atom of each modality matters for a target, by gradients or by a local surrogate (LIME)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.curvature import FirstOrder
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.stages.surrogate import KERNEL_WIDTH, RIDGE, cosine_kernel, fit_ridge
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import Attribution

_GRADIENTS = ("saliency",)


def gradient(
    model: MultimodalModel, sample: Mapping[str, Any], target: Target, *, method: str = "saliency"
) -> Attribution:
    """First-order importance of every atom of every modality.

    method:  "saliency": the L2 norm of the target's gradient over all components of the atom
    returns: Attribution with values float64 [n_atoms] per modality, >= 0
    raises:  UnknownName (method), MissingCapability (the model gives no gradient)
    source:  Simonyan et al. 2014; Liang et al. 2023, section 2.1
    """
    if method not in _GRADIENTS:
        raise UnknownName("gradient method", method, _GRADIENTS)
    first = FirstOrder(model, leaves.encode(model, sample), target)
    values = {m: _saliency(first, m) for m in model.modalities}
    return Attribution(
        values=values,
        target=describe(first.target),
        method=f"gradient/{method}",
        config={"method": method},
        quality={"evaluations": 1, "value": first.value},
    )


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
    returns:    one Attribution per target: signed coefficients float64 [n_atoms] per modality; quality: weighted r2
    raises:     BadInput (no target, fewer than two atoms or rows), UnknownName
    source:     Ribeiro et al. 2016: Bernoulli(.5) rows, cosine kernel of width .25, ridge regression
    """
    game = Masking(model, sample, modalities=modalities)
    rows = max(200, 10 * game.n_atoms) if samples is None else samples
    if game.n_atoms < 2 or rows < 2:
        raise BadInput(f"LIME needs at least two atoms and two rows, not {game.n_atoms} and {rows}")
    if not targets:
        raise BadInput("LIME needs at least one target")
    resolved = [resolve(t, game.unperturbed) for t in targets]
    Z = _bernoulli(rows, game.n_atoms, seed)
    output = game.predict_masks(Z, layers=layers_of(resolved))
    y = torch.stack([select(t, output) for t in resolved], dim=1)
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
            quality={**quality, "r2": fit.r2[k], "intercept": float(fit.intercepts[k]), "value": float(y[0, k])},
        )
        for k, target in enumerate(resolved)
    ]


def _saliency(first: FirstOrder, modality: str) -> Tensor:
    atoms, g = first.encoded.atoms[modality], first.gradient(modality)
    squares = leaves.by_leaf(atoms.kind, g).to(torch.float64).square().sum(2)
    groups = leaves.leaf_groups(atoms, first.encoded.x[modality])
    return leaves.sum_over_atoms(squares, groups, len(atoms))[0].sqrt()


def _bernoulli(rows: int, atoms: int, seed: int) -> Tensor:
    Z = torch.rand(rows, atoms, generator=generator(seed, "lime")) < 0.5
    Z[0] = True
    return Z
