"""Samples that stand in for one modality of an explained sample while the others are kept: what DIME averages over."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import whole
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.towers_crowd import Crowd
from analysis_core.stages.towers_grid import Axis, combinations
from analysis_core.types import Output


@dataclass(frozen=True)
class Term:
    """One sum in the closed form of the additive part: modalities taken from the sample, and the sum's weight."""

    inside: tuple[str, ...]
    weight: float


class Background:
    """A set of samples, encoded once; give it to `dime` in place of the samples to explain many samples with it.

    The set an explained input belongs to is the background and the input itself: size + 1 members, as in the matrix of
    logits whose row and column the published method replaces.
    """

    def __init__(
        self,
        model: MultimodalModel,
        samples: Iterable[Mapping[str, Any]],
        *,
        partners: int | None = None,
        seed: int = 0,
    ) -> None:
        """samples:  at least two, of equal shapes
        partners: None = all of them, and with three or more modalities all their combinations: a perturbed row costs
                  2 N + 1 fusions with two modalities, 3 N^2 + 3 N + 1 with three. A number: so many drawn samples;
                  beyond two modalities each modality's are shuffled once and combined place by place, which costs
                  2 m N + 1 and is exact for additive models as well
        raises:   BadInput (no list of samples, too few, shapes that differ, an empty modality; partners; seed)
        """
        partners = None if partners is None else whole("partners", partners)
        seed = whole("seed", seed)
        self.crowd = Crowd(model, samples)
        if len(self.crowd) < 2:
            raise BadInput("DIME needs at least two background samples to average over")
        if partners is not None and not 2 <= partners <= len(self.crowd):
            raise BadInput(f"partners must be from 2 to {len(self.crowd)}, or None for all, not {partners}")
        self.partners, self.seed = partners, seed
        self.size = len(self.crowd) if partners is None else partners
        random = generator(seed, "dime background")
        drawn = torch.arange(len(self.crowd))
        if partners is not None:
            drawn = torch.randperm(len(self.crowd), generator=random)[:partners].sort().values
        names = model.modalities
        self.in_step = partners is not None and len(names) > 2
        self.numbers = {
            m: drawn[torch.randperm(self.size, generator=random)] if self.in_step and i else drawn
            for i, m in enumerate(names)
        }
        #: [1, ...]: the weighted sum of what the background gives by itself, the same for every input.
        self.base = self._base()

    def standing_in(self, inside: Sequence[str]) -> list[Axis]:
        """What takes the place of all modalities but `inside`: an axis for each, or one on which they go in step."""
        others = {m: numbers for m, numbers in self.numbers.items() if m not in inside}
        groups = [tuple(others)] if self.in_step and others else [(m,) for m in others]
        return [Axis({m: self.crowd.shelves[m] for m in g}, {m: others[m] for m in g}) for g in groups]

    def terms(self) -> Iterator[Term]:
        """The sums whose weighted sum is the additive part of an input: over the set's members other than itself.

        With M = size + 1 members and T(A) the sum over all that stands in for the modalities outside A:
        mean over inputs that share modality m: sum of T(A) with m in A, / M^(m-1); grand mean: sum of all T / M^m.
        """
        names, members = self.crowd.model.modalities, self.size + 1
        m = len(names)
        subsets = [s for r in range(1, m + 1) for s in itertools.combinations(names, r)]
        if not self.in_step:
            yield from (Term(s, (len(s) * members - (m - 1)) / members**m) for s in subsets)
            return
        grand = (m - 1) / (m * members**2)
        for s in subsets:
            if len(s) == m:
                yield Term(s, m / members - m * grand)
            elif len(s) in (1, m - 1):
                yield Term(s, (1 / members if len(s) == 1 else 0.0) - grand)

    def _base(self) -> Output:
        names, members = self.crowd.model.modalities, self.size + 1
        m = len(names)
        if not self.in_step:
            return _scaled(_total(self.crowd, [self.standing_in(())]), -(m - 1) / members**m)
        grids = [[*self._alone(name), *self.standing_in((name,))] for name in names]
        return _scaled(_total(self.crowd, grids), -(m - 1) / (m * members**2))

    def _alone(self, name: str) -> list[Axis]:
        return [Axis({name: self.crowd.shelves[name]}, {name: self.numbers[name]})]


def _total(crowd: Crowd, grids: Sequence[Sequence[Axis]]) -> Output:
    """Outputs added up over all combinations of some grids, float64 [1, ...]; also of named layers."""
    zero = _scaled(crowd.output, 0.0)
    for axes in grids:
        for _, output in combinations(crowd.fusion, axes):
            zero = Output(
                zero.logits + _sum(output.logits),
                zero.features + _sum(output.features),
                {name: t + _sum(output.layers[name]) for name, t in zero.layers.items()},
            )
    return zero


def _sum(t: Tensor) -> Tensor:
    return t.detach().to("cpu", torch.float64).sum(0, keepdim=True)


def _scaled(output: Output, by: float) -> Output:
    def scale(t: Tensor) -> Tensor:
        return t.detach().to("cpu", torch.float64) * by

    return Output(scale(output.logits), scale(output.features), {name: scale(t) for name, t in output.layers.items()})
