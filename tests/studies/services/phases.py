"""A version taken through the phases of its precomputation without anything being computed."""

from __future__ import annotations

from collections import Counter

import pytest

from studies import config, engine
from studies.computed import Computed
from studies.models import Item, StudyVersion
from studies.services import precompute
from studies.services.authoring import study_create
from tests import cast


def compute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items with features 4 and 7, the second also with feature 9; nothing is read from disk."""

    def draw(*, version: StudyVersion, source: dict[str, object]) -> list[Item]:
        made = []
        for position, features in enumerate(([4, 7], [4, 9])):
            explained = [{"class": position, "features": features, "weights": [0.5, 0.25]}]
            made.append(
                Item(
                    version=version,
                    position=position,
                    split="val",
                    index=30 + position,
                    datapoint=str(position),
                    prediction=position,
                    choices=[],
                    explained=explained,
                )
            )
        return made

    monkeypatch.setattr(precompute, "items_draw", draw)
    monkeypatch.setattr(engine, "fingerprint", lambda root: "data")
    monkeypatch.setattr(engine, "has_predictions", lambda source, split: True)


def version_of(text: str = cast.STUDY_FILE) -> StudyVersion:
    return study_create(config=config.read(text), owner=None)


def make_ready(version: StudyVersion) -> None:
    version.artefacts.exclude(state="ready").update(state="ready", sha256="0" * 64, numbers=Computed({}).numbers)


def stages(version: StudyVersion) -> Counter[str]:
    return Counter(version.artefacts.values_list("stage", flat=True))


def advance_to_explanations(version: StudyVersion) -> None:
    precompute.precompute_start(version=version)
    for _ in range(2):
        make_ready(version)
        precompute.precompute_advance(version=version)
