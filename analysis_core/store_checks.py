"""What goes into a feature store and what its files hold, checked: store.py calls this. No torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis_core.errors import BadData, BadFeatures, BadInput

#: Of the files on disk; another one is refused.
FORMAT = 1


def layer_names(layers: Sequence[str]) -> tuple[str, ...]:
    """Names of further layers as they came. raises: BadInput (no list, or of something else than names)"""
    # A text is a sequence too, of its letters.
    found = () if isinstance(layers, str | bytes) or not isinstance(layers, Iterable) else tuple(layers)
    if layers and (not found or not all(isinstance(name, str) for name in found)):
        raise BadInput(f"layers must be a list of names, such as ['encoder.3'], not {layers!r}")
    return found


def single(name: str, values: ArrayLike) -> NDArray[np.float32]:
    """What is to be written as float32; too large numbers become infinite, which the store refuses.

    raises: BadFeatures (no numbers, rows of unequal lengths, what numpy has no type for)
    """
    try:
        given = np.asarray(values)
        with np.errstate(over="ignore"):
            array = given.astype(np.float32, copy=False) if given.dtype.kind in "fiub" else None
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        told = f"{name} must be a dense array of numbers [c, n], tensors by .float() and .to_dense() ({error})"
        raise BadFeatures(told) from error
    if array is None:
        raise BadFeatures(f"{name} must be numbers, not {given.dtype}")
    return array


def line(facts: Mapping[str, Any], row: int) -> str:
    """One point's facts as a line of points.jsonl. raises: BadInput (no mapping, or to more than texts and numbers)"""
    try:
        return json.dumps(dict(facts), allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise BadInput(f"facts of point {row} must be a mapping to plain texts and numbers: {error}") from error


def mapped(path: Path, rows: int, mode: Literal["r", "r+"]) -> NDArray[np.float32]:
    """A stored array [rows, n], memory-mapped. raises: BadData (damaged, or of another size or type)"""
    try:
        array: NDArray[np.float32] = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadData(f"not a readable array ({error}); delete the folder and run again", file=path) from error
    if array.ndim != 2 or len(array) != rows or array.dtype != np.float32:
        wrong = f"{array.dtype} {list(array.shape)} in place of float32 [{rows}, n]"
        raise BadData(f"{wrong}; delete the folder and run again", file=path)
    return array


def plain(key: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's key as it comes back from JSON. raises: BadInput"""
    try:
        return dict(json.loads(json.dumps(dict(key), sort_keys=True, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise BadInput(f"the key of a feature store must be JSON-like: {error}") from error


def require_key(folder: Path, there: dict[str, Any], wanted: dict[str, Any]) -> None:
    """raises: BadData (the store was made for another key; names what differs)"""
    differing = sorted(k for k in there.keys() | wanted.keys() if there.get(k) != wanted.get(k))
    if differing:
        message = f"this store was made with another {', '.join(differing)}; use another folder or delete it"
        raise BadData(message, file=folder / "meta.json")


def read_meta(folder: Path) -> dict[str, Any]:
    """What meta.json says. raises: BadData (missing, damaged, of another format)"""
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadData("missing: this folder is not a feature store", file=path) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadData("not JSON; delete the folder and run again", file=path) from error
    if not isinstance(meta, dict) or not {"key", "rows", "done", "points_bytes"} <= meta.keys():
        raise BadData("not a feature store's description", file=path)
    counts = [meta["rows"], meta["done"], meta["points_bytes"]]
    if not all(isinstance(n, int) and n >= 0 for n in counts) or meta["done"] > meta["rows"]:
        raise BadData("its counts make no sense; delete the folder and run again", file=path)
    if meta.get("format") != FORMAT:
        raise BadData(f"format {meta.get('format')!r} is not known here; delete the folder and run again", file=path)
    return meta
