"""A dataset root with a `recipe.json` makes its missing splits itself, once, whoever asks first.

{"generator": "scenes", "seed": 7, "size": 96, "splits": {"val": {"scenes": 250, "questions_per_scene": 8}}}
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis_core.datasets.scenes.render import SIZE
from analysis_core.datasets.scenes.write import write_split
from analysis_core.errors import BadData

NAME = "recipe.json"
#: Part of every recipe: raised whenever the generator draws other scenes for the same seed.
GENERATOR_VERSION = 1
_MOST_SCENES, _MOST_QUESTIONS = 1_000_000, 50


def materialise(root: Path, split: str) -> None:
    """Generate `split` where its questions are missing and the recipe has it; otherwise change nothing.

    Files appear by renames, the questions last, so a split with questions is whole. A second process waits for the
    first; what an interrupted one left is swept away and made again.
    raises: BadData (a wrong recipe, a folder that cannot be written, a split made from another recipe)
    """
    recipe = _split_recipe(root, split)
    if recipe is None or _made_already(root, split, recipe):
        return
    try:
        with _alone(root / f".{split}.lock"):
            if not _made_already(root, split, recipe):
                _make(root, split, recipe)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadData(f"split {split!r} cannot be generated in this folder: {reason}", file=root) from error


def _make(root: Path, split: str, recipe: dict[str, Any]) -> None:
    part = root / f".{split}.part"
    shutil.rmtree(part, ignore_errors=True)
    per_scene = recipe["questions_per_scene"]
    write_split(part, split=split, seed=recipe["seed"], n=recipe["scenes"], per_scene=per_scene, recipe=recipe)
    pictures = Path("images") / split
    shutil.rmtree(root / pictures, ignore_errors=True)
    for path in (pictures, _scenes(split), _questions(split)):
        (root / path).parent.mkdir(exist_ok=True)
        os.replace(part / path, root / path)
    shutil.rmtree(part)


def _made_already(root: Path, split: str, recipe: dict[str, Any]) -> bool:
    path = root / _questions(split)
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        head = file.readline(100_000)
    made = re.search(r'"recipe": (\{[^{}]*\})', head)
    if made is not None and json.loads(made.group(1)) != recipe:
        raise BadData(
            f"split {split!r} was generated from another recipe; delete {path.name} to have it generated again",
            file=path,
        )
    return True


def _split_recipe(root: Path, split: str) -> dict[str, Any] | None:
    path = root / NAME
    if not path.is_file():
        return None
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadData(f"not readable JSON: {error}", file=path, row=getattr(error, "lineno", None)) from error
    if not isinstance(recipe, dict) or recipe.get("generator") != "scenes":
        raise BadData('must be an object with "generator": "scenes"', file=path, field="generator")
    if recipe.get("size") != SIZE:
        raise BadData(f"pictures are generated {SIZE} pixels wide and high only", file=path, field="size")
    splits = recipe.get("splits")
    if not isinstance(splits, dict):
        raise BadData("must be an object: split -> numbers of scenes and questions", file=path, field="splits")
    if split not in splits:
        return None
    if not re.fullmatch(r"[A-Za-z0-9_-]+", split):
        raise BadData(f"{split!r} is no name for a split: use letters, digits, - and _", file=path, field="splits")
    limits = {"scenes": _MOST_SCENES, "questions_per_scene": _MOST_QUESTIONS}
    counts = {name: _whole(path, splits[split], name, 1, most) for name, most in limits.items()}
    return {"version": GENERATOR_VERSION, "seed": _whole(path, recipe, "seed", 0, 2**63), **counts}


def _whole(path: Path, values: Any, name: str, least: int, most: int) -> int:
    value = values.get(name) if isinstance(values, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadData(f"must be a whole number from {least} to {most}, not {value!r}", file=path, field=name)
    return value


def _scenes(split: str) -> Path:
    return Path("scenes") / f"CLEVR_{split}_scenes.json"


def _questions(split: str) -> Path:
    return Path("questions") / f"CLEVR_{split}_questions.json"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold an exclusive lock file; the system releases it however this process ends."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
