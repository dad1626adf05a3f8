"""Generated scenes as files in CLEVR v1.0's folders and JSON layout, streamed: nothing is held but the scene at hand.

Additions to CLEVR's fields: "bbox" [x0, y0, x1, y1] in pixels per object, "question_type" per question, and in the
questions' info "answers" (the labels), "answer_types" (label -> type) and "recipe" (what the split was made from).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import cos, sin
from pathlib import Path
from typing import Any, TextIO

from PIL import Image
from tqdm import tqdm

from analysis_core.datasets.scenes.questions import Asker, Question
from analysis_core.datasets.scenes.render import SIZE, Placed, Scene, scenes
from analysis_core.datasets.scenes.sprites import ELEVATION, RADIUS, ROTATIONS
from analysis_core.datasets.scenes.vocabulary import ANSWER_TYPES, ANSWERS

#: Unit vectors in the scene's coordinates (x right, y away from the camera, z up).
_DIRECTIONS = {
    "left": [-1.0, 0.0, 0.0],
    "right": [1.0, 0.0, 0.0],
    "front": [0.0, -1.0, 0.0],
    "behind": [0.0, 1.0, 0.0],
    "above": [0.0, 0.0, 1.0],
    "below": [0.0, 0.0, -1.0],
}
#: One unit of 3d_coords in pixels at scale 100; CLEVR's large objects have radius 0.7.
_UNIT = RADIUS["large"] / 0.7


def write_split(folder: Path, *, split: str, seed: int, n: int, per_scene: int, recipe: Mapping[str, Any]) -> None:
    """Write {images/<split>/, scenes/, questions/} of one split under `folder`, deterministic for its arguments."""
    pictures = folder / "images" / split
    pictures.mkdir(parents=True)
    info = {"split": split, "version": "1.0", "license": "CC0", "date": "generated"}
    asked_info = {**info, "answers": list(ANSWERS), "answer_types": ANSWER_TYPES, "recipe": dict(recipe)}
    total = 0
    with (
        _json_list(folder / "scenes" / f"CLEVR_{split}_scenes.json", info, "scenes") as add_scene,
        _json_list(folder / "questions" / f"CLEVR_{split}_questions.json", asked_info, "questions") as add_question,
    ):
        stream = scenes(seed, split, 0, n)
        for index, (scene, rng) in enumerate(tqdm(stream, total=n, desc=f"scenes {split}", disable=None)):
            name = f"CLEVR_{split}_{index:06d}.png"
            Image.fromarray(scene.image).save(pictures / name, compress_level=1)
            of = {"image_index": index, "image_filename": name, "split": split}
            add_scene(of | _scene_fields(scene))
            for question in Asker(scene.kinds, rng).ask(per_scene):
                add_question(of | {"question_index": total} | _question_fields(question))
                total += 1


class _Adder:
    """Appends objects to a JSON list that is being written, one per line."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._separator = file, "\n"

    def __call__(self, value: Mapping[str, Any]) -> None:
        self._file.write(self._separator + json.dumps(value))
        self._separator = ",\n"


@contextmanager
def _json_list(path: Path, info: Mapping[str, Any], key: str) -> Iterator[_Adder]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"info": {json.dumps(info)},\n"{key}": [')
        yield _Adder(file)
        file.write("\n]}\n")


def _scene_fields(scene: Scene) -> dict[str, Any]:
    spots = [_spot(thing) for thing in scene.objects]
    return {
        "directions": _DIRECTIONS,
        "relationships": {
            name: [
                [j for j, b in enumerate(spots) if j != i and sum((b[k] - a[k]) * along[k] for k in (0, 1)) > 0]
                for i, a in enumerate(spots)
            ]
            for name, along in list(_DIRECTIONS.items())[:4]
        },
        "objects": [_object_fields(scene, i, spot) for i, spot in enumerate(spots)],
    }


def _spot(thing: Placed) -> list[float]:
    """Where an object stands: x and y on the ground and the height of its centre, in CLEVR's units."""
    x = (thing.x - SIZE / 2) / _UNIT
    y = (SIZE / 2 - thing.depth) / sin(ELEVATION) / _UNIT
    return [round(x, 4), round(y, 4), round(RADIUS[thing.looks.size] * thing.percent / 100 / _UNIT, 4)]


def _object_fields(scene: Scene, i: int, spot: list[float]) -> dict[str, Any]:
    thing = scene.objects[i]
    away = spot[1] * cos(ELEVATION) - spot[2] * sin(ELEVATION) + 10
    return {
        **thing.looks._asdict(),
        "rotation": 90.0 * thing.rotation / ROTATIONS if thing.looks.shape == "cube" else 0.0,
        "3d_coords": spot,
        "pixel_coords": [thing.x, thing.y, round(away, 4)],
        "bbox": list(scene.box(i)),
    }


def _question_fields(question: Question) -> dict[str, Any]:
    return {
        "question": question.text,
        "answer": question.answer,
        "question_type": question.kind,
        "program": question.program,
    }
