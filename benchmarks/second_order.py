"""Claim: mixed second derivatives of all words with the whole picture come from one batched backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.batching import Batches
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.curvature import Curvature
from analysis_core.targets import PredictedLogit
from benchmarks import shipped
from benchmarks.claims import Row, Scale
from benchmarks.measure import alone, interleaved
from benchmarks.random_lxmert import RandomLxmert

Engine = Callable[[Curvature, Tensor], object]

#: Ours is run on these parts of LXMERT's words, too, at one width.
PARTS = (4, 16)
WIDTH = {"small": 64, "paper": 96}


def rows(scale: Scale) -> Iterator[Row]:
    """Milliseconds per item: the products alone, and the whole request with its forward pass and first gradient."""
    repeats = {"small": 2, "paper": 15}[scale]
    for width in {"small": (64,), "paper": (64, 96, 192)}[scale]:
        parts = PARTS if width == WIDTH[scale] else ()
        yield from _of(f"lxmert, width {width}", RandomLxmert(width), {}, repeats, parts)
    yield from _of("cnn_lstm_sa", shipped.scenes_model(), longest(shipped.scenes(40)), repeats)
    if not shipped.NLVR.is_dir():
        yield Row("nlvr_regions", "ms", None, None, "left out: ../shared/data/nlvr is not there")
        return
    yield from _of("nlvr_regions", shipped.sentences_model(), longest(shipped.sentences(40)), repeats)


def longest(samples: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The sample with the longest text: the hardest live request."""
    return max(samples, key=lambda sample: len(sample["text"].split()))


def directions(curvature: Curvature) -> Tensor:
    """One direction per word, its own unit gradient: [words, *x.shape[1:]]."""
    atoms, x = curvature.encoded.atoms[curvature.source], curvature.encoded.x[curvature.source]
    groups = leaves.leaf_groups(atoms, x)
    own = leaves.over_input(atoms.kind, groups == torch.arange(len(atoms), device=x.device)[:, None], x)
    g = own * curvature.gradient(curvature.source)
    norms: Tensor = g.flatten(1).norm(dim=1).clamp_min(torch.finfo(g.dtype).tiny)
    unit: Tensor = g / norms.reshape(-1, *([1] * (g.dim() - 1)))
    return unit


def per_word(curvature: Curvature, wanted: Tensor) -> Tensor:
    """One double backward per word."""
    curvature.engine = "double_backward_loop"
    return curvature.products(wanted)


def at_once(curvature: Curvature, wanted: Tensor) -> Tensor:
    """All words in one batched double backward; raises RuntimeError where it fell back to another engine."""
    curvature.engine = "double_backward"
    found = curvature.products(wanted)
    if curvature.engine != "double_backward":
        raise RuntimeError(f"the batched way was not taken: {curvature.reason}")
    return found


def _of(
    name: str, model: MultimodalModel, sample: Mapping[str, Any], repeats: int, parts: Sequence[int] = ()
) -> Iterator[Row]:
    atoms = leaves.encode(model, sample).atoms
    (source,) = (m for m, a in atoms.items() if a.kind == "word")
    (to,) = (m for m in atoms if m != source)

    def begun() -> Curvature:
        return Curvature(model, leaves.encode(model, sample), PredictedLogit(), source=source, to=to)

    def request(engine: Engine) -> object:
        curvature = begun()
        return engine(curvature, directions(curvature))

    ready = begun()
    wanted = directions(ready)
    note = f"{len(wanted)} words, {min(len(wanted), ready.batches.size)} at once; {len(atoms[to])} {atoms[to].kind}s"
    usual, ours = interleaved(
        lambda: per_word(ready, wanted), lambda: at_once(ready, wanted), repeats=repeats, name=name
    )
    yield Row(f"{name}, products", "ms", 1e3 * usual, 1e3 * ours, note)
    if ready.batches.size < len(wanted):
        ready.batches = Batches(len(wanted))
        usual, ours = interleaved(
            lambda: per_word(ready, wanted), lambda: at_once(ready, wanted), repeats=repeats, name=name
        )
        note = "more memory than the engine allows itself"
        yield Row(f"{name}, products, one batch", "ms", 1e3 * usual, 1e3 * ours, note)
    usual, ours = interleaved(lambda: request(per_word), lambda: request(at_once), repeats=repeats, name=name)
    yield Row(f"{name}, whole request", "ms", 1e3 * usual, 1e3 * ours, "with encoding, forward and first gradient")
    for part in (len(wanted) // p for p in parts):
        taken = alone(partial(at_once, ready, wanted[:part]), repeats=repeats, name=name)
        note = "of the words above; what every call does once is in all of them"
        yield Row(f"{name}, products, {part} word{'s' * (part > 1)}", "ms", None, 1e3 * taken, note)
