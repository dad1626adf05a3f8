"""Saving and loading results without loss: a JSON part and arrays, together in one npz file. Nothing is pickled."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.errors import AnalysisError, BadData, BadInput, UnknownName
from analysis_core.evaluation.alignment import AlignmentExperiment, AlignmentReport
from analysis_core.evaluation.debugging import Debugging
from analysis_core.evaluation.faithfulness import BoxFaithfulness, Faithfulness, PairFaithfulness, Score
from analysis_core.evaluation.sanity import SanityReport
from analysis_core.field_packing import by_fields
from analysis_core.stages.dime import PARTS, Dime
from analysis_core.stages.emap import Emap
from analysis_core.stages.prediction import Curve, SparsePath, Tree
from analysis_core.stages.readouts import ReadoutAgreement
from analysis_core.stages.representation import Extremes, Histograms
from analysis_core.types import Attribution

Arrays = dict[str, NDArray[Any]]
Result = (
    Attribution
    | SparsePath
    | Curve
    | Tree
    | Extremes
    | Histograms
    | AlignmentReport
    | AlignmentExperiment
    | Debugging
    | ReadoutAgreement
    | Emap
    | Dime
)
Judgement = Faithfulness | BoxFaithfulness | PairFaithfulness | Score | SanityReport

#: The array that holds the JSON part inside an npz file.
_JSON = "json"
#: What unpacking raises where a part is missing or of another kind.
_INCOMPLETE = (LookupError, TypeError, ValueError, AttributeError)


def pack(result: Result | Judgement) -> tuple[dict[str, Any], Arrays]:
    """A JSON-ready dict and arrays from which `unpack` makes an equal result."""
    kind = type(result).__name__
    if kind not in _KINDS:
        raise UnknownName("kind of result", kind, _KINDS)
    facts, arrays = _KINDS[kind][0](result)
    return {"kind": kind, **facts}, arrays


def unpack(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The result that was packed. raises: UnknownName (a kind that is not known here), BadInput (a part is missing)"""
    if not isinstance(facts, Mapping) or not isinstance(arrays, Mapping):
        raise BadInput(f"give the facts and the arrays that pack returned, not {facts!r:.80}")
    try:
        return _unpacked(facts, arrays)
    except AnalysisError:
        raise
    except _INCOMPLETE as error:
        raise BadInput(f"not a whole result: {_told(error)}; give the facts and arrays that pack returned") from error


