"""The means behind EMAP: over all combinations of the samples' modalities, or over partners that were drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.seeds import generator
from analysis_core.stages.towers_crowd import Crowd
from analysis_core.stages.towers_grid import Axis, Progress, combinations

#: Logits of one block of samples with all their partners are held at once, within this many bytes.
_BLOCK = 32 * 2**20


@dataclass(frozen=True)
class Projection:
    """logits, additive, standard_error float64 [n, K]; squares [K] of all that varies, and of what no sum explains."""

    logits: Tensor
    additive: Tensor
    standard_error: Tensor
    total: Tensor
    beyond: Tensor
    combinations: int


def all_partners(crowd: Crowd, progress: Progress | None) -> Projection:
    """All n^m combinations in one pass: what is held is a sum per sample, modality and class."""
    names, n = crowd.model.modalities, len(crowd)
    m = len(names)
    # Sums of squares are taken of differences to one sample: a large common offset would cost their digits.
    offset = _exact(crowd.output.logits)[0]
    sums = torch.zeros(m, n, len(offset), dtype=torch.float64)
    own, squares = torch.zeros_like(sums[0]), torch.zeros_like(offset)
    for positions, logits in _logits(crowd, [crowd.axis([name]) for name in names], progress):
        y = logits - offset
        for total, at in zip(sums, positions, strict=True):
            total.index_add_(0, at, y)
        same = torch.stack([at == positions[0] for at in positions]).all(dim=0)
        own[positions[0][same]] = y[same]
        squares += y.square().sum(0)
    means, mean = sums / n ** (m - 1), sums[0].sum(0) / n**m
    total = (squares - n**m * mean.square()).clamp_min(0)
    explained = n ** (m - 1) * (means - mean).square().sum(dim=(0, 1))
    return Projection(
        logits=own + offset,
        additive=means.sum(0) - (m - 1) * mean + offset,
        standard_error=torch.zeros_like(own),
        total=total,
        beyond=(total - explained).clamp_min(0),
        combinations=n**m,
    )


def drawn_partners(crowd: Crowd, partners: int, seed: int, progress: Progress | None) -> Projection:
    """Means over partners drawn once for all samples: what an additive model adds to them cancels exactly.

    With two modalities this is the projection for the drawn samples as the dataset. With more, draw s combines the
    samples' modalities in s-th place of one shuffle of the drawn samples per modality.
    """
    draws = _Draws(crowd, partners, seed, progress)
    m, k = len(crowd.model.modalities), crowd.output.logits.shape[1]
    tables = draws.among_themselves()
    rows, columns = tables.mean(dim=2), tables.mean(dim=1)
    mean = rows.mean(dim=(0, 1))
    at_draw = torch.stack([row[place] for row, place in zip(rows, draws.places, strict=True)])
    # What draw s adds to the grand mean, from both sides: the linear part of its error (infinitesimal jackknife).
    common = (m - 1) / m * (columns + at_draw).sum(0)
    additive = torch.zeros(len(crowd), k, dtype=torch.float64)
    variance = torch.zeros_like(additive)
    for numbers, found in draws.blocks(tables):
        per_draw = found.sum(0)
        additive[numbers] = per_draw.mean(dim=1) - (m - 1) * mean
        variance[numbers] = (per_draw - common).var(dim=1) / partners
    # What a sum of modalities predicts where a drawn sample stands in for one modality of draw s.
    predicted = rows[:, :, None] + (at_draw.sum(0) - at_draw)[:, None] - (m - 1) * mean
    return Projection(
        logits=draws.own(),
        additive=additive,
        standard_error=(variance * (1 - partners / len(crowd) ** (m - 1))).sqrt(),
        total=(tables - mean).square().sum(dim=(0, 1, 2)),
        beyond=(tables - predicted).square().sum(dim=(0, 1, 2)),
        combinations=draws.done,
    )


class _Draws:
    """Samples drawn to stand in for the dataset, and the logits of others combined with them."""

    def __init__(self, crowd: Crowd, partners: int, seed: int, progress: Progress | None) -> None:
        random = generator(seed, "emap")
        self.crowd, self.names, self.progress = crowd, crowd.model.modalities, progress
        order = torch.randperm(len(crowd), generator=random)
        self.drawn, self.rest = order[:partners].sort().values, order[partners:].sort().values
        #: For each modality, which of the drawn samples each draw takes it from.
        self.places = [torch.arange(partners) for _ in self.names]
        if len(self.names) > 2:
            self.places[1:] = [torch.randperm(partners, generator=random) for _ in self.names[1:]]
        tables = 1 if len(self.names) == 2 else len(self.names)
        self.done, self.all = 0, partners * (tables * partners + len(self.names) * len(self.rest)) + len(crowd)

    def among_themselves(self) -> Tensor:
        """float64 [m, drawn, draws, K]"""
        if len(self.names) > 2:
            return self._tables(self.drawn)
        table = self._table(0, self.drawn)
        return torch.stack([table, table.transpose(0, 1)])

    def blocks(self, tables: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Numbers of samples and their tables [m, samples, draws, K], the drawn ones (known already) first."""
        yield self.drawn, tables
        size = max(1, _BLOCK // (8 * tables[:, 0].numel()))
        for start in range(0, len(self.rest), size):
            numbers = self.rest[start : start + size]
            yield numbers, self._tables(numbers)

    def own(self) -> Tensor:
        """float64 [n, K]: the samples as they are."""
        return self._grid([self.crowd.axis(self.names)])

    def _tables(self, numbers: Tensor) -> Tensor:
        return torch.stack([self._table(i, numbers) for i in range(len(self.names))])

    def _table(self, i: int, numbers: Tensor) -> Tensor:
        """float64 [len(numbers), draws, K]: modality i from a sample, the others from each draw."""
        others = {name: self.drawn[place] for name, place in zip(self.names, self.places, strict=True)}
        del others[self.names[i]]
        draws = Axis({name: self.crowd.shelves[name] for name in others}, others)
        return self._grid([self.crowd.axis([self.names[i]], numbers), draws])

    def _grid(self, axes: Sequence[Axis]) -> Tensor:
        found = torch.empty(*map(len, axes), self.crowd.output.logits.shape[1], dtype=torch.float64)
        for positions, logits in _logits(self.crowd, axes, None):
            found[tuple(positions)] = logits
            self.done += len(logits)
            if self.progress is not None:
                self.progress(self.done, self.all)
        return found


def _logits(crowd: Crowd, axes: Sequence[Axis], progress: Progress | None) -> Iterator[tuple[list[Tensor], Tensor]]:
    for positions, output in combinations(crowd.fusion, axes, progress):
        logits = _exact(output.logits)
        bad = ~logits.isfinite().all(dim=1)
        if bool(bad.any()):
            row = int(bad.int().argmax())
            numbers = [
                (m, k[at[row]]) for axis, at in zip(axes, positions, strict=True) for m, k in axis.numbers.items()
            ]
            mixed = ", ".join(f"{m!r} of sample {int(k)}" for m, k in numbers)
            raise BadInput(f"the model gives NaN or infinite logits for {mixed}: look at these, or leave them out")
        yield positions, logits


def _exact(t: Tensor) -> Tensor:
    return t.detach().to("cpu", torch.float64)
