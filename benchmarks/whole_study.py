"""The demo study's precomputation by the platform's own services, in a database and folders of its own.

`own_state` must come before anything that reads Django's settings.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.claims import Scale
from benchmarks.measure import forwards_of, progress
from benchmarks.shipped import DEMO, ROOT

FILE = ROOT / "fixtures" / "clevr_simulation.yaml"
#: What small leaves of the demo: scenes of each split (8 questions each), items.
SMALL_SCENES, SMALL_ITEMS = {"train": 60, "val": 30}, 2


@dataclass(frozen=True)
class Done:
    """A precomputed study.

    items:     practice items included: they are explained too
    artefacts: all rows, each with its stage, seconds and forwards
    forwards:  counted at the model, all stages; rows that fuse encodings are forwards as well; predictions that another
               study left behind are not made again, and not counted
    encodings: rows that went through each modality's tower, by modality; whole forward passes are not among them
    wall, cpu: seconds of all explanations (everything after predictions and path), storing and database included
    """

    items: list[Any]
    artefacts: list[Any]
    forwards: int
    encodings: dict[str, int]
    wall: float
    cpu: float

    def of(self, *stages: str) -> list[Any]:
        return [row for row in self.artefacts if row.stage in stages]


@contextmanager
def own_state() -> Iterator[Path]:
    """A temporary state folder with a fresh SQLite database, and Django set up on it."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        for name in ("DATABASE_URL", "MEDIA_ROOT"):
            os.environ.pop(name, None)
        os.environ |= {"STATE_DIR": folder, "DJANGO_SETTINGS_MODULE": "studyapp.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield Path(folder)


def read_study(scale: Scale, folder: Path) -> Any:
    """The demo's study file; at small scale with fewer items, and fewer scenes generated into `folder`."""
    from studies.config import read

    text = FILE.read_text(encoding="utf-8")
    if scale == "paper":
        return read(text)
    recipe = json.loads((DEMO / "recipe.json").read_text(encoding="utf-8"))
    recipe["splits"] = {name: {"scenes": n, "questions_per_scene": 8} for name, n in SMALL_SCENES.items()}
    folder.mkdir(exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    values = yaml.safe_load(text)
    # So few scenes need not hold items of both sides of a balance.
    values["items"] = {**values["items"], "count": SMALL_ITEMS, "practice": 0, "balance": None}
    values["dataset"]["root"] = str(folder)
    return read(yaml.safe_dump(values))


def with_fewer_items(config: Any, count: int) -> Any:
    """The same study with so many items, under a name of its own.

    Its seed is its own, too: predictions and path serve both studies, an explanation of one never the other.
    """
    items = config.items.model_copy(update={"count": count, "practice": 0, "balance": None})
    return config.model_copy(update={"study": f"{config.study}-{count}", "seed": config.seed + count, "items": items})


def precompute(config: Any, kind: type) -> Done:
    """Make the study and compute everything in this process, as `study precompute --wait` does.

    kind: the model's class, whose forwards are counted. raises: RuntimeError (a row failed, items cannot be drawn)
    """
    from studies.services.authoring import study_create
    from studies.services.precompute import precompute_start
    from studies.worker import work_until_idle

    version = study_create(config=config, owner=None)
    begun: list[tuple[float, float]] = []
    with forwards_of(kind) as counted, encodings_of(kind) as encoded, progress("groups of artefacts") as bar:

        def look_for_items() -> None:
            if not begun and version.items.exists():
                begun.append((time.perf_counter(), time.process_time()))

        def after_group() -> None:
            bar.update()
            look_for_items()

        run = precompute_start(version=version)
        # They are drawn at once where predictions and path are known.
        look_for_items()
        work_until_idle(version=version, after_group=after_group)
        ended = (time.perf_counter(), time.process_time())
    run.refresh_from_db()
    if run.finished is None:
        reasons = list(version.artefacts.filter(state="failed").values_list("reason", flat=True))
        raise RuntimeError(f"the study was not precomputed: {reasons or run.problem}")
    items, artefacts = list(version.items.all()), list(version.artefacts.all())
    wall, cpu = ended[0] - begun[0][0], ended[1] - begun[0][1]
    return Done(items, artefacts, counted.forwards, dict(encoded), wall, cpu)


@contextmanager
def encodings_of(kind: type) -> Iterator[Counter[str]]:
    """Count the rows that go through the towers of every model of a class, by modality."""
    counted: Counter[str] = Counter()
    original: Any = kind.tower  # type: ignore[attr-defined]

    def tower(self: Any, modality: str, x: Any, aux: Any) -> Any:
        counted[modality] += len(x)
        return original(self, modality, x, aux)

    kind.tower = tower  # type: ignore[attr-defined]
    try:
        yield counted
    finally:
        kind.tower = original  # type: ignore[attr-defined]
