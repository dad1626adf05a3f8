"""Claim: all pairs of n samples' modalities cost n encodings of each and n^2 fusions, not n^2 forward passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from analysis_core import leaves
from analysis_core.models import superpixels
from analysis_core.models.base import MultimodalModel
from analysis_core.stages import crossmodal
from analysis_core.stages.emap import Emap
from analysis_core.stages.towers_crowd import Crowd
from analysis_core.stages.towers_grid import combinations
from benchmarks import dual_encoder, shipped
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved

#: Pairs that the usual way really runs through; its time is multiplied up to all of them.
PAIRS = {"small": 4, "paper": 40}
#: Partners that are drawn for each sample where not all are taken, and the parts of n that show how the cost grows.
DRAWN, PARTS = 5, (1, 4, 16)


def rows(scale: Scale) -> Iterator[Row]:
    """Rows passed through a model, seconds of the whole, and milliseconds per pair once all are encoded."""
    few, many = {"small": (6, 10), "paper": (100, 1000)}[scale]
    yield from _of("dual encoder", dual_encoder.DualEncoder(), dual_encoder.inputs(many), scale)
    yield from _of("cnn_lstm_sa", shipped.scenes_model(), shipped.scenes(few), scale)
    if not shipped.NLVR.is_dir():
        yield Row("nlvr_regions", "s", None, None, "left out: ../shared/data/nlvr is not there")
        return
    yield from _of("nlvr_regions", shipped.sentences_model(), shipped.sentences(few), scale)


def one_forward_per_pair(model: MultimodalModel, samples: Sequence[Mapping[str, Any]]) -> Callable[[int], None]:
    """A function that runs the first pairs, one forward pass each; encoding of samples is not part of it."""
    encoded = [leaves.encode(model, sample) for sample in samples]
    (one, other), n = model.modalities, len(samples)

    def run(pairs: int) -> None:
        for i, j in ((p // n, p % n) for p in range(pairs)):
            x = {one: encoded[i].x[one], other: encoded[j].x[other]}
            with torch.no_grad():
                leaves.forward(model, x, {one: encoded[i].aux[one], other: encoded[j].aux[other]})

    return run


def _of(name: str, model: MultimodalModel, samples: Sequence[Mapping[str, Any]], scale: Scale) -> Iterator[Row]:
    n, pairs, repeats = len(samples), PAIRS[scale], {"small": 1, "paper": 5}[scale]
    forwards, crowd = one_forward_per_pair(model, samples), Crowd(model, samples)
    axes = [crowd.axis([m]) for m in model.modalities]

    def usual() -> None:
        forwards(pairs)

    def fused() -> int:
        return sum(len(output.logits) for _, output in combinations(crowd.fusion, axes))

    encodings = sum(crowd.fusion.encodings.values())
    yield Row(f"{name}, n = {n}", "encodings", 2 * n**2, encodings, "of one modality: all pairs are fused either way")
    slow, fast = interleaved(usual, lambda: crossmodal.emap(model, samples), repeats=min(3, repeats), name=name)
    note = f"usual: {pairs} pairs, multiplied; ours: reading the samples included"
    yield Row(f"{name}, n = {n}", "s", slow * n**2 / pairs, fast, note)
    slow, fast = interleaved(usual, fused, repeats=repeats, name=name)
    note = "a forward pass against a fusion, samples encoded before"
    yield Row(f"{name}, per pair", "ms", 1e3 * slow / pairs, 1e3 * fast / n**2, note)
    yield from _growing(name, model, samples)


def _growing(name: str, model: MultimodalModel, samples: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Seconds at n, a quarter and a sixteenth: all pairs, whose fusions grow with n^2, and drawn partners."""
    for part in PARTS:
        some = samples[: len(samples) // part]
        if len(some) <= DRAWN:
            return
        for partners in (None, DRAWN):
            # All pairs of all n stand above.
            if partners is None and part == 1:
                continue

            def ours(some: Sequence[Mapping[str, Any]] = some, partners: int | None = partners) -> Emap:
                # The last 64 pictures' superpixels are kept: few pictures would be read for nothing.
                superpixels._cut.cache_clear()
                return crossmodal.emap(model, some, partners=partners)

            spent = ours().quality
            taken = alone(ours, repeats=1, name=name)
            which = "all pairs" if partners is None else f"{partners} partners drawn"
            note = f"{sum(spent['encodings'].values()):,} encodings, {spent['forwards']:,} fusions"
            yield Row(f"{name}, n = {len(some)}, {which}", "s", None, taken, note)
