"""The feature store: features and logits of a split on disk, written in chunks, resumable after a crash. No torch.

A folder with features.npy [n, d] and logits.npy [n, K] (float32, memory-mapped), layer-<name>.npy [n, d_l] of each
further layer, points.jsonl (one object of small facts per point) and meta.json (the caller's key, rows in all, rows
done, names of further layers). meta.json is replaced last after each chunk: what lies beyond its count is a torn chunk
and is written again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName

_FORMAT = 1
#: A layer's name is part of a file's.
_LAYER = re.compile(r"[\w.-]+")


class FeatureStore:
    """One split's features and logits, in dataset order. Open for reading, or through `FeatureStore.write`."""

    def __init__(self, folder: Path, meta: dict[str, Any]) -> None:
        self.folder, self._meta = folder, meta

    @classmethod
    def open(cls, folder: str | Path, *, key: Mapping[str, Any] | None = None) -> FeatureStore:
        """Open a store, whole or in the making; only chunks written completely are seen.

        raises: BadData (no store, damaged, or made for another key; says what differs)
        """
        folder = Path(folder)
        meta = _read_meta(folder)
        if key is not None:
            _require_key(folder, meta["key"], _plain(key))
        for name in ("features", "logits", *map(_layer_file, meta.get("layers", ()))):
            if meta["done"] and not (folder / f"{name}.npy").is_file():
                raise BadData("the file is missing; delete the folder and run again", file=folder / f"{name}.npy")
        return cls(folder, meta)

    @classmethod
    def write(cls, folder: str | Path, *, key: Mapping[str, Any], rows: int, layers: Sequence[str] = ()) -> Writer:
        """Create a store for `rows` points, or go on with one of the same key. Use as a context manager.

        key:    everything that determines the content (hashes of data, checkpoint, code), small and JSON-like
        layers: names of further layers that are stored beside the penultimate features
        raises: BadData (another key, number of rows or layers), BadInput (another process is writing)
        """
        return Writer(Path(folder), _plain(key), rows, tuple(layers))

    @property
    def key(self) -> dict[str, Any]:
        return dict(self._meta["key"])

    @property
    def rows(self) -> int:
        """Points the store will have when complete."""
        return int(self._meta["rows"])

    def __len__(self) -> int:
        """Points that are there now."""
        return int(self._meta["done"])

    @property
    def complete(self) -> bool:
        return len(self) == self.rows

    @property
    def features(self) -> NDArray[np.float32]:
        """[len(self), d], memory-mapped, read-only."""
        return self._array("features")

    @property
    def logits(self) -> NDArray[np.float32]:
        """[len(self), K], memory-mapped, read-only."""
        return self._array("logits")

    @property
    def layers(self) -> tuple[str, ...]:
        """The named layers that are stored: the penultimate first."""
        return ("penultimate", *self._meta.get("layers", ()))

    def layer(self, name: str) -> NDArray[np.float32]:
        """[len(self), d_l] of a named layer, memory-mapped, read-only. raises: UnknownName (not stored)"""
        if name not in self.layers:
            raise UnknownName("stored layer", name, self.layers)
        return self._array("features" if name == "penultimate" else _layer_file(name))

    def chunks(self, size: int = 4096) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Consecutive (features, logits) of at most `size` points."""
        features, logits = self.features, self.logits
        for start in range(0, len(self), size):
            yield np.asarray(features[start : start + size]), np.asarray(logits[start : start + size])

    def points(self) -> Iterator[dict[str, Any]]:
        """The facts of each point, in dataset order."""
        path = self.folder / "points.jsonl"
        with path.open(encoding="utf-8") as file:
            for row, line in zip(range(len(self)), file, strict=False):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise BadData(f"not JSON: {error.msg}", file=path, row=row + 1) from error

    def _array(self, name: str) -> NDArray[np.float32]:
        path = self.folder / f"{name}.npy"
        if not len(self):
            return np.zeros((0, 0), dtype=np.float32)
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise BadData(f"not a readable array: {error}", file=path) from error
        return array[: len(self)]


class Writer:
    """Appends chunks to a store; holds its lock until closed. Killed at any moment, the next writer goes on."""

    def __init__(self, folder: Path, key: dict[str, Any], rows: int, layers: tuple[str, ...]) -> None:
        self.folder, self._rows, self._layers = folder, rows, layers
        if bad := [n for n in layers if not _LAYER.fullmatch(n) or n == "penultimate" or layers.count(n) > 1]:
            raise BadInput(f"{', '.join(bad)}: name further layers once each, in letters, digits, '_', '-' and '.'")
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(folder)
        try:
            if not (folder / "meta.json").is_file():
                # Without further layers a store is what it was before there were any.
                more = {"layers": list(layers)} if layers else {}
                _write_meta(folder, {"format": _FORMAT, "key": key, "rows": rows, "done": 0, "points_bytes": 0, **more})
            self._meta = _read_meta(folder)
            _require_key(folder, self._meta["key"], key)
            if self._meta["rows"] != rows:
                message = f"this store was begun for {self._meta['rows']} points, not for {rows}"
                raise BadData(message, file=folder / "meta.json")
            if (there := tuple(self._meta.get("layers", ()))) != layers:
                named = ", ".join(there) or "no further layers"
                message = f"this store was begun with {named}; use another folder or delete it"
                raise BadData(message, file=folder / "meta.json", field="layers")
            self._points = self._open_points()
        except BaseException:
            self._lock.close()
            raise
        self._arrays: dict[str, NDArray[np.float32]] = {}

    @property
    def done(self) -> int:
        """Points written completely; the next chunk begins here."""
        return int(self._meta["done"])

    def append(
        self,
        features: ArrayLike,
        logits: ArrayLike,
        points: Sequence[Mapping[str, Any]],
        layers: Mapping[str, ArrayLike] | None = None,
    ) -> None:
        """Write the next points' features [c, d], logits [c, K], further layers [c, d_l] and facts; durable on return.

        raises: BadFeatures (wrong shape, NaN or infinite; names the point), UnknownName (a layer is missing)
        """
        start, count = self.done, len(points)
        if start + count > self._rows:
            raise BadInput(f"{start + count} points for a store of {self._rows}")
        named = {"features": features, "logits": logits}
        for layer in self._layers:
            if layer not in (layers or {}):
                raise UnknownName("layer", layer, layers or ())
            named[_layer_file(layer)] = (layers or {})[layer]
        arrays = {name: np.asarray(values, dtype=np.float32) for name, values in named.items()}
        for name, array in arrays.items():
            self._require_sound(name, array, points)
        for name, array in arrays.items():
            target = self._array(name, array.shape[1])
            target[start : start + count] = array
            target.flush()  # type: ignore[attr-defined]
        self._points.write("".join(json.dumps(dict(p), allow_nan=False) + "\n" for p in points).encode())
        self._points.flush()
        os.fsync(self._points.fileno())
        self._meta = {**self._meta, "done": start + count, "points_bytes": self._points.tell()}
        _write_meta(self.folder, self._meta)

    def close(self) -> None:
        self._arrays.clear()
        self._points.close()
        self._lock.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open_points(self) -> IO[bytes]:
        path = self.folder / "points.jsonl"
        path.touch()
        file = path.open("r+b")
        file.truncate(self._meta["points_bytes"])
        file.seek(0, os.SEEK_END)
        if file.tell() != self._meta["points_bytes"]:
            file.close()
            raise BadData("shorter than meta.json says; delete the folder and run again", file=path)
        return file

    def _array(self, name: str, width: int) -> NDArray[np.float32]:
        path, shape = self.folder / f"{name}.npy", (self._rows, width)
        if name not in self._arrays:
            if self.done == 0:
                self._arrays[name] = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
            else:
                self._arrays[name] = np.load(path, mmap_mode="r+", allow_pickle=False)
        if self._arrays[name].shape != shape:
            raise BadFeatures(f"{name} are {width} wide, those before were {self._arrays[name].shape[1]} wide")
        return self._arrays[name]

    def _require_sound(self, name: str, array: NDArray[np.float32], points: Sequence[Mapping[str, Any]]) -> None:
        if array.ndim != 2 or len(array) != len(points):
            raise BadFeatures(f"{name} of {len(points)} points must be [{len(points)}, n], not {array.shape}")
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            i, column = bad[0].tolist()
            point = points[i].get("id", self.done + i)
            raise BadFeatures(f"{name} of point {point!r} are NaN or infinite (column {column})")


def _layer_file(layer: str) -> str:
    return f"layer-{layer}"


def _plain(key: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return dict(json.loads(json.dumps(dict(key), sort_keys=True, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise BadInput(f"the key of a feature store must be JSON-like: {error}") from error


def _require_key(folder: Path, there: dict[str, Any], wanted: dict[str, Any]) -> None:
    differing = sorted(k for k in there.keys() | wanted.keys() if there.get(k) != wanted.get(k))
    if differing:
        message = f"this store was made with another {', '.join(differing)}; use another folder or delete it"
        raise BadData(message, file=folder / "meta.json")


def _read_meta(folder: Path) -> dict[str, Any]:
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadData("missing: this folder is not a feature store", file=path) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadData("not JSON; delete the folder and run again", file=path) from error
    if not isinstance(meta, dict) or not {"key", "rows", "done", "points_bytes"} <= meta.keys():
        raise BadData("not a feature store's description", file=path)
    if meta.get("format") != _FORMAT:
        raise BadData(f"format {meta.get('format')!r} is not known here; delete the folder and run again", file=path)
    return meta


def _write_meta(folder: Path, meta: dict[str, Any]) -> None:
    temporary = folder / "meta.json.part"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(meta, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / "meta.json")


def _lock(folder: Path) -> IO[bytes]:
    # The kernel releases the lock when its holder dies, also at kill -9.
    file = (folder / "lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise BadInput(f"{folder}: another process is writing this feature store") from error
    return file