def _unpacked(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    kind = str(facts.get("kind"))
    if kind not in _KINDS:
        raise UnknownName("kind of result", kind, _KINDS)
    return _KINDS[kind][1](facts, arrays)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def dumps(result: Result | Judgement) -> bytes:
    """One npz file; equal results give equal bytes.

    NumPy's numbers among the options come back as Python's, which they equal.
    raises: BadInput (NaN or infinity outside of the arrays: JSON has none), UnknownName (a kind of result)
    """
    facts, arrays = pack(result)
    for key, value in _not_finite(facts):
        raise BadInput(f"{key} is {value}, which JSON cannot hold: put None in its place")
    text = json.dumps(facts, sort_keys=True, allow_nan=False, default=_number).encode()
    stream = io.BytesIO()
    named: dict[str, Any] = {_JSON: np.frombuffer(text, dtype=np.uint8), **dict(sorted(arrays.items()))}
    np.savez(stream, **named)
    return stream.getvalue()


def loads(data: bytes, *, file: object = "result") -> Any:
    """raises: BadData (not a result; `file` is named)"""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        facts = json.loads(arrays.pop(_JSON).tobytes())
    except Exception as error:
        raise BadData(f"not a saved result: {error}", file=file) from error
    try:
        return _unpacked(facts, arrays)
    except AnalysisError:
        raise
    except _INCOMPLETE as error:
        raise BadData(f"not a whole result: {_told(error)}", file=file) from error


def save(result: Result | Judgement, path: str | Path) -> None:
    """Write one npz file. raises: as `dumps`, nothing is written then; BadInput (the path cannot be written to)"""
    data, path = dumps(result), Path(path)
    try:
        path.write_bytes(data)
    except FileNotFoundError as error:
        raise BadInput(f"there is no folder {str(path.parent)!r} to save to: make it first") from error
    except OSError as error:
        raise BadInput(f"{str(path)!r} cannot be written ({error.strerror}): give the path of a file") from error


def load(path: str | Path) -> Any:
    """Read what `save` wrote. raises: BadData"""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise BadData("no such file: give the path that was saved to", file=path) from error
    except OSError as error:
        raise BadData(f"cannot be read: {error.strerror}", file=path) from error
    return loads(data, file=path)


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise BadInput(f"an option of the result is {value!r:.80}, which JSON cannot hold: give a number, a text or a list")


def _not_finite(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Floats that JSON cannot hold, with their keys: ("quality.r2[3]", nan)."""
    if isinstance(value, float | np.floating) and not math.isfinite(value):
        yield key, float(value)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _not_finite(part, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _not_finite(part, f"{key}[{i}]")


def _pack_attribution(a: Attribution) -> tuple[dict[str, Any], Arrays]:
    arrays = {f"values/{m}": t.numpy() for m, t in a.values.items()}
    arrays |= {name: t.numpy() for name in ("pairs", "pixels") if (t := getattr(a, name)) is not None}
    facts = {
        "target": dict(a.target),
        "method": a.method,
        "config": dict(a.config),
        "quality": dict(a.quality),
        "modalities": list(a.values),
    }
    return facts, arrays


def _unpack_attribution(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Attribution:
    return Attribution(
        values={m: _tensor(arrays[f"values/{m}"]) for m in facts["modalities"]},
        target=facts["target"],
        method=facts["method"],
        config=facts["config"],
        quality=facts["quality"],
        pairs=_tensor(arrays["pairs"]) if "pairs" in arrays else None,
        pixels=_tensor(arrays["pixels"]) if "pixels" in arrays else None,
    )


_PER_TARGET = ("knots", "support", "coefficients", "r2")
_SHARED = ("intercepts", "mean", "scale", "selected")


def _pack_path(p: SparsePath) -> tuple[dict[str, Any], Arrays]:
    arrays = {name: getattr(p, name).numpy() for name in _SHARED}
    for name in _PER_TARGET:
        # Thousands of targets: one array and the shapes, not thousands of files in the archive.
        arrays[name] = np.concatenate([t.numpy().ravel() for t in getattr(p, name)] or [np.zeros(0)])
    arrays["shapes"] = np.array([list(t.shape) for t in p.coefficients], dtype=np.int64).reshape(-1, 2)
    if p.knot_intercepts is not None:
        arrays["knot_intercepts"] = p.knot_intercepts.numpy()
    return {"kkt": p.kkt, "config": p.config, "notes": list(p.notes), "quality": p.quality}, arrays


def _unpack_path(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> SparsePath:
    knots, columns = arrays["shapes"].T
    rows = {n: _split(arrays[n], knots) for n in ("knots", "r2")}
    flat = _split(arrays["coefficients"], knots * columns)
    return SparsePath(
        knots=tuple(rows["knots"]),
        support=tuple(_split(arrays["support"].astype(np.int64), columns)),
        coefficients=tuple(t.reshape(m, s) for t, m, s in zip(flat, knots.tolist(), columns.tolist(), strict=True)),
        r2=tuple(rows["r2"]),
        intercepts=_tensor(arrays["intercepts"]),
        mean=_tensor(arrays["mean"]),
        scale=_tensor(arrays["scale"]),
        kkt=facts["kkt"],
        config=facts["config"],
        notes=tuple(facts["notes"]),
        selected=_tensor(arrays["selected"]),
        quality=facts.get("quality", {}),
        knot_intercepts=_tensor(arrays["knot_intercepts"]) if "knot_intercepts" in arrays else None,
    )


_EXTREMES = ("top", "bottom", "top_values", "bottom_values")


def _pack_extremes(e: Extremes) -> tuple[dict[str, Any], Arrays]:
    return {}, {name: getattr(e, name).numpy() for name in _EXTREMES}


def _unpack_extremes(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Extremes:
    return Extremes(**{name: _tensor(arrays[name]) for name in _EXTREMES})


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array))


def _split(array: NDArray[Any], sizes: NDArray[np.int64]) -> list[Tensor]:
    return [_tensor(part) for part in np.split(array, np.cumsum(sizes)[:-1])] if len(sizes) else []


def _pack_dime(d: Dime) -> tuple[dict[str, Any], Arrays]:
    packed = {part: _pack_attribution(getattr(d, part)) for part in PARTS}
    arrays = {f"{part}/{name}": array for part, (_, some) in packed.items() for name, array in some.items()}
    return {part: facts for part, (facts, _) in packed.items()}, arrays


def _unpack_dime(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Dime:
    def part(name: str) -> Attribution:
        own = {key.removeprefix(f"{name}/"): array for key, array in arrays.items() if key.startswith(f"{name}/")}
        return _unpack_attribution(facts[name], own)

    return Dime(**{name: part(name) for name in PARTS})


_BY_FIELDS = (
    *(Emap, ReadoutAgreement, Faithfulness, BoxFaithfulness, PairFaithfulness, Score, SanityReport),
    *(Curve, Tree, Histograms),
)

_KINDS: dict[str, tuple[Callable[[Any], tuple[dict[str, Any], Arrays]], Callable[..., Any]]] = {
    "Attribution": (_pack_attribution, _unpack_attribution),
    "Dime": (_pack_dime, _unpack_dime),
    "SparsePath": (_pack_path, _unpack_path),
    "Extremes": (_pack_extremes, _unpack_extremes),
    "AlignmentReport": (lambda r: (r.as_dict(), {}), lambda facts, arrays: AlignmentReport.from_dict(facts)),
    "AlignmentExperiment": (lambda r: (r.as_dict(), {}), lambda facts, arrays: AlignmentExperiment.from_dict(facts)),
    **{kind.__name__: by_fields(kind) for kind in _BY_FIELDS},
    "Debugging": (lambda r: (r.as_json(), {}), lambda facts, arrays: Debugging.from_json(facts)),
}
