"""What explanations share in the engine: rows of a datapoint that several features show, one forward for saliency."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from analysis_core.errors import UnknownName
from studies import engine
from studies.computed import Computed, Job
from studies.engine import loading, perturbed

CHECKPOINT = "fixtures/checkpoints/clevr_cnn_lstm_sa"
SAMPLES = 40


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("scenes")
    # So few datapoints that features have examples in common.
    recipe = {
        "generator": "scenes",
        "seed": 5,
        "size": 96,
        "splits": {"train": {"scenes": 3, "questions_per_scene": 2}},
    }
    (root / "recipe.json").write_text(json.dumps(recipe))
    return {"dataset": "clevr", "root": str(root), "model": "cnn_lstm_sa", "checkpoint": CHECKPOINT}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    loading.forget_stores()
    nothing_known(monkeypatch)
    yield
    loading.forget_stores()


def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perturbed, "_SHELF", perturbed.Shelf(perturbed.MOST_BYTES))


def computed(jobs: list[Job]) -> list[Computed]:
    found = dict(engine.compute(jobs, lambda done, total: None))
    failed = [result for result in found.values() if not isinstance(result, Computed)]
    assert not failed
    return [found[i] for i in range(len(jobs))]  # type: ignore[misc]


def examples_of(source: dict[str, Any], feature: int, **more: Any) -> Job:
    options = {"method": "lime", "samples": SAMPLES, "seed": 1, "layer": "penultimate", "pool_split": "train"}
    options |= {"pool": 1000, "top": 3, "bottom": 0, "exclude": [], **more}
    return Job("Rg", str(feature), "", {"source": source, "options": options})


def test_a_datapoint_is_perturbed_once_for_all_features_that_show_it(source: dict[str, Any]) -> None:
    computed([Job("predictions", "train", "", {"source": source})])
    jobs = [examples_of(source, feature) for feature in range(4)]
    found = computed(jobs)
    shown = [{example["index"] for example in result.numbers["examples"]} for result in found]
    distinct = set.union(*shown)
    assert len(distinct) < sum(len(indices) for indices in shown)
    # The rows are counted with the first feature that shows the datapoint; each set takes at most SAMPLES forwards.
    assert len(distinct) * SAMPLES * 0.8 < sum(result.forwards for result in found) <= len(distinct) * SAMPLES
    seen: set[int] = set()
    for indices, result in zip(shown, found, strict=True):
        assert (result.forwards > 0) == bool(indices - seen)
        seen |= indices


def test_the_order_of_features_and_what_was_known_before_change_no_result(
    source: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed([Job("predictions", "train", "", {"source": source})])
    jobs = [examples_of(source, feature) for feature in range(3)]
    forwards = computed(jobs)
    nothing_known(monkeypatch)
    backwards = computed(jobs[::-1])[::-1]
    for one, other, job in zip(forwards, backwards, jobs, strict=True):
        nothing_known(monkeypatch)
        (alone,) = computed([job])
        assert one.numbers == other.numbers == alone.numbers
        assert one.files == other.files == alone.files


def test_other_settings_are_other_rows(source: dict[str, Any]) -> None:
    computed([Job("predictions", "train", "", {"source": source})])
    jobs = [examples_of(source, 1), *(examples_of(source, 1, **more) for more in ({"seed": 2}, {"layer": "fused"}))]
    assert [bool(result.forwards) for result in computed(jobs)] == [True, True, True]
    assert computed([jobs[0]])[0].forwards == 0


def test_sets_of_very_many_rows_are_not_kept_and_give_the_same_numbers(
    source: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from analysis_core.stages import coalitions, lime

    assert perturbed.MOST_ROWS == coalitions.ROWS_AT_ONCE == lime.ROWS_AT_ONCE
    computed([Job("predictions", "train", "", {"source": source})])
    (kept,) = computed([examples_of(source, 1)])
    nothing_known(monkeypatch)
    monkeypatch.setattr(perturbed, "MOST_ROWS", SAMPLES - 1)
    (not_kept,) = computed([examples_of(source, 1)])
    assert not_kept.numbers == kept.numbers
    assert not perturbed._SHELF._kept


class _Kept:
    def __init__(self, nbytes: int = 10) -> None:
        self.nbytes = nbytes


def test_answers_that_no_longer_fit_are_forgotten_the_least_used_first() -> None:
    kept: list[Any] = [_Kept(), _Kept(), _Kept()]
    shelf = perturbed.Shelf(25)
    shelf.put("a", kept[0])
    shelf.put("b", kept[1])
    assert shelf.get("a") is kept[0]
    shelf.put("c", kept[2])
    assert [shelf.get(key) for key in "abc"] == [kept[0], None, kept[2]]


def test_answers_too_large_to_keep_push_nothing_out() -> None:
    kept: list[Any] = [_Kept(), _Kept(26)]
    shelf = perturbed.Shelf(25)
    shelf.put("small", kept[0])
    shelf.put("large", kept[1])
    assert [shelf.get("small"), shelf.get("large")] == [kept[0], None]


@pytest.mark.parametrize("stage", ["U", "Rg"])
def test_a_method_that_is_not_known_is_refused_and_never_taken_for_another(source: dict[str, Any], stage: str) -> None:
    computed([Job("predictions", "train", "", {"source": source})])
    options = {"method": "shapley", "samples": SAMPLES, "seed": 1, "layer": "penultimate"}
    job = Job("U", "train:1", "logit:3", {"source": source, "options": options})
    if stage == "Rg":
        job = examples_of(source, 1, method="shapley")
    ((_, result),) = engine.compute([job], lambda done, total: None)
    assert isinstance(result, UnknownName)
    assert "shapley" in str(result)


def test_jobs_of_other_methods_are_refused(source: dict[str, Any]) -> None:
    job = Job("U", "train:1", "logit:3", {"source": {**source, "methods": engine.METHODS - 1}, "options": {}})
    with pytest.raises(engine.OtherMethods, match="start the precomputation again"):
        list(engine.compute([job], lambda done, total: None))


def test_rows_switch_one_modality_at_a_time(source: dict[str, Any]) -> None:
    options = {"method": "lime", "samples": SAMPLES, "seed": 1, "layer": "penultimate"}
    (result,) = computed([Job("U", "train:1", "logit:3", {"source": source, "options": options})])
    assert result.numbers["config"]["design"] == "apart"
    assert set(result.numbers["quality"]["r2"]) == {"image", "text"}


def test_saliency_of_all_targets_takes_one_forward(source: dict[str, Any]) -> None:
    options = {"method": "gradient", "samples": 0, "seed": 1, "layer": "penultimate"}
    jobs = [Job("U", "train:1", "logit:3", {"source": source, "options": options})]
    jobs += [Job("Rl", "train:1", f"feature:{j}", {"source": source, "options": options}) for j in (5, 6)]
    together = computed(jobs)
    assert [result.forwards for result in together] == [1, 0, 0]
    (alone,) = computed([jobs[2]])
    assert alone.numbers == together[2].numbers
