"""CLEVR v1.0's own files, and generated ones in the same layout: {root}/images/<split>/, questions/, scenes/.

The JSON of one split is held in memory; pictures are opened one at a time. A root with a recipe.json makes its splits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from analysis_core.datasets.scenes.recipe import materialise
from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES
from analysis_core.errors import BadData
from analysis_core.visualizations import picture

#: The 28 answers of CLEVR v1.0 and their types.
CLEVR_ANSWER_TYPES: dict[str, str] = {
    **dict.fromkeys(("yes", "no"), "boolean"),
    **dict.fromkeys((str(n) for n in range(11)), "number"),
    **{value: name for name, values in ATTRIBUTES.items() for value in values},
}
MOST_PIXELS = 40_000_000


class Clevr:
    """One split. Questions come from questions/CLEVR_<split>_questions.json; where that file is absent, from every
    questions/CLEVR_<split>_questions*.json in sorted order. Scenes likewise; they are optional.

    Labels are the questions' info.answers, else CLEVR's 28. A question without an answer has label None.
    """

    def __init__(self, root: Path, split: str) -> None:
        """raises: BadData (missing folder, file or picture, broken JSON, wrong field, an answer outside the labels)"""
        if not root.is_dir():
            raise BadData("this dataset folder does not exist", file=root)
        materialise(root, split)
        self._pictures = root / "images" / split
        self._scenes = _read_scenes(root, split)
        self.labels: tuple[str, ...] = tuple(CLEVR_ANSWER_TYPES)
        self.label_types: Mapping[str, str] = CLEVR_ANSWER_TYPES
        self._questions: list[dict[str, Any]] = []
        self._where: list[tuple[Path, int]] = []
        self._ids: dict[str, int] = {}
        for path in _question_files(root, split):
            self._add(path, _read(path))
        self._index = {answer: i for i, answer in enumerate(self.labels)}
        self._check()
        self._last: tuple[Path, Image.Image] | None = None

    def __len__(self) -> int:
        return len(self._questions)

    def __getitem__(self, i: int) -> dict[str, Any]:
        """Question i with its picture.

        returns: id, image (RGB), image_path, text, label (None without answer), answer, answer_type, question_type (the
                 program's last function where the file names none), program, boxes float32 [n, 4] of the scene's
                 objects in pixels (None where scenes hold no "bbox"), objects (the scene's, or None)
        raises:  BadData (a picture that cannot be read), IndexError
        """
        question = self._questions[i]
        path = self._pictures / question["image_filename"]
        answer, program = question.get("answer"), question.get("program") or []
        objects = self._scenes.get(question["image_filename"])
        return {
            "id": question["id"],
            "image": self._picture(path, i),
            "image_path": str(path),
            "text": question["question"],
            "label": None if answer is None else self._index[answer],
            "answer": answer,
            "answer_type": None if answer is None else self.label_types[answer],
            "question_type": question.get("question_type") or (program[-1].get("function") if program else None),
            "program": program,
            "boxes": _boxes(objects),
            "objects": objects,
        }

    def _add(self, path: Path, content: dict[str, Any]) -> None:
        """Take over one file's questions; an id that an earlier file has used gets the file's suffix."""
        info = content.get("info")
        if isinstance(info, dict) and "answers" in info:
            self.labels, self.label_types = _labels(path, info)
        suffix = path.stem.partition("_questions")[2]
        for row, question in enumerate(_objects(path, content, "questions")):
            name = str(question.get("question_index", row))
            name = name + suffix.replace("_", "-") if name in self._ids else name
            if name in self._ids:
                raise BadData(f"{name} occurs twice", file=path, entry=f"questions[{row}]", field="question_index")
            self._ids[name] = len(self._questions)
            self._questions.append({**question, "id": name})
            self._where.append((path, row))

    def _check(self) -> None:
        there = {path.name for path in self._pictures.iterdir()} if self._pictures.is_dir() else set()
        for question, (path, row) in zip(self._questions, self._where, strict=True):
            for field in ("question", "image_filename"):
                if not isinstance(question.get(field), str) or not question[field]:
                    raise BadData("must be a text", file=path, entry=f"questions[{row}]", field=field)
            if question["image_filename"] not in there:
                message = f"the picture {question['image_filename']!r} is not in {self._pictures}"
                raise BadData(message, file=path, entry=f"questions[{row}]", field="image_filename")
            if not _is_program(question.get("program")):
                raise BadData("must be a list of nodes", file=path, entry=f"questions[{row}]", field="program")
            answer = question.get("answer")
            if answer is not None and not (isinstance(answer, str) and answer in self._index):
                message = f"{answer!r} is not one of the {len(self.labels)} answers"
                raise BadData(message, file=path, entry=f"questions[{row}]", field="answer")

    def _picture(self, path: Path, i: int) -> Image.Image:
        # The questions of one picture follow each other.
        if self._last is None or self._last[0] != path:
            self._last = path, _open(path, self._where[i][1])
        return self._last[1].copy()


def _open(path: Path, row: int) -> Image.Image:
    try:
        return picture.open_checked(path, max_pixels=MOST_PIXELS)
    except BadData as error:
        raise BadData(error.message, file=path, entry=f"questions[{row}]", field="image_filename") from error


def _question_files(root: Path, split: str) -> list[Path]:
    files = _files(root, split, "questions")
    if not files:
        found = sorted((root / "questions").glob("CLEVR_*_questions*.json"))
        splits = dict.fromkeys(path.name.removeprefix("CLEVR_").partition("_questions")[0] for path in found)
        raise BadData(
            f"split {split!r} has no questions here; splits with questions: {', '.join(splits) or 'none'}",
            file=root / "questions" / f"CLEVR_{split}_questions.json",
        )
    return files


def _files(root: Path, split: str, part: str) -> list[Path]:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", split):
        raise BadData(f"{split!r} is no name for a split: use letters, digits, - and _", file=root)
    exact = root / part / f"CLEVR_{split}_{part}.json"
    return [exact] if exact.is_file() else sorted((root / part).glob(f"CLEVR_{split}_{part}*.json"))


def _read_scenes(root: Path, split: str) -> dict[str, list[dict[str, Any]]]:
    """Picture's file name -> its objects."""
    scenes: dict[str, list[dict[str, Any]]] = {}
    for path in _files(root, split, "scenes"):
        for row, scene in enumerate(_objects(path, _read(path), "scenes")):
            objects = scene.get("objects")
            if not isinstance(objects, list) or not all(isinstance(thing, dict) for thing in objects):
                raise BadData("must be a list of objects", file=path, entry=f"scenes[{row}]", field="objects")
            if not all(_is_box(thing.get("bbox")) for thing in objects if "bbox" in thing):
                raise BadData("must be four numbers x0 < x1, y0 < y1", file=path, entry=f"scenes[{row}]", field="bbox")
            scenes[str(scene.get("image_filename"))] = objects
    return scenes


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BadData(f"not readable JSON: {error.msg}", file=path, row=error.lineno) from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadData(f"cannot be read: {error}", file=path) from error
    if not isinstance(content, dict):
        raise BadData("must hold a JSON object", file=path)
    return content


def _objects(path: Path, content: dict[str, Any], key: str) -> Iterable[dict[str, Any]]:
    values = content.get(key)
    if not isinstance(values, list):
        raise BadData("must be a list", file=path, field=key)
    for row, value in enumerate(values):
        if not isinstance(value, dict):
            raise BadData("must be an object", file=path, entry=f"{key}[{row}]")
        yield value


def _labels(path: Path, info: dict[str, Any]) -> tuple[tuple[str, ...], Mapping[str, str]]:
    answers, types = info["answers"], info.get("answer_types")
    if (
        not isinstance(answers, list)
        or not all(isinstance(a, str) for a in answers)
        or len(set(answers)) < len(answers)
    ):
        raise BadData("must be a list of different texts", file=path, field="info.answers")
    if not isinstance(types, dict) or set(answers) - set(types):
        raise BadData("must name a type for each of info.answers", file=path, field="info.answer_types")
    return tuple(answers), {answer: str(types[answer]) for answer in answers}


def _boxes(objects: list[dict[str, Any]] | None) -> NDArray[np.float32] | None:
    if not objects or not all("bbox" in thing for thing in objects):
        return None
    return np.array([thing["bbox"] for thing in objects], np.float32)


def _is_box(box: Any) -> bool:
    if not (isinstance(box, list) and len(box) == 4 and all(isinstance(v, int | float) for v in box)):
        return False
    return bool(box[0] < box[2] and box[1] < box[3])


def _is_program(program: Any) -> bool:
    return program is None or (isinstance(program, list) and all(isinstance(node, dict) for node in program))
