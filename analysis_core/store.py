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

from analysis_core import store_checks
from analysis_core.arguments import count
from analysis_core.errors import BadData, BadFeatures, BadInput, UnknownName

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
        meta = store_checks.read_meta(folder)
        if key is not None:
            store_checks.require_key(folder, meta["key"], store_checks.plain(key))
        for name in ("features", "logits", *map(_layer_file, meta.get("layers", ()))):
            if meta["done"] and not (folder / f"{name}.npy").is_file():
                raise BadData("the file is missing; delete the folder and run again", file=folder / f"{name}.npy")
        return cls(folder, meta)

    @classmethod
    def write(cls, folder: str | Path, *, key: Mapping[str, Any], rows: int, layers: Sequence[str] = ()) -> Writer:
        """Create a store for `rows` points, or go on with one of the same key. Use as a context manager.

        key:    everything that determines the content (hashes of data, checkpoint, code), small and JSON-like
        layers: names of further layers that are stored beside the penultimate features
        raises: BadData (another key, number of rows or layers), BadInput (key, rows or layers; another process writes)
        """
        names = store_checks.layer_names(layers)
        return Writer(Path(folder), store_checks.plain(key), count("rows", rows, least=0), names)

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
        """Consecutive (features, logits) of at most `size` points. raises: BadInput (size)"""
        size = count("size", size)
        features, logits = self.features, self.logits
        for start in range(0, len(self), size):
            yield np.asarray(features[start : start + size]), np.asarray(logits[start : start + size])

    def points(self) -> Iterator[dict[str, Any]]:
        """The facts of each point, in dataset order. raises: BadData (lines are missing or not JSON)"""
        path = self.folder / "points.jsonl"
        if not path.is_file():
            raise BadData("the file is missing; delete the folder and run again", file=path)
        with path.open(encoding="utf-8") as file:
            for row in range(len(self)):
                if not (line := file.readline()):
                    raise BadData(f"{row} lines for {len(self)} points; delete the folder and run again", file=path)
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise BadData(f"not JSON: {error.msg}", file=path, row=row + 1) from error

    def _array(self, name: str) -> NDArray[np.float32]:
        path = self.folder / f"{name}.npy"
        if not len(self):
            return np.zeros((0, 0), dtype=np.float32)
        return store_checks.mapped(path, self.rows, "r")[: len(self)]


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
                begun = {"format": store_checks.FORMAT, "key": key, "rows": rows, "done": 0, "points_bytes": 0}
                _write_meta(folder, {**begun, **more})
            self._meta = store_checks.read_meta(folder)
            store_checks.require_key(folder, self._meta["key"], key)
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

        raises: BadFeatures (no numbers, wrong shape, NaN or infinite as float32; names the point), UnknownName (a layer
                is missing), BadInput (too many points; facts that are not JSON-like)
        """
        start, stop = self.done, self.done + len(points)
        if stop > self._rows:
            raise BadInput(f"{stop} points for a store of {self._rows}")
        lines = "".join(store_checks.line(p, start + i) for i, p in enumerate(points))
        named = {"features": features, "logits": logits}
        for layer in self._layers:
            if layer not in (layers or {}):
                raise UnknownName("layer", layer, layers or ())
            named[_layer_file(layer)] = (layers or {})[layer]
        arrays = {name: store_checks.single(name, values) for name, values in named.items()}
        for name, array in arrays.items():
            self._require_sound(name, array, points)
        for name, array in arrays.items():
            target = self._array(name, array.shape[1])
            target[start:stop] = array
            target.flush()  # type: ignore[attr-defined]
        self._points.write(lines.encode())
        self._points.flush()
        os.fsync(self._points.fileno())
        self._meta = {**self._meta, "done": stop, "points_bytes": self._points.tell()}
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
        # Truncating a file that is too short would fill it up with zeros.
        if path.stat().st_size < self._meta["points_bytes"]:
            raise BadData("shorter than meta.json says; delete the folder and run again", file=path)
        file = path.open("r+b")
        file.truncate(self._meta["points_bytes"])
        file.seek(0, os.SEEK_END)
        return file

    def _array(self, name: str, width: int) -> NDArray[np.float32]:
        path, shape = self.folder / f"{name}.npy", (self._rows, width)
        if name not in self._arrays:
            if self.done == 0:
                self._arrays[name] = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
            else:
                self._arrays[name] = store_checks.mapped(path, self._rows, "r+")
        if self._arrays[name].shape != shape:
            raise BadFeatures(f"{name} are {width} wide, those before were {self._arrays[name].shape[1]} wide")
        return self._arrays[name]

    def _require_sound(self, name: str, array: NDArray[np.float32], points: Sequence[Mapping[str, Any]]) -> None:
        if array.ndim != 2 or len(array) != len(points) or not array.shape[1]:
            raise BadFeatures(f"{name} of {len(points)} points must be [{len(points)}, n], n > 0, not {array.shape}")
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            i, column = bad[0].tolist()
            point = points[i].get("id", self.done + i)
            raise BadFeatures(f"{name} of point {point!r} are NaN or infinite as float32 (column {column})")


def _layer_file(layer: str) -> str:
    return f"layer-{layer}"


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
