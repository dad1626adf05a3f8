"""The game between the atoms of two modalities, with atoms pre-selected where there are many.

Cross-modal LIME (pairwise_lime) and cross-modal SHAP (pairwise_shap) play it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import count
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.atom_pairs import chosen_atoms
from analysis_core.stages.coalitions import evaluate
from analysis_core.stages.masking import Columns, Masking
from analysis_core.targets import Target, describe, resolve
from analysis_core.types import Attribution

#: Atoms of each modality that are looked at in pairs unless the caller says otherwise.
PRESELECTED = 12
#: Atoms whose main effects are looked at: two forwards each.
MOST_ATOMS = 8192


@dataclass(frozen=True)
class PairGame:
    """Atoms of `source` (first in a row of masks) and of `to`, switched together; everything else stays present.

    first, second: selected atoms of `source` and of `to`, ascending
    asked:         rows that the pre-selection took
    """

    game: Masking
    target: Target
    source: str
    to: str
    preselect: int | None
    first: list[int]
    second: list[int]
    asked: int

    @property
    def n(self) -> int:
        """Atoms in the game."""
        return len(self.first) + len(self.second)

    def values_of(self, Z: Tensor) -> tuple[Tensor, dict[str, Any]]:
        """The target for bool [S, n], float64 [S]; and what the quality of any result says about the game.

        `between` is what both modalities give beyond what each gives alone: f(all) - f(source) - f(to) + f(none).
        """
        corners = torch.ones(4, self.n, dtype=torch.bool)
        corners[[1, 3], len(self.first) :] = False
        corners[[2, 3], : len(self.first)] = False
        first, second = self.game.columns
        atoms = torch.tensor([first.start + i for i in self.first] + [second.start + j for j in self.second])
        f = evaluate(self.game, torch.cat([corners, Z]), [self.target], atoms=atoms)[:, 0]
        quality = {
            "evaluations": self.asked + len(Z),
            "forwards": self.game.forwards,
            "halvings": self.game.batches.halvings,
            "value": float(f[0]),
            "absent": float(f[3]),
            "between": float(f[0] - f[1] - f[2] + f[3]),
        }
        return f[4:], quality

    def attribution(
        self, method: str, pairs: Tensor, errors: Tensor, config: Mapping[str, Any], quality: Mapping[str, Any]
    ) -> Attribution:
        """A result from pairs and standard errors [first, second]; pairs that were not looked at are 0, errors None."""
        sizes = [c.stop - c.start for c in self.game.columns]
        at = torch.tensor(self.first)[:, None], torch.tensor(self.second)
        whole = torch.zeros(*sizes, dtype=torch.float64).index_put_(at, pairs)
        stated: list[list[float | None]] = [[None] * sizes[1] for _ in range(sizes[0])]
        for i, row in zip(self.first, errors.tolist(), strict=True):
            for j, error in zip(self.second, row, strict=True):
                stated[i][j] = error
        return Attribution(
            values={self.to: whole.abs().sum(0)},
            pairs=whole,
            target=describe(self.target),
            method=method,
            config={
                "source": self.source,
                "to": self.to,
                "atoms": list(range(sizes[0])),
                "preselect": self.preselect,
                "selected": {self.source: self.first, self.to: self.second},
                **config,
            },
            quality={**quality, "pairs_sum": float(pairs.sum()), "standard_error": stated},
        )


def pair_game(
    model: MultimodalModel, sample: Mapping[str, Any], target: Target, *, source: str, to: str, preselect: int | None
) -> PairGame:
    """The game of the `preselect` atoms of each modality with the strongest main effects (None = all).

    An atom's main effect is |f(it alone) - f(none)| + |f(all) - f(all but it)|, with other modalities present.

    raises: BadInput (a modality is empty or named twice, no atom asked for, too many, NaN from the model), UnknownName
    """
    preselect = None if preselect is None else count("preselect (atoms of each modality, or None for all)", preselect)
    game = Masking(model, sample, modalities=dict.fromkeys((source, to)))
    chosen_atoms(game.encoded, source, to, None)
    resolved = resolve(target, game.unperturbed)
    selected = [list(range(c.stop - c.start)) for c in game.columns]
    asked = 0
    if game.n_atoms > MOST_ATOMS:
        raise BadInput(f"{game.n_atoms} atoms are more than {MOST_ATOMS}: group them into larger ones")
    if preselect is not None and max(map(len, selected)) > preselect:
        effects, asked = _main_effects(game, resolved)
        selected = [_strongest(effects, c, preselect) for c in game.columns]
    return PairGame(game, resolved, source, to, preselect, selected[0], selected[1], asked)


def _main_effects(game: Masking, target: Target) -> tuple[Tensor, int]:
    alone = torch.eye(game.n_atoms, dtype=torch.bool)
    ends = torch.tensor([False, True])[:, None].expand(2, game.n_atoms)
    f = evaluate(game, torch.cat([ends, alone, ~alone]), [target])[:, 0]
    lone, without = f[2:].tensor_split(2)
    return (lone - f[0]).abs() + (f[1] - without).abs(), len(f)


def _strongest(effects: Tensor, column: Columns, most: int) -> list[int]:
    """Ascending; of equal effects the first atoms."""
    own = effects[column.start : column.stop]
    order: Sequence[int] = own.argsort(descending=True, stable=True).tolist()
    return sorted(order[:most])
