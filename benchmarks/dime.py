"""Claim: DIME's means need no copy of the partners' matrix, and its rows no forward pass per partner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages import crossmodal
from analysis_core.targets import PredictedLogit
from benchmarks import dual_encoder, shipped, usual
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved

CLASSES = 50
#: The usual way's forward passes are run this often, and its time multiplied.
FORWARDS = {"small": 4, "paper": 200}
#: Ours is run with these parts of the rows, too.
PARTS = (4, 16)


def rows(scale: Scale) -> Iterator[Row]:
    """Bookkeeping per perturbed row; then a whole explanation with the same rows, partner by partner against ours."""
    yield from _bookkeeping(scale)
    partners, samples = {"small": (5, 8), "paper": (usual.PARTNERS, 200)}[scale]
    n = partners + 1
    yield from _of("dual encoder", dual_encoder.DualEncoder(), dual_encoder.inputs(n), samples, scale)
    yield from _of("cnn_lstm_sa", shipped.scenes_model(), shipped.scenes(n), samples, scale)
    if not shipped.NLVR.is_dir():
        yield Row("nlvr_regions", "s", None, None, "left out: ../shared/data/nlvr is not there")
        return
    yield from _of("nlvr_regions", shipped.sentences_model(), shipped.sentences(n), samples, scale)


def by_copies(grid: Tensor, row: Tensor, column: Tensor, own: Tensor) -> Tensor:
    """The additive part [K] of one perturbed row, its slices put into a copy of the matrix [N + 1, N + 1, K]."""
    copy = grid.clone()
    copy[-1, :-1], copy[:-1, -1], copy[-1, -1] = row, column, own
    return copy[-1].mean(0) + copy[:, -1].mean(0) - copy.mean((0, 1))


def by_sums(base: Tensor, row: Tensor, column: Tensor, own: Tensor, partners: int) -> Tensor:
    """The same [S, K] for all rows at once, from sums of what is new [S, K]; base: the matrix's sum without slices."""
    members = partners + 1
    both = torch.add(row, column).mul_((members - 1) / members**2)
    return both.add_(own, alpha=(2 * members - 1) / members**2).sub_(base / members**2)


def counted(samples: int, partners: int) -> tuple[int, int]:
    """Of `samples` joint rows: forward passes the usual way; rows through a tower of ours, at most, beside fusions."""
    return samples * (2 * partners + 1), 2 * samples


def _bookkeeping(scale: Scale) -> Iterator[Row]:
    n, many = {"small": (10, 10), "paper": (usual.PARTNERS, 200)}[scale]
    random = generator(0, "benchmark of dime")
    grid = torch.randn(n + 1, n + 1, CLASSES, generator=random, dtype=torch.float64)
    fresh_rows, fresh_columns = torch.randn(2, many, n, CLASSES, generator=random, dtype=torch.float64)
    own = torch.randn(many, CLASSES, generator=random, dtype=torch.float64)
    base = grid[:-1, :-1].sum((0, 1))

    def copies() -> list[Tensor]:
        return [by_copies(grid, fresh_rows[s], fresh_columns[s], own[s]) for s in range(many)]

    def sums() -> Tensor:
        return by_sums(base, fresh_rows.sum(1), fresh_columns.sum(1), own, n)

    known = fresh_rows.sum(1), fresh_columns.sum(1)
    repeats = {"small": 2, "paper": 15}[scale]
    what = f"bookkeeping per row, N = {n}, {CLASSES} classes"
    slow, fast = interleaved(copies, lambda: by_sums(base, *known, own, n), repeats=repeats, name="bookkeeping")
    yield Row(what, "ms", 1e3 * slow / many, 1e3 * fast / many, "ours: sums are added up while rows are fused")
    slow, fast = interleaved(copies, sums, repeats=repeats, name="bookkeeping")
    yield Row(f"{what}, sums included", "ms", 1e3 * slow / many, 1e3 * fast / many, "ours: reads every new logit once")


def _of(
    name: str, model: MultimodalModel, inputs: Sequence[Mapping[str, Any]], samples: int, scale: Scale
) -> Iterator[Row]:
    sample, background = inputs[0], inputs[1:]
    behind, partners = crossmodal.Background(model, background), len(background)
    once = alone(lambda: crossmodal.Background(model, background), repeats=1, name=name)
    encoded, few = leaves.encode(model, sample), FORWARDS[scale]

    def forwards() -> None:
        for _ in range(few):
            with torch.no_grad():
                leaves.forward(model, encoded.x, encoded.aux)

    def ours() -> None:
        crossmodal.dime(model, sample, behind, [PredictedLogit()], samples=samples)

    (found,) = crossmodal.dime(model, sample, behind, [PredictedLogit()], samples=samples)
    slow, fast = interleaved(forwards, ours, repeats={"small": 1, "paper": 3}[scale], name=name)
    passes = counted(samples, partners)[0]
    spent = found.full.quality
    encodings = ", ".join(f"{m} {k}" for m, k in spent["encodings"].items())
    note = f"{samples} rows, N = {partners}; {spent['forwards']:,} fusions; encodings: {encodings}"
    yield Row(f"{name}, same rows", "s", slow * passes / few, fast, note)
    note = f"usual: {usual.forwards().DIME:,} passes of unimodal rows; background once, {once:.2g} s of ours"
    if partners == usual.PARTNERS:
        yield Row(f"{name}, as usually counted", "s", slow * usual.forwards().DIME / few, fast, note)
    for part in (samples // p for p in PARTS if samples >= 2 * p):

        def fewer(part: int = part) -> None:
            crossmodal.dime(model, sample, behind, [PredictedLogit()], samples=part)

        taken = alone(fewer, repeats=3, name=name)
        yield Row(f"{name}, {part} rows", "s", None, taken, f"N = {partners}; beside {samples} rows above")
