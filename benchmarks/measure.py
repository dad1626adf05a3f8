"""Two ways of doing one thing, timed in turn; and the forwards that a model really does."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch.utils._pytree import tree_leaves
from tqdm import tqdm

Way = Callable[[], object]


@dataclass
class Count:
    """Datapoints that went through a model, or through the fusion of its towers: a batch of 64 counts 64."""

    forwards: int = 0


def interleaved(usual: Way, ours: Way, *, repeats: int, name: str) -> tuple[float, float]:
    """Median wall seconds of both ways, run in turn after one unmeasured run of ours.

    The usual way is not warmed up on its own: it takes many times as long, and both share the warm code below them.
    """
    ours()
    seconds: tuple[list[float], list[float]] = ([], [])
    with progress(name, 2 * repeats) as bar:
        for _ in range(repeats):
            for taken, way in zip(seconds, (usual, ours), strict=True):
                taken.append(timed(way))
                bar.update()
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def alone(ours: Way, *, repeats: int, name: str) -> float:
    """Median wall seconds of one way, after one unmeasured run."""
    ours()
    with progress(name, repeats) as bar:
        taken = []
        for _ in range(repeats):
            taken.append(timed(ours))
            bar.update()
    return statistics.median(taken)


def timed(way: Way) -> float:
    """Wall seconds of one run."""
    start = time.perf_counter()
    way()
    return time.perf_counter() - start


@contextmanager
def forwards_of(kind: type) -> Iterator[Count]:
    """Count the rows that go through every model of a class: its `forward`, and its `fuse` where it has towers."""
    count, inside = Count(), False
    originals = {name: getattr(kind, name) for name in ("forward", "fuse") if callable(getattr(kind, name, None))}

    def counted(original: Any) -> Any:
        def call(self: Any, inputs: Any, aux: Any) -> Any:
            nonlocal inside
            # A forward pass that fuses its own towers is one pass.
            if inside:
                return original(self, inputs, aux)
            inside = True
            try:
                count.forwards += len(tree_leaves(inputs)[0])
                return original(self, inputs, aux)
            finally:
                inside = False

        return call

    for name, original in originals.items():
        setattr(kind, name, counted(original))
    try:
        yield count
    finally:
        for name, original in originals.items():
            setattr(kind, name, original)


def progress(name: str, total: int | None = None) -> tqdm[Any]:
    """A bar on stderr, which vanishes when done; none where stderr is no terminal."""
    return tqdm(desc=name, total=total, file=sys.stderr, leave=False, disable=None)
