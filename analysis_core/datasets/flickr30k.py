"""Flickr30k (Young et al. 2014) with the phrases and boxes of Flickr30k Entities: one sample per picture and sentence.

{root}/<split>.txt with picture ids, or Karpathy's dataset_flickr30k.json; Sentences/, Annotations/, flickr30k-images/.
Photos are not shipped with this project: their use is bound to Flickr's terms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis_core.datasets.flickr30k_entities import (
    NOT_VISUAL,
    Annotation,
    Phrase,
    Sentence,
    parse_sentence,
    read_annotation,
    read_lines,
)
from analysis_core.errors import BadData
from analysis_core.visualizations import picture

KARPATHY = "dataset_flickr30k.json"
UNRELATED = "UNRELATED_CAPTIONS"
#: Names under which each folder is found; the first is the release's own.
FOLDERS = {
    "sentences": ("Sentences", "sentences"),
    "annotations": ("Annotations", "annotations"),
    "pictures": ("flickr30k-images", "flickr30k_images", "images"),
}
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class _Picture:
    """One picture of the split. listed: file and line (or entry) that name it; raw: Karpathy's own sentences."""

    id: str
    file: str
    listed: tuple[Path, int | None, str | None]
    raw: tuple[str, ...] = ()


class Flickr30k:
    """One split: train, val or test. The list of pictures is held in memory, and how many sentences each has.

    Labels are those of image-text retrieval: a sentence matches its picture unless UNRELATED_CAPTIONS names it. Where
    there is no Sentences folder, texts are Karpathy's raw sentences and there are no phrases; where there is no
    Annotations folder, no phrase has boxes.
    """

    labels: tuple[str, ...] = ("no match", "match")
    label_types: Mapping[str, str] = {"no match": "boolean", "match": "boolean"}

    def __init__(self, root: str | Path, split: str) -> None:
        """raises: BadData (missing folder, split or sentences; a list with a wrong or doubled line)"""
        self.root = Path(root)
        if not self.root.is_dir():
            raise BadData("this dataset folder does not exist", file=self.root)
        self._sentences = _folder(self.root, "sentences")
        self._annotations = _folder(self.root, "annotations")
        self._photos = _folder(self.root, "pictures")
        self._pictures = _listed(self.root, split)
        self._unrelated = _unrelated(self.root)
        counts = [self._count(one) for one in self._pictures]
        self._ends: NDArray[np.int64] = np.cumsum(counts)
        self._last: tuple[int, Sequence[tuple[int, str]], Annotation | None] | None = None
        self._photo: tuple[int, Image.Image] | None = None

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, i: int) -> Mapping[str, Any]:
        """Sample i with its picture opened: see `row`, and "image" (Pillow RGB). raises: BadData, IndexError"""
        sample = self.row(i)
        p, _ = self._where(i)
        if self._photo is None or self._photo[0] != p:
            self._photo = p, self._open(p)
        return {**sample, "image": self._photo[1].copy()}

    def row(self, i: int) -> Mapping[str, Any]:
        """Sample i without opening its picture.

        returns: id ("1007129816#0"), picture (its id), image_path, text, label, answer_type, boxes float32 [n, 4]
                 x0 y0 x1 y1 in pixels of the picture (None without annotations), entities (id -> {"boxes": indices,
                 "scene": bool, "nobox": bool}), and phrases: a tuple of {"text", "span" (characters), "words" (tokens
                 of the text), "entity" (None = not visual), "types", "boxes": indices of all boxes of its entity}
        raises:  BadData (file, line, field), IndexError
        """
        p, k = self._where(i)
        lines, annotation = self._read(p)
        one = self._pictures[p]
        if self._sentences is not None:
            file = self._sentences / f"{one.id}.txt"
            sentence = parse_sentence(lines[k][1], file=file, row=lines[k][0])
        else:
            sentence = Sentence(lines[k][1], ())
        boxes, entities = _boxes(annotation)
        related = (one.id, lines[k][0]) not in self._unrelated
        return {
            "id": f"{one.id}#{k}",
            "picture": one.id,
            "image_path": str((self._photos or self.root / FOLDERS["pictures"][0]) / one.file),
            "text": sentence.text,
            "label": int(related),
            "answer_type": "boolean",
            "boxes": boxes,
            "entities": entities,
            "phrases": tuple(_phrase(phrase, entities) for phrase in sentence.phrases),
        }

    def picture_of(self, i: int) -> str:
        """The id of sample i's picture; reads nothing. raises: IndexError"""
        return self._pictures[self._where(i)[0]].id

    def _where(self, i: int) -> tuple[int, int]:
        """Index of the picture, and of the sentence among its sentences."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"sample {i} of {len(self)}")
        i = range(len(self))[i]
        p = int(np.searchsorted(self._ends, i, side="right"))
        return p, i - (int(self._ends[p - 1]) if p else 0)

    def _count(self, one: _Picture) -> int:
        if self._sentences is not None:
            file = self._sentences / f"{one.id}.txt"
            count = len(read_lines(file))
        else:
            file, count = self.root / FOLDERS["sentences"][0], len(one.raw)
        if not count:
            raise BadData(f"there are no sentences for picture {one.id}", file=file)
        return count

    def _read(self, p: int) -> tuple[Sequence[tuple[int, str]], Annotation | None]:
        # The sentences of one picture follow each other.
        if self._last is None or self._last[0] != p:
            one = self._pictures[p]
            if self._sentences is not None:
                lines: Sequence[tuple[int, str]] = read_lines(self._sentences / f"{one.id}.txt")
            else:
                lines = list(enumerate(one.raw, start=1))
            found = self._annotations and read_annotation(self._annotations / f"{one.id}.xml")
            self._last = p, lines, found or None
        return self._last[1:]

    def _open(self, p: int) -> Image.Image:
        one = self._pictures[p]
        file, row, entry = one.listed
        path = (self._photos or self.root / FOLDERS["pictures"][0]) / one.file
        try:
            found = picture.open_checked(path)
        except BadData as error:
            message = f"the picture {path} {error.message}"
            raise BadData(message, file=file, row=row, entry=entry, field="image") from error
        annotation = self._read(p)[1]
        if annotation is not None and found.size != annotation.size:
            message = "its picture has {} x {} pixels, not {} x {}".format(*found.size, *annotation.size)
            raise BadData(message, file=self._annotations and self._annotations / f"{one.id}.xml", field="size")
        return found


def _folder(root: Path, part: str) -> Path | None:
    return next((root / name for name in FOLDERS[part] if (root / name).is_dir()), None)


def _listed(root: Path, split: str) -> list[_Picture]:
    listed = root / f"{split}.txt"
    if not _NAME.fullmatch(split) or not (listed.is_file() or (root / KARPATHY).is_file()):
        known = [path.stem for path in sorted(root.glob("*.txt")) if _NAME.fullmatch(path.stem)]
        found = ", ".join(known) or "none"
        message = f"split {split!r} has no list of pictures, and there is no {KARPATHY}; lists found: {found}"
        raise BadData(message, file=listed)
    if not listed.is_file():
        return _karpathy(root / KARPATHY, split)
    pictures: dict[str, _Picture] = {}
    for row, name in read_lines(listed):
        if not _NAME.fullmatch(name) or name in pictures:
            what = "occurs twice" if name in pictures else "is no id of a picture"
            raise BadData(f"{name!r} {what}", file=listed, row=row, field="id")
        pictures[name] = _Picture(name, f"{name}.jpg", (listed, row, None))
    return list(pictures.values())


def _karpathy(path: Path, split: str) -> list[_Picture]:
    """Pictures of one split of Karpathy's file; the rest of it is let go."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BadData(f"not readable JSON: {error.msg}", file=path, row=error.lineno) from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadData(f"cannot be read: {error}", file=path) from error
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(images, list):
        raise BadData("must be a list", file=path, field="images")
    found: dict[str, _Picture] = {}
    for row, image in enumerate(images):
        entry = f"images[{row}]"
        if not isinstance(image, dict) or not isinstance(image.get("split"), str):
            raise BadData("must be a text", file=path, entry=entry, field="split")
        if image["split"] != split:
            continue
        name, _, ending = str(image.get("filename")).partition(".")
        if not _NAME.fullmatch(name) or ending != "jpg" or name in found:
            message = "must be the name of a jpg file that no other entry has"
            raise BadData(message, file=path, entry=entry, field="filename")
        raw = tuple(_raw(s) for s in image.get("sentences") or ())
        if not all(raw):
            raise BadData("must be a text", file=path, entry=entry, field="sentences.raw")
        found[name] = _Picture(name, f"{name}.jpg", (path, None, entry), raw)
    if not found:
        splits = ", ".join(dict.fromkeys(image["split"] for image in images)) or "none"
        raise BadData(f"split {split!r} has no pictures; splits found: {splits}", file=path)
    return list(found.values())


