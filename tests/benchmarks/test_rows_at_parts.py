"""Rows of ours at a quarter and a sixteenth of the size: which sizes they have, and that they are ours alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from analysis_core.targets import Logit
from benchmarks import second_order, shapley, study, targets, whole_study
from benchmarks.random_lxmert import RandomLxmert
from studies import worker
from studies.config import StudyConfig
from studies.services import authoring
from studies.services import precompute as precomputing
from tests.analysis_core import toys


def test_targets_grow_with_the_rows() -> None:
    asked = []

    def explain(model: Any, sample: Any, targets: Any, rows: int) -> None:
        asked.append(rows)

    for name in ("LIME", "Shapley values"):
        rows = list(
            targets._growing(
                name, explain, toys.linear(torch.ones(3, 2), torch.ones(4, 5)), {}, [Logit(0)] * 6, "small"
            )
        )
        assert [row.usual for row in rows] == [None] * len(rows)
        sizes = targets.GROWING["small"][name]
        assert [row.name for row in rows] == [f"{name}, 6 targets, per item, {n} rows" for n in sizes]
    # One unmeasured run each.
    assert asked == [50, 50, 12, 12, 400, 400]
    paper = targets.GROWING["paper"]
    for whole, quarter, sixteenth in paper.values():
        assert (quarter, sixteenth) == (whole // 4, whole // 16)
    # One of the three is what both ways were measured with.
    assert paper["LIME"][0] == paper["Shapley values"][-1] == targets.SAMPLES


def test_second_order_grows_with_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, at_once = [], second_order.at_once

    def watched(curvature: Any, wanted: torch.Tensor) -> torch.Tensor:
        asked.append(len(wanted))
        return at_once(curvature, wanted)

    monkeypatch.setattr(second_order, "at_once", watched)
    rows = list(second_order._of("toy", RandomLxmert(8), {}, 1, second_order.PARTS))
    assert [row.name for row in rows[-2:]] == ["toy, products, 5 words", "toy, products, 1 word"]
    assert [row.usual for row in rows[-2:]] == [None, None]
    assert asked[-4:] == [5, 5, 1, 1]
    assert set(asked[:-4]) == {20}


def test_shapley_values_grow_with_the_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ours = [], shapley.ours

    def watched(game: shapley.Lookup, evaluations: int, seed: int) -> torch.Tensor:
        asked.append(evaluations)
        return ours(game, evaluations, seed)

    monkeypatch.setattr(shapley, "ours", watched)
    values = torch.rand(256, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows = list(shapley._growing(shapley.Lookup(values), 512, 1))
    assert [(row.name, row.unit, row.usual) for row in rows] == [
        ("128 evaluations", "ms", None),
        ("32 evaluations", "ms", None),
    ]
    assert asked == [128, 128, 32, 32]


def test_studies_of_a_quarter_and_a_sixteenth_of_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def precompute(config: Any, kind: type) -> whole_study.Done:
        asked.append(config.items.count)
        # Two features for each item, and one row of the first feature more.
        rg = [SimpleNamespace(stage="Rg", subject=str(j)) for j in (0, *range(2 * config.items.count))]
        return whole_study.Done([], rg, 1000 * config.items.count, {}, 0.0, 2.0 * config.items.count)

    monkeypatch.setattr(study, "precompute", precompute)
    config = whole_study.read_study("paper", Path("unused"))
    rows = list(study._growing("paper", config, object, 22))
    assert asked == [5, 1]
    assert [row.name for row in rows] == [f"all explanations, per item, {n}, CPU" for n in ("5 items", "1 item")]
    assert [(row.usual, row.ours) for row in rows] == [(None, 2.0)] * 2
    assert "22 items above; 10 features of Rg, 1,000 forwards per item" in rows[0].note


def test_a_study_of_fewer_items_shares_no_explanation_with_the_whole_one() -> None:
    whole = whole_study.read_study("paper", Path("unused"))
    few = whole_study.with_fewer_items(whole, 5)
    # As it is stored and read again.
    again = StudyConfig.model_validate(json.loads(few.canonical()))
    assert again == few
    assert (few.items.count, few.items.practice, few.items.balance) == (5, 0, None)
    assert few.study != whole.study
    assert few.seed != whole.seed
    unchanged = {"dataset", "model", "stages", "answers", "conditions"}
    assert few.model_dump(include=unchanged) == whole.model_dump(include=unchanged)


@pytest.mark.parametrize("drawn_by", ["the start", "the first group"])
def test_seconds_of_explanations_begin_when_the_items_are_drawn(monkeypatch: pytest.MonkeyPatch, drawn_by: str) -> None:
    items: list[str] = []
    version = SimpleNamespace(
        items=SimpleNamespace(exists=lambda: bool(items), all=lambda: items), artefacts=SimpleNamespace(all=list)
    )

    def begun(version: Any) -> Any:
        if drawn_by == "the start":
            items.append("item")
        return SimpleNamespace(refresh_from_db=lambda: None, finished=True)

    def work(version: Any, after_group: Callable[[], None]) -> None:
        time.sleep(0.05)
        items[:] = ["item"]
        after_group()

    class Own:
        def forward(self, x: Any, aux: Any) -> None: ...

        def tower(self, modality: str, x: Any, aux: Any) -> None: ...

    monkeypatch.setattr(authoring, "study_create", lambda **_: version)
    monkeypatch.setattr(precomputing, "precompute_start", begun)
    monkeypatch.setattr(worker, "work_until_idle", work)
    done = whole_study.precompute(None, Own)
    assert (done.wall >= 0.05) is (drawn_by == "the start")
