"""Stage C for one sample: DIME, a surrogate for what a model adds up over modalities and one for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.coalitions import require_finite
from analysis_core.stages.designs import Design, Surrogates
from analysis_core.stages.dime_background import Background
from analysis_core.stages.dime_contributions import contributions
from analysis_core.stages.masking import Masking
from analysis_core.stages.surrogate import KERNEL_WIDTH, RIDGE
from analysis_core.stages.towers_grid import Progress
from analysis_core.targets import Target, describe, resolve_all
from analysis_core.types import Attribution

PARTS = ("full", "unimodal", "interaction")


@dataclass(frozen=True)
class Dime:
    """Surrogates of a target and of its two parts on the same perturbed rows: full = unimodal + interaction, per atom.

    full:        LIME of the target itself
    unimodal:    of its additive part (UC): what each modality contributes whatever the others are
    interaction: of the rest (MI)
    """

    full: Attribution
    unimodal: Attribution
    interaction: Attribution


def dime(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    background: Iterable[Mapping[str, Any]] | Background,
    targets: Sequence[Target],
    *,
    samples: int | None = None,
    seed: int = 0,
    design: str = "joint",
    progress: Progress | None = None,
) -> list[Dime]:
    """Disentangle a sample's explanation into unimodal contributions and multimodal interaction.

    A perturbed input x' joins the background as one more member. Its additive part is, with two modalities,
    UC = mean f(x1', .) + mean f(., x2') - mean f(., .) over the members; MI = f - UC. Sums over the background alone
    are known beforehand, so a row costs 2 N + 1 fusions and O(targets) of bookkeeping.
    background: samples of the same shapes (N), or a Background made of them, which serves many calls
    targets:    logits and features; the same rows serve all
    samples:    rows, the whole sample among them; None = max(200, 10 n_atoms)
    design:     "joint" or "apart", as in unimodal.lime; rows that switch one modality cost N + 1 fusions, not 2 N + 1
    progress:   called with the combinations done and those to do
    returns:    one Dime per target; signed coefficients float64 [n_atoms] per modality
    raises:     BadInput (no target, fewer than two atoms, rows or background samples; shapes differ; NaN), UnknownName
    source:     Lyu et al. 2022, "DIME: Fine-grained interpretations of multimodal models via disentangled local
                explanations", section 3; the rows and the kernel are LIME's (unimodal.lime with the same seed)
    """
    game = Masking(model, sample)
    drawn = Design(game.columns, samples=samples, seed=seed, design=design)
    if not targets:
        raise BadInput("DIME needs at least one target")
    resolved = resolve_all(targets, game.unperturbed)
    require_finite(game.unperturbed, resolved)
    behind, before = _prepared(model, background)
    behind.crowd.check(game.encoded, "the explained sample")
    full, unimodal = contributions(game, behind, drawn.Z, resolved, progress)
    config = {
        **drawn.config,
        "kernel_width": KERNEL_WIDTH,
        "ridge": RIDGE,
        "background": len(behind.crowd),
        "partners": behind.partners,
        "background_seed": behind.seed,
    }
    quality = {"evaluations": len(full), **_cost(game, before, _Spent.on(behind))}
    parts = {"full": full, "unimodal": unimodal, "interaction": full - unimodal}
    fits = {part: drawn.fit(y) for part, y in parts.items()}
    surrogates = {
        part: [
            Attribution(
                values=fit.values(k),
                target=describe(target),
                method="dime",
                config={**config, "part": part},
                quality={**quality, **_worth(game, fit, full, k)},
            )
            for k, target in enumerate(resolved)
        ]
        for part, fit in fits.items()
    }
    return [Dime(*three) for three in zip(*(surrogates[part] for part in PARTS), strict=True)]


def _prepared(
    model: MultimodalModel, background: Iterable[Mapping[str, Any]] | Background
) -> tuple[Background, _Spent]:
    """The background, and what had been spent on it before this call."""
    if not isinstance(background, Background):
        return Background(model, background), _Spent()
    if background.crowd.model is not model:
        raise BadInput("this Background was made for another model: make one for this model")
    return background, _Spent.on(background)


def _worth(game: Masking, fit: Surrogates, full: Tensor, k: int) -> dict[str, Any]:
    """What target k's surrogate of one part is worth; no R2 where that part moves by the model's round-off only."""
    noise = 1e2 * torch.finfo(next(iter(game.encoded.x.values())).dtype).eps * float(full[:, k].abs().max())
    return fit.worth(k, noise=noise)


@dataclass(frozen=True)
class _Spent:
    """Rows fused and encoded, and halvings: a Background that was made before the call is not counted again."""

    forwards: int = 0
    encodings: Mapping[str, int] = field(default_factory=dict)
    halvings: int = 0

    @classmethod
    def on(cls, behind: Background) -> _Spent:
        fusion = behind.crowd.fusion
        halvings = fusion.encode_batches.halvings + fusion.fuse_batches.halvings
        return cls(fusion.forwards, dict(fusion.encodings), halvings)


def _cost(game: Masking, before: _Spent, after: _Spent) -> dict[str, Any]:
    return {
        "forwards": game.forwards + after.forwards - before.forwards,
        "encodings": {m: n + after.encodings[m] - before.encodings.get(m, 0) for m, n in game.encodings.items()},
        "halvings": game.batches.halvings + after.halvings - before.halvings,
    }