def _raw(sentence: Any) -> str:
    raw = sentence.get("raw") if isinstance(sentence, dict) else None
    return raw.strip() if isinstance(raw, str) else ""


def _unrelated(root: Path) -> frozenset[tuple[str, int]]:
    """(picture, number of the sentence from 1) of sentences that do not describe their picture."""
    path = root / UNRELATED
    found = set()
    for row, line in read_lines(path) if path.is_file() else ():
        if not line.startswith("#"):
            match = re.fullmatch(r"(\w+)\s+(\d+)", line)
            if match is None:
                raise BadData("must be a picture's id and the number of a sentence", file=path, row=row)
            found.add((match.group(1), int(match.group(2))))
    return frozenset(found)


def _boxes(annotation: Annotation | None) -> tuple[NDArray[np.float32] | None, dict[str, dict[str, Any]]]:
    """All boxes of a picture, each once, and which of them belong to each entity."""
    if annotation is None:
        return None, {}
    index = {box: i for i, box in enumerate(dict.fromkeys(b for of in annotation.boxes.values() for b in of))}
    names = dict.fromkeys([*annotation.boxes, *sorted(annotation.scene), *sorted(annotation.nobox)])
    entities = {
        name: {
            "boxes": tuple(dict.fromkeys(index[box] for box in annotation.boxes.get(name, ()))),
            "scene": name in annotation.scene,
            "nobox": name in annotation.nobox,
        }
        for name in names
    }
    return np.array(list(index), np.float32).reshape(-1, 4), entities


def _phrase(phrase: Phrase, entities: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    entity = None if phrase.entity == NOT_VISUAL else phrase.entity
    return {
        "text": phrase.text,
        "span": phrase.span,
        "words": phrase.words,
        "entity": entity,
        "types": phrase.types,
        "boxes": entities[phrase.entity]["boxes"] if entity in entities else (),
    }
