"""Comprehensiveness, sufficiency, deletion and insertion: four readings of one set of rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from analysis_core.arguments import count, finite, listed, one_attribution
from analysis_core.errors import BadInput
from analysis_core.evaluation.faithfulness_game import (
    columns_of,
    descending,
    named,
    notes_of,
    random_orders,
    require_finite,
    target_of,
    with_first_only,
    without_first,
)
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.targets import Target, resolve, select
from analysis_core.types import Attribution

#: Shares of the atoms at which comprehensiveness and sufficiency are read (DeYoung et al. 2020).
FRACTIONS = (0.01, 0.05, 0.10, 0.20, 0.50)
#: Figure -> whether a higher one is better.
FIGURES = {"comprehensiveness": True, "sufficiency": False, "deletion_auc": False, "insertion_auc": True}


class Reading(NamedTuple):
    """The target along one order of the atoms; see Faithfulness."""

    share: Tensor
    deletion: Tensor
    insertion: Tensor
    comprehensiveness: Tensor
    sufficiency: Tensor

    def figures(self) -> dict[str, float]:
        """FIGURES: AOPC of the first two, see `curves`, and the areas under the two curves."""
        # Bin 0 holds no atom: nothing is removed, or nothing is kept.
        steps = len(self.comprehensiveness) + 1
        nothing_kept = self.deletion[0] - self.insertion[0]
        return {
            "comprehensiveness": float(self.comprehensiveness.sum()) / steps,
            "sufficiency": float(nothing_kept + self.sufficiency.sum()) / steps,
            "deletion_auc": float(torch.trapezoid(self.deletion, self.share)),
            "insertion_auc": float(torch.trapezoid(self.insertion, self.share)),
        }


@dataclass(frozen=True)
class Faithfulness:
    """The target while atoms are removed, or added, in an attribution's order: everything in the target's own units.

    share:             float64 [points], 0 to 1: of the atoms, those removed (deletion) or present (insertion)
    deletion:          float64 [points], the target without the first atoms
    insertion:         float64 [points], the target with only the first atoms
    comprehensiveness: float64 [fractions], f - f(without the first atoms): high where they are needed
    sufficiency:       float64 [fractions], f - f(with only them): low where they are enough
    random:            float64 [orders, 4], the FIGURES of random orders of the same atoms
    """

    share: Tensor
    deletion: Tensor
    insertion: Tensor
    comprehensiveness: Tensor
    sufficiency: Tensor
    random: Tensor
    method: str
    target: Mapping[str, Any]
    config: Mapping[str, Any]
    quality: Mapping[str, Any]

    @property
    def figures(self) -> dict[str, float]:
        """FIGURES: AOPC of the first two, see `curves`, and the areas under the two curves."""
        return Reading(*(getattr(self, name) for name in Reading._fields)).figures()

    @property
    def better_than_random(self) -> dict[str, float | None]:
        """Per figure the share of random orders that do worse, ties counting half; None without random orders."""
        found: dict[str, float | None] = {}
        for i, (name, high) in enumerate(FIGURES.items()):
            lead = (self.figures[name] - self.random[:, i]) * (1 if high else -1)
            found[name] = float((lead.sign() + 1).mean() / 2) if len(lead) else None
        return found


def curves(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    attributions: Sequence[Attribution] | Attribution,
    *,
    modalities: Iterable[str] | None = None,
    fractions: Sequence[float] = FRACTIONS,
    points: int = 50,
    random: int = 10,
    seed: int = 0,
) -> list[Faithfulness]:
    """Comprehensiveness, sufficiency, deletion and insertion of one sample's attributions, from one set of rows.

    attributions: with values; the highest is removed first (of signed ones: what speaks most for the target). One alone
                  is a list of one
    modalities:   whose atoms are removed while the others stay; None = those the attribution has values for. Values of
                  several modalities make one order, which says something only where their units are the same; for
                  those of design="apart", which have no common order, and where all are equal, quality["notes"] says so
    fractions:    of the atoms, rounded up; 0 < q <= 1
    points:       at most about so many steps on the curves, at least 1
    random:       random orders as control, the same for attributions of the same atoms
    returns:      one Faithfulness per attribution. Its figures of the first two are areas over the perturbation curve
                  (AOPC) as the paper's equation has them: the sum over bins k = 0 to |B| (the fractions, and bin 0,
                  which holds no atom) over |B| + 1. The paper's own code leaves bin 0 out and divides by |B|
    raises:       BadInput, UnknownName
    source:       DeYoung et al. 2020 (the first two), Petsiuk et al. 2018 (the last two); on the target itself instead
                  of a probability, because softmax makes interactions of its own
    """
    if isinstance(attributions, Attribution):
        attributions = [attributions]
    attributions = [one_attribution(a) for a in listed("attributions", attributions, "[found]")]
    if not attributions:
        raise BadInput("faithfulness needs at least one attribution")
    fractions = [finite("a fraction", q) for q in listed("fractions", fractions, "[0.1, 0.5]")]
    if not fractions or not all(0 < q <= 1 for q in fractions):
        raise BadInput(f"fractions must be shares above 0 and at most 1, not {tuple(fractions)}")
    points, random = count("points", points), count("random", random, least=0)
    chosen = named(modalities)
    game = Masking(model, sample)
    plans = [_plan(game, a, chosen, fractions, points, random_orders_of=(random, seed)) for a in attributions]
    output = game.predict_masks(torch.cat([p.masks for p in plans]), layers=layers_of([p.target for p in plans]))
    cost = {"forwards": game.forwards, "halvings": game.batches.halvings}
    found, start = [], 0
    for attribution, plan in zip(attributions, plans, strict=True):
        stop = start + len(plan.masks)
        own, *others = plan.readings(select(plan.target, output)[start:stop])
        start = stop
        controls = [list(other.figures().values()) for other in others]
        judged = list(chosen or attribution.values)
        config: dict[str, Any] = {"attribution": dict(attribution.config), "modalities": judged}
        config |= {"fractions": list(fractions), "counts": plan.counts.tolist(), "random": random, "seed": seed}
        found.append(
            Faithfulness(
                *own,
                random=torch.tensor(controls, dtype=torch.float64).reshape(random, len(FIGURES)),
                method=attribution.method,
                target=dict(attribution.target),
                config=config,
                quality={
                    "value": float(own.deletion[0]),
                    "evaluations": len(plan.masks),
                    **cost,
                    **notes_of(attribution, judged, ranked=True),
                },
            )
        )
    return found


@dataclass(frozen=True)
class _Plan:
    """The rows of one attribution. masks: [orders * 2 * points, width], per order without and with its first atoms.

    counts: int64 [points], how many atoms are "first"; at: where the fractions lie among them
    """

    target: Target
    masks: Tensor
    counts: Tensor
    at: Tensor

    def readings(self, f: Tensor) -> list[Reading]:
        """The target on the rows, read order by order. raises: BadInput (not finite)"""
        require_finite(f)
        share = self.counts.to(torch.float64) / int(self.counts[-1])
        return [
            Reading(share, out, back, out[0] - out[self.at], out[0] - back[self.at])
            for out, back in f.reshape(-1, 2, len(self.counts))
        ]


def _plan(
    game: Masking,
    attribution: Attribution,
    modalities: tuple[str, ...] | None,
    fractions: Sequence[float],
    points: int,
    *,
    random_orders_of: tuple[int, int],
) -> _Plan:
    columns, values = columns_of(game, attribution, modalities)
    n = len(columns)
    read = torch.tensor([math.ceil(q * n - 1e-9) for q in fractions])
    counts = torch.cat([torch.linspace(0, n, min(n, points) + 1).round().long(), read]).unique()
    orders = [descending(columns, values), *random_orders(columns, *random_orders_of)]
    masks = [first(o, counts, game.n_atoms) for o in orders for first in (without_first, with_first_only)]
    return _Plan(
        resolve(target_of(attribution), game.unperturbed), torch.cat(masks), counts, torch.searchsorted(counts, read)
    )
