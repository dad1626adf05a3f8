"""What DIME fits its surrogates to: a target and its additive part on perturbed rows, by the closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.stages.dime_background import Background, Term
from analysis_core.stages.masking import Columns, Masking
from analysis_core.stages.towers import Part
from analysis_core.stages.towers_grid import Axis, Progress, combinations
from analysis_core.stages.towers_shelf import Budget, Shelf
from analysis_core.targets import Target, select
from analysis_core.types import Output


def contributions(
    game: Masking, behind: Background, Z: Tensor, targets: Sequence[Target], progress: Progress | None = None
) -> tuple[Tensor, Tensor]:
    """The targets, and their additive part, on each row: float64 [S, targets] both.

    Z: bool [S, n_atoms]. Equal states of a modality meet the background once; a row then adds up a few known sums.
    raises: BadInput (the model answers NaN or infinite values)
    """
    rows, inverse = torch.unique(Z, dim=0, return_inverse=True)
    sums = _Sums(game, behind, rows, targets, progress)
    additive = _values(targets, behind.base).repeat(len(rows), 1)
    full = torch.zeros_like(additive)
    for term in sums.terms:
        of_rows = sums.of(term)
        additive.add_(of_rows, alpha=term.weight)
        if len(term.inside) == len(game.columns):
            # Nothing stands in for any modality: the rows themselves.
            full = of_rows
    for values in (full, additive):
        if not bool(values.isfinite().all()):
            raise BadInput("the model gives NaN or infinite values on perturbed inputs: look at its baseline()")
    return full[inverse], additive[inverse]


class _Sums:
    """Sums over the background for each row of a game, each different joint state of the modalities inside once."""

    def __init__(
        self, game: Masking, behind: Background, rows: Tensor, targets: Sequence[Target], progress: Progress | None
    ) -> None:
        self.behind, self.targets, self.progress = behind, targets, progress
        self.terms = list(behind.terms())
        states, numbers = {}, {}
        for c in game.columns:
            states[c.modality], numbers[c.modality] = torch.unique(
                rows[:, c.start : c.stop], dim=0, return_inverse=True
            )
        #: Modalities inside -> their different joint states [n, modalities] by number, and which of them a row has.
        self.joint = {
            term.inside: torch.unique(torch.stack([numbers[m] for m in term.inside], dim=1), dim=0, return_inverse=True)
            for term in self.terms
        }
        budget = Budget(next(iter(game.encoded.x.values())).device)
        self.shelves = {
            c.modality: _shelf(game, c, states[c.modality], self._wanted(c.modality, len(states[c.modality])), budget)
            for c in game.columns
        }
        self.done, self.all = 0, sum(math.prod(map(len, self._axes(term))) for term in self.terms)

    def of(self, term: Term) -> Tensor:
        """float64 [rows, targets]"""
        found, row_of = self.joint[term.inside]
        sums = torch.zeros(len(found), len(self.targets), dtype=torch.float64)
        for positions, output in combinations(self.behind.crowd.fusion, self._axes(term)):
            sums.index_add_(0, positions[0], _values(self.targets, output))
            self.done += len(positions[0])
            if self.progress is not None:
                self.progress(self.done, self.all)
        return sums[row_of]

    def _axes(self, term: Term) -> list[Axis]:
        found = self.joint[term.inside][0]
        own = Axis(
            {m: self.shelves[m] for m in term.inside},
            dict(zip(term.inside, found.unbind(1), strict=True)),
        )
        return [own, *self.behind.standing_in(term.inside)]

    def _wanted(self, modality: str, states: int) -> Tensor:
        """How often each state of a modality will be taken: once per joint state it belongs to."""
        return sum(
            (
                found[:, inside.index(modality)].bincount(minlength=states)
                for inside, (found, _) in self.joint.items()
                if modality in inside
            ),
            torch.zeros(states, dtype=torch.int64),
        )


def _shelf(game: Masking, column: Columns, states: Tensor, wanted: Tensor, budget: Budget) -> Shelf:
    def make(some: Tensor) -> Part:
        return Part.joined(list(game.batches.run(len(some), lambda a, b: game.masked(column, states[some[a:b]]))))

    return Shelf(make, budget, wanted=wanted)


def _values(targets: Sequence[Target], output: Output) -> Tensor:
    return torch.stack([select(t, output).detach().to("cpu", torch.float64) for t in targets], dim=1)
