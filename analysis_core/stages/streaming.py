"""One pass over features (and targets) for all that is wanted of them: moments, extremes, histograms. Resumable.

prediction.py and representation.py call `read`; callers that need several things at once call it themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis_core.chunks import paired_chunks, rows_of
from analysis_core.errors import BadData, BadInput, UnknownName
from analysis_core.stages.extremes import Extremes, ExtremesSoFar
from analysis_core.stages.gram import Moments, Sums, moments_of
from analysis_core.stages.histograms import Histograms, HistogramsSoFar
from analysis_core.store import FeatureStore

#: Seconds of work that an interruption may cost; a state of 768 features and 3,129 classes is 24 MB.
SAVE_EVERY = 10.0
#: What reading a file raises that is no state, or a torn one.
_NO_STATE = (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile)
_OTHER = "delete the file or name another one"


@dataclass(frozen=True)
class Reading:
    """What one pass found; None where it was not asked for."""

    rows: int
    moments: Moments | None
    extremes: Extremes | None
    histograms: Histograms | None


class Accumulator(Protocol):
    """Takes chunks in order; its state is arrays, from which another one with the same options goes on."""

    @property
    def options(self) -> Mapping[str, Any]: ...
    def add(self, start: int, x: NDArray[Any], y: NDArray[Any] | None) -> None: ...
    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...


def read(
    features: Any,
    targets: Any = None,
    *,
    moments: bool = True,
    extremes: int = 0,
    histograms: int = 0,
    exclude: Iterable[int] = (),
    pool: int | None = None,
    resume: str | Path | None = None,
    precision: str = "float64",
) -> Reading:
    """Read everything once.

    features:   [n, d] tensor, array or memmap, a FeatureStore, or an iterable of (features, targets) chunks
    targets:    [n, K] real, or class ids [n]; None where `features` brings them, or where no moments are wanted
    moments:    what `prediction.sparse_path` needs (it takes the result in place of features)
    extremes:   the k of top and bottom k datapoints per feature; 0 = none. `exclude`: dataset indices left out;
                `pool`: only the first rows are considered
    histograms: bins per feature; 0 = none
    resume:     a file that keeps the state while the pass runs. Interrupted, the same call goes on from there; it is
                deleted at the end. An iterable must bring the same chunks again
    precision:  of the products of features within a chunk, which take most of the time: "float64", or "float32", which
                takes two thirds of the pass's time for correlations that are off by 1e-7 or less and copies told apart
                to 1e-6 only; the moments say how far (`gram_error`), a path's `kkt` is a bound then (docs/adr/0011)
    raises:     BadFeatures (shapes, NaN or infinite; names row and column), BadInput (fewer than k datapoints; k, bins,
                pool are no whole numbers; `exclude` names a row that is not there; `resume` is no file in a folder that
                exists), UnknownName (precision), BadData (`resume` is the state of another pass, of other data, or
                something else)
    """
    sums = Sums(precision) if moments else None
    ends = ExtremesSoFar(extremes, exclude=exclude, pool=pool) if extremes else None
    counts = HistogramsSoFar(histograms) if histograms else None
    named = {"moments": sums, "extremes": ends, "histograms": counts}
    if ends:
        ends.require_excluded(rows_of(features))
    rows = stream(features, targets, {n: a for n, a in named.items() if a is not None}, resume=resume)
    if ends:
        ends.require_excluded(rows)
    return Reading(
        rows=rows,
        moments=moments_of(sums) if sums else None,
        extremes=ends.found() if ends else None,
        histograms=counts.found() if counts else None,
    )


def stream(
    features: Any,
    targets: Any,
    accumulators: Mapping[str, Accumulator],
    *,
    until: int | None = None,
    resume: str | Path | None = None,
) -> int:
    """Give every chunk to every accumulator; returns the rows read.

    until:  the row from which on nothing is needed
    resume: as for `read`
    raises: BadFeatures, BadData, BadInput (`resume`)
    """
    state = _State(None if resume is None else _file(resume), accumulators)
    row = state.begin
    for x, y in paired_chunks(features, targets, start=row):
        if row == state.begin and state.done:
            state.require_same(x, y)
        else:
            for accumulator in accumulators.values():
                accumulator.add(row, x, y)
            state.save_now_and_then(row, x, y)
        row += len(x)
        if until is not None and row >= until:
            break
    if row < state.done:
        raise BadData("the interrupted pass had come farther than these data reach; delete the file", file=state.path)
    state.forget()
    return row


def extremes_of(features: Any, ends: ExtremesSoFar, *, resume: str | Path | None = None) -> None:
    """Fill `ends`, up to its pool.

    raises: as `stream`; BadInput (an index left out that does not exist, before the pass where that is known)
    """
    known = rows_of(features)
    ends.require_excluded(known)
    rows = stream(features, None, {"extremes": ends}, until=ends.pool, resume=resume)
    if ends.pool is None or rows < ends.pool:
        # All there are were read: a whole pass.
        ends.require_excluded(rows)


def layer_of(store: Any, layer: str) -> Any:
    """What to stream for a layer: of a FeatureStore its array, else `store` itself, which is the penultimate.

    raises: UnknownName (a layer that is not there)
    """
    if isinstance(store, FeatureStore):
        return store.layer(layer)
    if layer != "penultimate":
        raise UnknownName("layer", layer, ("penultimate",))
    return store


class _State:
    """The file that an interrupted pass goes on from: all accumulators after a chunk, and what that chunk was."""

    def __init__(self, path: Path | None, accumulators: Mapping[str, Accumulator]) -> None:
        self.path, self.accumulators = path, accumulators
        self.options = {name: dict(accumulator.options) for name, accumulator in accumulators.items()}
        self.begin = self.done = 0
        self.digest = ""
        self.saved = time.monotonic()
        if path is not None and path.is_file():
            self._restore(path)

    def require_same(self, x: NDArray[Any], y: NDArray[Any] | None) -> None:
        """raises: BadData (the chunk that was read last is another one now)"""
        if self.begin + len(x) != self.done or _digest(x, y) != self.digest:
            raise BadData("the interrupted pass read other data or chunks; delete the file", file=str(self.path))

    def save_now_and_then(self, row: int, x: NDArray[Any], y: NDArray[Any] | None) -> None:
        """After the chunk that begins at `row`, where it is time."""
        if self.path is None or time.monotonic() - self.saved < SAVE_EVERY:
            return
        facts = {"options": self.options, "begin": row, "done": row + len(x), "digest": _digest(x, y)}
        arrays = {f"{n}/{f}": v for n, a in self.accumulators.items() for f, v in a.state().items()}
        temporary = self.path.with_name(self.path.name + ".part")
        with temporary.open("wb") as file:
            np.savez(file, json=np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)
        self.saved = time.monotonic()

    def forget(self) -> None:
        """The pass is complete."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _restore(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            facts = json.loads(arrays.pop("json").tobytes())
            options, self.begin, self.done, self.digest = (facts[n] for n in ("options", "begin", "done", "digest"))
            options = dict(options)
        except _NO_STATE as error:
            raise BadData(f"not the state of an interrupted pass ({error}); {_OTHER}", file=path) from error
        differing = sorted(k for k in options.keys() | self.options.keys() if options.get(k) != self.options.get(k))
        if differing:
            raise BadData(f"the interrupted pass was for another {', '.join(differing)}; delete the file", file=path)
        for name, accumulator in self.accumulators.items():
            parts = {key.removeprefix(f"{name}/"): value for key, value in arrays.items() if key.startswith(f"{name}/")}
            try:
                accumulator.restore(parts)
            except _NO_STATE as error:
                raise BadData(f"not the whole state of a pass ({error} is missing); {_OTHER}", file=path) from error


def _file(resume: str | Path) -> Path:
    """raises: BadInput (a folder, something that is no file, or in a folder that is not there)"""
    if not isinstance(resume, str | os.PathLike):
        raise BadInput(f"resume must be the path of a file, not {resume!r}")
    path = Path(resume)
    if not path.parent.is_dir():
        raise BadInput(f"resume must be a file in a folder that exists; make the folder {path.parent} first")
    if path.exists() and not path.is_file():
        raise BadInput(f"resume must be a file that keeps the state of the pass, and {path} is none; name another one")
    return path


def _digest(x: NDArray[Any], y: NDArray[Any] | None) -> str:
    found = hashlib.sha256(np.ascontiguousarray(x).data)
    if y is not None:
        found.update(np.ascontiguousarray(y).data)
    return found.hexdigest()
