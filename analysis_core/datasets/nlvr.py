"""NLVR (Suhr et al. 2017): crowd-written sentences about three boxes of objects, as JSON lines and PNG pictures.

A split is a folder `<split>/<split>.json` with `<split>/images/`; "test+hidden" joins splits and "dev@3" shows the
boxes in the order of permutation 3 (0 to 5; only rows whose picture is there).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis_core.errors import BadData
from analysis_core.visualizations import picture

#: Image k shows the boxes in this order; measured on 300 x 6 pictures of dev.
PERMUTATIONS = tuple(itertools.permutations(range(3)))
#: Left edge of the displayed boxes, each 100 x 100 pixels, in the 400 x 100 picture.
BOX_OFFSETS = (0, 150, 300)
COLOURS = {"yellow": "yellow", "#0099ff": "blue", "black": "black"}
SHAPES = ("square", "triangle", "circle")
PICTURE_SIZE = (400, 100)
#: Names that become parts of a picture's path.
_NAME = re.compile(r"\w+(-\w+)*")


@dataclass(frozen=True)
class _Part:
    """One split with one permutation: where its rows and pictures lie. `folders`: picture name -> its sub-folder."""

    name: str
    split: str
    permutation: int
    file: Path
    folders: Mapping[str, str]

    def picture_name(self, row: Mapping[str, Any]) -> str:
        return f"{self.split}-{row['identifier']}-{self.permutation}.png"

    def picture(self, row: Mapping[str, Any]) -> Path:
        name = self.picture_name(row)
        folder = self.folders.get(name, str(row.get("directory", "")))
        return self.file.parent / "images" / folder / name


class Nlvr:
    """One or more splits; every line is checked when it is opened, then only its byte offset is kept."""

    labels: tuple[str, ...] = ("false", "true")
    label_types: Mapping[str, str] = {"false": "boolean", "true": "boolean"}

    def __init__(self, root: str | Path, split: str) -> None:
        """root: the folder that holds dev/, test/, hidden/. raises: BadData (folder, split, line, field)"""
        self._parts = [_open_part(Path(root), name.strip()) for name in split.split("+")]
        index = [(p, offset, line) for p, part in enumerate(self._parts) for offset, line in _offsets(part)]
        self._index: NDArray[np.int64] = np.array(index, dtype=np.int64).reshape(-1, 3)
        if len({part.name for part in self._parts}) < len(self._parts):
            raise BadData(f"split {split!r} names the same part twice", file=root)

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, i: int) -> Mapping[str, Any]:
        """Sample i with its picture opened: see `row`, and "image" (Pillow RGB). raises: BadData, IndexError"""
        part, line, row = self._read(i)
        sample = _sample(part, row)
        return {**sample, "image": _open_picture(part.picture(row), part.file, line)}

    def row(self, i: int) -> Mapping[str, Any]:
        """Sample i without opening its picture.

        returns: id, text, label, answer_type, permutation, image_path, regions (dicts: box as displayed, colour,
                 shape, size, x, y in pixels of the 100 x 100 box), boxes float64 [n, 4] x0 y0 x1 y1 in image pixels,
                 and evals (rater -> true, false or nonsense) where the file has them
        """
        part, _, row = self._read(i)
        return _sample(part, row)

    def _read(self, i: int) -> tuple[_Part, int, dict[str, Any]]:
        if not -len(self) <= i < len(self):
            raise IndexError(f"sample {i} of {len(self)}")
        p, offset, line = (int(v) for v in self._index[i])
        with self._parts[p].file.open("rb") as file:
            file.seek(offset)
            return self._parts[p], line, _parse(file.readline(), self._parts[p].file, line)


def _open_part(root: Path, name: str) -> _Part:
    split, _, suffix = name.partition("@")
    if not root.is_dir():
        raise BadData("the dataset folder is missing", file=root)
    known = sorted(path.name for path in root.iterdir() if (path / f"{path.name}.json").is_file())
    if split not in known:
        raise BadData(f"split {split!r} is not there; splits found: {', '.join(known) or 'none'}", file=root)
    if suffix not in ("", "0", "1", "2", "3", "4", "5"):
        raise BadData(f"permutation {suffix!r} of split {split!r} must be 0 to 5", file=root)
    permutation = int(suffix or 0)
    pictures = (root / split / "images").glob(f"*/{split}-*-{permutation}.png")
    folders = {path.name: path.parent.name for path in pictures}
    return _Part(f"{split}@{permutation}", split, permutation, root / split / f"{split}.json", folders)


def _offsets(part: _Part) -> Iterator[tuple[int, int]]:
    """(byte offset, line number from 1) of each row; a row seen twice is an error."""
    seen: set[str] = set()
    offset = 0
    with part.file.open("rb") as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                row = _parse(text, part.file, line)
                if row["identifier"] in seen:
                    raise BadData(f"{row['identifier']!r} occurs twice", file=part.file, row=line, field="identifier")
                seen.add(row["identifier"])
                # Only k = 0 is complete upstream: another permutation is the subset that was drawn.
                if part.permutation == 0 or part.picture_name(row) in part.folders:
                    yield offset, line
            offset += len(text)


def _parse(text: bytes, file: Path, line: int) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadData(f"not a JSON object: {error}", file=file, row=line) from error
    if not isinstance(row, dict):
        raise BadData("not a JSON object", file=file, row=line)
    _check(row, ("sentence", "label", "identifier", "structured_rep"), file, line, "")
    if row["label"] not in Nlvr.labels:
        raise BadData(f"must be 'true' or 'false', not {row['label']!r}", file=file, row=line, field="label")
    if not isinstance(row["sentence"], str) or not row["sentence"].strip():
        raise BadData("must be a text with words", file=file, row=line, field="sentence")
    for field in ("identifier", "directory"):
        if field in row and not (isinstance(row[field], str) and _NAME.fullmatch(row[field])):
            raise BadData(f"must be a plain name, not {row[field]!r}", file=file, row=line, field=field)
    _check_boxes(row["structured_rep"], file, line)
    return row


def _check_boxes(boxes: Any, file: Path, line: int) -> None:
    if not (isinstance(boxes, list) and len(boxes) == 3 and all(isinstance(box, list) for box in boxes)):
        raise BadData("must be three lists of objects", file=file, row=line, field="structured_rep")
    for b, box in enumerate(boxes):
        for o, thing in enumerate(box):
            path = f"structured_rep[{b}][{o}]."
            _check(thing, ("x_loc", "y_loc", "size", "type", "color"), file, line, path)
            for key in ("x_loc", "y_loc", "size"):
                if isinstance(thing[key], bool) or not isinstance(thing[key], int | float) or not isfinite(thing[key]):
                    raise BadData("must be a number", file=file, row=line, field=path + key)
            if str(thing["color"]).lower() not in COLOURS:
                raise BadData(f"unknown colour {thing['color']!r}", file=file, row=line, field=path + "color")
            if thing["type"] not in SHAPES:
                raise BadData(f"unknown shape {thing['type']!r}", file=file, row=line, field=path + "type")


def _check(mapping: Any, keys: tuple[str, ...], file: Path, line: int, path: str) -> None:
    for key in keys:
        if not isinstance(mapping, dict) or key not in mapping:
            raise BadData("the field is missing", file=file, row=line, field=path + key)


def _sample(part: _Part, row: Mapping[str, Any]) -> dict[str, Any]:
    regions = [
        {
            "box": shown,
            "colour": COLOURS[thing["color"].lower()],
            "shape": thing["type"],
            "size": thing["size"],
            "x": thing["x_loc"],
            "y": thing["y_loc"],
        }
        for shown, box in enumerate(PERMUTATIONS[part.permutation])
        for thing in row["structured_rep"][box]
    ]
    corners = [(BOX_OFFSETS[r["box"]] + r["x"], r["y"], r["size"]) for r in regions]
    boxes = np.array([(x, y, x + s, y + s) for x, y, s in corners], dtype=np.float64).reshape(-1, 4)
    sample: dict[str, Any] = {
        "id": f"{part.name.removesuffix('@0')}:{row['identifier']}",
        "text": row["sentence"],
        "label": Nlvr.labels.index(row["label"]),
        "answer_type": "boolean",
        "permutation": part.permutation,
        "image_path": part.picture(row),
        "regions": regions,
        "boxes": boxes,
    }
    return sample | ({"evals": row["evals"]} if "evals" in row else {})


def _open_picture(path: Path, file: Path, line: int) -> Image.Image:
    try:
        found = picture.open_checked(path)
    except BadData as error:
        raise BadData(f"the picture {path.name} {error.message}", file=file, row=line, field="image") from error
    if found.size != PICTURE_SIZE:
        size = "{} x {} pixels, not {} x {}".format(*found.size, *PICTURE_SIZE)
        raise BadData(f"the picture {path.name} is {size}", file=file, row=line, field="image")
    return found
