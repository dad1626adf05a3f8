"""Finite-step 2x2 interactions f(x) - f(-s) - f(-t) + f(-s,-t): whether two modalities interact at all.

Tells an additive model (second derivative truly 0) from a piecewise linear one, where it is 0 almost everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.batching import ALIVE, Batches, rows_at_once
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.targets import Target, select
from analysis_core.types import Encoded

#: Pairs of changes beside the one that removes both modalities whole.
_HALVES = 4
_STEPS = 4


@dataclass(frozen=True)
class Interaction:
    """The largest |2x2 interaction| met, and the size below which it is round-off."""

    largest: float
    round_off: float

    @property
    def real(self) -> bool:
        return self.largest > self.round_off


def probe(
    model: MultimodalModel,
    encoded: Encoded,
    target: Target,
    *,
    source: str,
    to: str,
    atoms: Sequence[int],
    seed: int = 0,
) -> Interaction:
    """Change both modalities in nine ways (removed whole, random halves removed, random steps) and compare.

    target: resolved; atoms: those of `source` that change, while all of `to` do
    returns: an additive model gives 0 up to round-off whatever the changes
    """
    absent = leaves.encode_baseline(model, encoded)
    s = _changes(encoded, absent, source, atoms, seed)
    t = _changes(encoded, absent, to, range(len(encoded.atoms[to])), seed)
    whole_s, whole_t = encoded.x[source].expand_as(s), encoded.x[to].expand_as(t)
    rows = {source: torch.cat([whole_s, s, whole_s, s]), to: torch.cat([whole_t, whole_t, t, t])}
    f = _values(model, encoded, target, rows).reshape(4, len(s))
    interaction = (f[0] - f[1] - f[2] + f[3]).abs().max()
    eps = torch.finfo(encoded.x[source].dtype).eps
    return Interaction(float(interaction), 1e3 * eps * float(f.abs().max()))


def _changes(encoded: Encoded, absent: dict[str, Tensor], modality: str, changing: Sequence[int], seed: int) -> Tensor:
    x, atoms = encoded.x[modality], encoded.atoms[modality]
    g = generator(seed, "finite", modality)
    inside = torch.isin(leaves.leaf_groups(atoms, x).cpu(), torch.tensor(list(changing)))
    removed = torch.rand(_HALVES + 1, len(inside), generator=g) < 0.5
    removed[0] = True
    mask = leaves.over_input(atoms.kind, (removed & inside).to(x.device), x)
    halves = torch.where(mask, absent[modality], x)
    noise = torch.randn(_STEPS, *x.shape[1:], generator=g, dtype=torch.float64).to(x)
    movable = leaves.over_input(atoms.kind, inside.unsqueeze(0).to(x), x)
    scale = x.std() if x.numel() > 1 and float(x.std()) > 0 else x.abs().max().clamp_min(1)
    return torch.cat([halves, x + noise * movable * scale])


def _values(model: MultimodalModel, encoded: Encoded, target: Target, rows: dict[str, Tensor]) -> Tensor:
    n = len(next(iter(rows.values())))
    size = max(t[0].numel() * t.element_size() for t in rows.values())

    def compute(start: int, stop: int) -> Tensor:
        x = {m: t.expand(stop - start, *t.shape[1:]) for m, t in encoded.x.items()}
        x.update({m: t[start:stop] for m, t in rows.items()})
        with torch.no_grad():
            return select(target, leaves.forward(model, x, encoded.aux)).to("cpu", torch.float64)

    # Activations are unknown here; sixteen times the input is a cautious guess, and memory errors halve it.
    batches = Batches(rows_at_once(16 * ALIVE * size, next(iter(rows.values())).device))
    return torch.cat(list(batches.run(n, compute)))
