"""The study that is filled in under load: the size of the demo, pictures of a realistic size, nothing to compute.

Import after Django is set up.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone
from PIL import Image

from studies import config
from studies.artefact_files import store
from studies.models import Artefact, Item, Run, Study, StudyVersion
from studies.services.authoring import study_create
from studies.services.freezing import study_freeze, study_open
from studies.services.inviting import invites_create

FILE = Path(__file__).resolve().parents[2] / "fixtures" / "clevr_simulation.yaml"
FEATURES = [41, 7, 23, 5, 60]
WEIGHTS = [0.31, 0.27, 0.16, 0.12, 0.08]
LABELS = ["red", "blue", "green", "gray"]
SIZE = (320, 240)
ACTOR = "load"


def make(slug: str, annotators: int) -> tuple[Study, list[str]]:
    """An open study of 2 + 20 items with places for everybody, and one link (its path) for each.

    The places are divided evenly among the five arms, one more where they do not divide.
    """
    text = FILE.read_text(encoding="utf-8").replace("study: clevr-simulation", f"study: {slug}")
    per_arm = -(-annotators // 5)
    read = config.read(text.replace("per_condition: 3", f"per_condition: {per_arm}"))
    version = study_create(config=read, owner=None)
    _explain_all(version, list(_items(version)))
    Run.objects.create(version=version, snapshot={}, finished=timezone.now())
    study_freeze(study=version.study, actor=ACTOR)
    study = study_open(study=version.study, actor=ACTOR)
    return study, [f"/s/{slug}/{invite.token}/" for invite in invites_create(study=study, count=annotators)]


def _items(version: StudyVersion) -> Iterator[Item]:
    part = version.config.items
    for position in range(part.practice + part.count):
        yield Item.objects.create(
            version=version,
            position=position,
            is_practice=position < part.practice,
            split="val",
            index=position,
            datapoint=f"load_{position}",
            prediction=position % 4,
            truth=(position + position % 2) % 4,
            choices=[{"letter": "ABCD"[i], "label": LABELS[i], "classes": [i]} for i in range(4)],
            explained=[{"class": position % 4, "features": FEATURES, "weights": WEIGHTS}],
        )


def _explain_all(version: StudyVersion, items: list[Item]) -> None:
    rows = [row for item in items for row in _of_item(item)]
    rows += [_row("feature", str(j), "Rg", "", _examples(j), {"examples": [{"words": _words()}] * 3}) for j in FEATURES]
    params_hash = hashlib.sha256(version.study.slug.encode()).hexdigest()
    for row in rows:
        row.params, row.params_hash = {"study": version.study.slug}, params_hash
    version.artefacts.add(*Artefact.objects.bulk_create(rows))


def _of_item(item: Item) -> Iterator[Artefact]:
    subject, logit, name = item.subject, f"logit:{item.prediction}", f"item {item.position}"
    yield _row("datapoint", subject, "input", "", {"image": _photo(name)}, {"words": _words()})
    yield _row("datapoint", subject, "U", logit, {"overlay": _overlay(f"{name} U")}, {"words": _words()})
    pairs = {f"overlay{i}": _overlay(f"{name} C {i}") for i in range(6)}
    yield _row("datapoint", subject, "C", logit, pairs, {"pairs": [{"word": f"word{i}"} for i in range(6)]})
    for j in FEATURES:
        overlay = {"overlay": _overlay(f"{name} R {j}")}
        yield _row("datapoint", subject, "Rl", f"feature:{j}", overlay, {"words": _words()})
    graph = {"graph": store(_drawing(name), "image/svg+xml")}
    rows = [{"feature": j, "weight": w} for j, w in zip(FEATURES, WEIGHTS, strict=True)]
    yield _row("datapoint", subject, "P", logit, graph, {"features": rows})


def _examples(feature: int) -> dict[str, Any]:
    names = {f"{kind}{i}": f"feature {feature} {i}" for kind in ("image", "overlay") for i in range(3)}
    return {key: _photo(name) if key.startswith("image") else _overlay(name) for key, name in names.items()}


def _row(kind: str, subject: str, stage: str, target: str, files: dict[str, Any], numbers: dict[str, Any]) -> Artefact:
    return Artefact(
        subject_kind=kind,
        subject=subject,
        stage=stage,
        target=target,
        state=Artefact.State.READY,
        sha256="0" * 64,
        files=files,
        numbers=numbers,
    )


def _words() -> list[dict[str, Any]]:
    return [{"text": f"word{i}", "level": i % 5} for i in range(12)]


def _photo(name: str) -> dict[str, Any]:
    return _picture(name, channels=3, step=16)


def _overlay(name: str) -> dict[str, Any]:
    return _picture(name, channels=4, step=64)


def _picture(name: str, *, channels: int, step: int) -> dict[str, Any]:
    """Smooth shapes of an own colour in steps: 10 to 25 KB, where the demo's are 3 to 30, half of them below 5."""
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, channels), dtype=np.uint8)).resize(SIZE)
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(coarse) // step * step).save(buffer, "PNG")
    return store(buffer.getvalue(), "image/png")


def _drawing(name: str) -> bytes:
    lines = "".join(f'<rect x="{10 * i}" width="9" height="{30 + i}"/>' for i in range(40))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 80"><title>{name}</title>{lines}</svg>'.encode()
