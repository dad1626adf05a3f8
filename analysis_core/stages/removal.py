"""Stage C by removal: what two atoms of two modalities give together beyond what each gives alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.atom_pairs import chosen_atoms
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.targets import Target, describe, resolve, select
from analysis_core.types import Attribution

#: More rows than any live request can wait for; a study that wants them names its atoms and asks in parts.
MOST_ROWS = 100_000
#: Rows of masks in memory at a time: a few MB for hundreds of atoms.
_AT_ONCE = 4096


def removal(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    atoms: Sequence[int] | None = None,
) -> Attribution:
    """f - f(-s) - f(-t) + f(-s,-t) for every pair of a source atom s and an atom t of another modality.

    atoms:   indices of source atoms; None = all
    returns: Attribution with pairs float64 [len(atoms), n_atoms(to)], signed: > 0 where both together raise the target
             by more than the sum of their parts; values {to: sum over the source atoms of |pairs|}. 0 up to
             `quality["round_off"]` for an additive model. Other modalities stay present
    raises:  BadInput (no such atom, too many pairs), UnknownName
    source:  the two-atom case of the Shapley interaction index (Grabisch and Roubens 1999), with all others present
    """
    grid = removal_grid(model, sample, target, source=source, to=to, atoms=atoms)
    return grid.attribution("removal", grid.pairs, {})


@dataclass(frozen=True)
class Grid:
    """The target with none or one atom of each modality removed, and what an Attribution says of how it was computed.

    f: float64 [1 + n, 1 + m]; row 0 and column 0: none removed
    """

    f: Tensor
    target: Target
    source: str
    to: str
    atoms: list[int]
    quality: Mapping[str, Any]

    @property
    def pairs(self) -> Tensor:
        """float64 [n, m]: the 2x2 difference of every pair."""
        return self.f[:1, :1] - self.f[1:, :1] - self.f[:1, 1:] + self.f[1:, 1:]

    def attribution(self, method: str, pairs: Tensor, config: Mapping[str, Any]) -> Attribution:
        """These pairs as a result."""
        return Attribution(
            values={self.to: pairs.abs().sum(0)},
            pairs=pairs,
            target=describe(self.target),
            method=method,
            config={"source": self.source, "to": self.to, "atoms": self.atoms, **config},
            quality=self.quality,
        )


def removal_grid(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    target: Target,
    *,
    source: str,
    to: str,
    atoms: Sequence[int] | None = None,
) -> Grid:
    """(n + 1)(m + 1) rows through the masking engine. raises: BadInput, UnknownName"""
    game = Masking(model, sample, modalities=dict.fromkeys((source, to)))
    chosen = chosen_atoms(game.encoded, source, to, atoms)
    first, second = game.columns
    n, m = len(chosen), second.stop - second.start
    rows = (n + 1) * (m + 1)
    if rows > MOST_ROWS:
        raise BadInput(f"{n} x {m} pairs need {rows:,} rows, more than {MOST_ROWS:,}: name fewer atoms of {source!r}")
    resolved = resolve(target, game.unperturbed)
    columns = torch.tensor([-1, *(first.start + i for i in chosen)])
    parts = []
    for start in range(0, rows, _AT_ONCE):
        index = torch.arange(start, min(start + _AT_ONCE, rows))
        Z = torch.ones(len(index), game.n_atoms, dtype=torch.bool)
        _switch_off(Z, columns[index // (m + 1)])
        _switch_off(Z, torch.where(index % (m + 1) > 0, second.start - 1 + index % (m + 1), -1))
        parts.append(select(resolved, game.predict_masks(Z, layers=layers_of([resolved]))))
    f = torch.cat(parts)
    if not bool(f.isfinite().all()):
        raise BadInput("the target is not finite on this sample or with atoms removed: look for NaN inputs or weights")
    eps = torch.finfo(game.encoded.x[source].dtype).eps
    quality = {
        "value": float(f[0]),
        "evaluations": rows,
        "forwards": game.forwards,
        "encodings": game.encodings,
        "halvings": game.batches.halvings,
        # Four figures, each with some units in the last place of the largest.
        "round_off": 16 * eps * float(f.abs().max()),
    }
    return Grid(f.reshape(n + 1, m + 1), resolved, source, to, chosen, quality)


def _switch_off(Z: Tensor, column: Tensor) -> None:
    """Row by row the atom in `column`; -1 for none."""
    rows = (column >= 0).nonzero().squeeze(1)
    Z[rows, column[rows]] = False
