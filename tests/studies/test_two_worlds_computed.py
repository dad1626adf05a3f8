"""Two worlds of computed results: with one explanation per choice, who is predicted and what is true leaves no trace.

A real model explains a small generated data set twice. The second time another class is booked as predicted and
another as true for every item that counts; items, letters, artefacts and pages must come out the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis_core import datasets
from studies import config, engine
from studies.engine import loading
from studies.leak_linter import leaks
from studies.models import Artefact, Study, StudyVersion
from studies.services.authoring import study_create
from studies.services.precompute import precompute_start
from studies.worker import work_until_idle
from tests.studies.worlds.browser_with_a_record import differences
from tests.studies.worlds.walk import recorded, short_way

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
CHOICES = ("red", "blue", "green", "gray")
MERGED = {"brown": "red", "purple": "blue", "cyan": "green", "yellow": "gray"}
FULL = "U+C+Rl+Rg+P"
FILE = """
study: computed
kind: simulation
title: What does the model answer?
seed: 7
dataset: {{name: clevr, root: {root}, split: val, train: train}}
model: {{name: cnn_lstm_sa, checkpoint: fixtures/checkpoints/clevr_cnn_lstm_sa}}
items: {{count: 3, practice: 1, checks: 1, where: {{answer_type: [color]}}}}
answers: {{fixed: [red, blue, green, gray], merge: {{brown: red, purple: blue, cyan: green, yellow: gray}}}}
target_class_policy: all_candidates
stages:
  U: {{method: lime, samples: 40}}
  C: {{words: 2}}
  R: {{features: 2, method: lime, top: 2, pool: 200}}
conditions: multiviz-ablation
questions: [confidence, helpful_page]
"""


@pytest.fixture
def version(db: None, tmp_path: Path) -> Iterator[StudyVersion]:
    root = tmp_path / "scenes"
    root.mkdir()
    splits = {"val": {"scenes": 20, "questions_per_scene": 6}, "train": {"scenes": 60, "questions_per_scene": 6}}
    (root / "recipe.json").write_text(json.dumps({"generator": "scenes", "seed": 5, "size": 96, "splits": splits}))
    for split in splits:
        datasets.load("clevr", root=root, split=split)  # generated now: what a run began with must not change
    loading.forget_stores()
    made = study_create(config=config.read(FILE.format(root=root)), owner=None)
    Study.objects.filter(pk=made.study.pk).update(secret=bytes(range(32)))
    yield StudyVersion.objects.get(pk=made.pk)
    loading.forget_stores()


def computed(version: StudyVersion) -> dict[tuple[str, ...], str]:
    """Everything computed; the hash of each explanation by what it is about."""
    precompute_start(version=version)
    work_until_idle(version=version)
    assert version.runs.latest("pk").problem == ""
    rows = version.artefacts.exclude(subject_kind="split")
    assert list(version.artefacts.exclude(state=Artefact.State.READY).values_list("stage", "state", "reason")) == []
    return {(row.subject_kind, row.subject, row.stage, row.target): shown_of(row) for row in rows}


def shown_of(row: Artefact) -> str:
    return json.dumps([row.numbers, row.files], sort_keys=True)


def book_others(monkeypatch: pytest.MonkeyPatch, practice: set[int]) -> None:
    """From now on the next choice is said to be predicted and the one after it true, practice left alone."""
    read = engine.facts

    def facts(source: Any, split: str) -> engine.Facts:
        found = read(source, split)
        index = {label: k for k, label in enumerate(found.labels)}

        def turned(k: int | None, by: int) -> int | None:
            name = None if k is None else MERGED.get(found.labels[k], found.labels[k])
            return index[CHOICES[(CHOICES.index(name) + by) % 4]] if name in CHOICES else k

        points = [
            p if p.index in practice else replace(p, predicted=turned(p.predicted, 1), label=turned(p.label, 2))
            for p in found.points
        ]
        return replace(found, points=tuple(points))

    monkeypatch.setattr(engine, "facts", facts)


def test_another_booked_prediction_and_truth_change_nothing_that_is_computed_or_shown(
    version: StudyVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = computed(version)
    assert leaks(version) == []
    Study.objects.update(state=Study.State.OPEN)
    study = Study.objects.get()
    ways = {name: recorded(lambda name=name: short_way(study, name, 0)) for name in ("U", FULL)}
    before = list(version.items.values("position", "index", "choices", "explained", "expected"))
    keys = {
        item.position: (item.letter_of(item.prediction), item.letter_of(item.truth)) for item in version.items.all()
    }

    Study.objects.update(state=Study.State.DRAFT)
    book_others(monkeypatch, set(version.items.filter(is_practice=True).values_list("index", flat=True)))
    version.items.all().delete()
    Artefact.objects.exclude(subject_kind="split").delete()
    second = computed(version)
    other_keys = {
        item.position: (item.letter_of(item.prediction), item.letter_of(item.truth)) for item in version.items.all()
    }
    assert {place for place in keys if keys[place] == other_keys[place]} == {0}, "only practice keeps its key"
    assert list(version.items.values("position", "index", "choices", "explained", "expected")) == before
    assert second == first

    Study.objects.update(state=Study.State.OPEN)
    study = Study.objects.get()
    for name, way in ways.items():
        assert differences(way, recorded(lambda name=name: short_way(study, name, 1))) == []
        assert any(entry.request.startswith("GET /m/") and entry.status.startswith("200") for entry in way)
