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
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.targets import Target, select
from analysis_core.types import Encoded

#: Changes beside the one that removes a modality whole.
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
    """Change each modality in nine ways (removed whole, random halves removed, random steps), and both in 25.

    Both alike, and each change of one where the other is removed whole: a kink may lie beyond what halves of both reach

    target: resolved; atoms: those of `source` that change, while all of `to` do
    returns: an additive model gives 0 up to round-off whatever the changes; changes that leave the model's domain (a
             target of NaN or infinity) are left out
    raises:  BadInput (every change leaves it)
    """
    absent = leaves.encode_baseline(model, encoded)
    s = _changes(encoded, absent, source, atoms, seed)
    t = _changes(encoded, absent, to, range(len(encoded.atoms[to])), seed)
    i, j = _pairs(len(s))
    rows = {
        source: torch.cat([encoded.x[source], s, encoded.x[source].expand_as(s), s[i]]),
        to: torch.cat([encoded.x[to], encoded.x[to].expand_as(t), t, t[j]]),
    }
    one, without_s, without_t, without_both = _values(model, encoded, target, rows).split([1, len(s), len(t), len(i)])
    f = torch.stack([one.expand(len(i)), without_s[i], without_t[j], without_both])
    f = f[:, f.isfinite().all(0)]
    if f.shape[1] == 0:
        raise BadInput(
            f"the second derivative between {source!r} and {to!r} is 0 here, and whether they interact cannot be told: "
            "the target is NaN or infinite after every finite step; give the model a baseline inside its domain"
        )
    interaction = (f[0] - f[1] - f[2] + f[3]).abs().max()
    eps = torch.finfo(encoded.x[source].dtype).eps
    return Interaction(float(interaction), 1e3 * eps * float(f.abs().max()))


def _pairs(n: int) -> tuple[Tensor, Tensor]:
    """Which change of the source meets which of the other: both alike, and each with the first, removed whole."""
    alike, rest = torch.arange(n), torch.arange(1, n)
    first = torch.zeros(n - 1, dtype=torch.int64)
    return torch.cat([alike, rest, first]), torch.cat([alike, first, rest])


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
