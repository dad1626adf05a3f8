"""All combinations of encoded modalities, fused in batches. EMAP and DIME are sums over such grids."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis_core.batching import Batches
from analysis_core.stages.towers import Fusion, Part
from analysis_core.stages.towers_shelf import Shelf
from analysis_core.types import Output

#: Rows from which on a batch of its own costs less than copying encodings into a larger one (measured on cnn_lstm_sa).
WORTH_A_BATCH = 16

#: Called with the combinations done and those to do.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Axis:
    """Modalities that vary together: a shelf for each and the numbers to take from it, int64 [n], in step."""

    shelves: Mapping[str, Shelf]
    numbers: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))

    def take(self, positions: Tensor) -> dict[str, Part]:
        return {m: shelf.take(self.numbers[m][positions]) for m, shelf in self.shelves.items()}


def combinations(
    fusion: Fusion, axes: Sequence[Axis], progress: Progress | None = None
) -> Iterator[tuple[list[Tensor], Output]]:
    """Fuse every combination of the axes' positions, in batches: (positions int64 [B] on each axis, Output [B, ...]).

    Each axis is held in blocks as long as a batch. A block of small encodings meets one combination of the others at a
    time: it is used as it lies and they are expanded, so that no encoding is copied.
    """
    order = _order(fusion, axes)
    total, done = math.prod(len(axis) for axis in axes), 0
    for held in _blocks(fusion, [axes[i] for i in order]):
        for found, output in _among(fusion, held):
            done += len(found[0])
            yield [found[order.index(i)] for i in range(len(axes))], output
            if progress is not None:
                progress(done, total)


_Held = tuple[Tensor, dict[str, Part]]


def _order(fusion: Fusion, axes: Sequence[Axis]) -> list[int]:
    """The axes from the outermost to the innermost: last the smallest encodings that fill a batch."""
    size = [sum(fusion.row_bytes[m] for m in axis.shelves) for axis in axes]
    inner = min(range(len(axes)), key=lambda i: (len(axes[i]) < WORTH_A_BATCH, size[i]))
    return [*(i for i in range(len(axes)) if i != inner), inner]


def _blocks(fusion: Fusion, axes: Sequence[Axis]) -> Iterator[list[_Held]]:
    if not axes:
        yield []
        return
    for positions in torch.arange(len(axes[0])).split(fusion.fuse_batches.size):
        held = axes[0].take(positions)
        for others in _blocks(fusion, axes[1:]):
            yield [(positions, held), *others]


def _among(fusion: Fusion, held: Sequence[_Held]) -> Iterator[tuple[list[Tensor], Output]]:
    """Every combination of the rows that are held."""
    lengths = [len(positions) for positions, _ in held]

    def fused(start: int, stop: int) -> tuple[list[Tensor], Output]:
        rest = torch.arange(start, stop)
        found: list[Tensor] = []
        parts: dict[str, Part] = {}
        for (positions, several), length in zip(reversed(held), reversed(lengths), strict=True):
            at, rest = rest % length, rest // length
            found.insert(0, positions[at])
            parts |= {m: _rows(part, at) for m, part in several.items()}
        return found, fusion.fuse(parts)

    size = fusion.fuse_batches.size
    together = 1 if lengths[-1] >= WORTH_A_BATCH else max(1, size // lengths[-1])
    batches = Batches(min(size, together * lengths[-1]))
    yield from batches.run(math.prod(lengths), fused)
    if batches.halvings:
        fusion.fuse_batches.size = min(size, batches.size)
        fusion.fuse_batches.halvings += batches.halvings


def _rows(part: Part, at: Tensor) -> Part:
    """Rows of a part: without a copy where they are one row repeated, or consecutive."""
    first, last = int(at[0]), int(at[-1])
    if first == last and bool((at == first).all()):
        return part.span(first, first + 1).over(len(at))
    return part.span(first, last + 1) if last - first + 1 == len(at) else part.at(at)
