"""The seam on a real model and a small generated dataset: what is shared, what is counted, what is never an example."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pytest_django import Settings

from analysis_core.errors import BadCheckpoint, BadData, BadInput, MissingCapability
from studies import engine
from studies.computed import Computed, Job
from studies.engine import loading

CHECKPOINT = "fixtures/checkpoints/clevr_cnn_lstm_sa"
SAMPLES = 60


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("scenes")
    split = {"scenes": 8, "questions_per_scene": 4}
    recipe = {"generator": "scenes", "seed": 11, "size": 96, "splits": {"val": split, "train": split}}
    (root / "recipe.json").write_text(json.dumps(recipe))
    return {"dataset": "clevr", "root": str(root), "model": "cnn_lstm_sa", "checkpoint": CHECKPOINT}


@pytest.fixture(autouse=True)
def fresh_stores() -> Iterator[None]:
    loading.forget_stores()
    yield
    loading.forget_stores()


def lime(**more: Any) -> dict[str, Any]:
    return {"method": "lime", "samples": SAMPLES, "seed": 1, "layer": "penultimate", **more}


def computed(jobs: list[Job]) -> list[Computed]:
    found = dict(engine.compute(jobs, lambda done, total: None))
    return [found[i] for i in range(len(jobs))]


def picture(result: Computed, name: str) -> Image.Image:
    content, media_type = result.files[name]
    assert media_type == "image/png"
    return Image.open(io.BytesIO(content))


def predict(source: dict[str, Any], split: str) -> Computed:
    return computed([Job("predictions", split, "", {"source": source})])[0]


def test_a_prediction_run_says_how_far_it_is_and_leaves_facts_behind(source: dict[str, Any]) -> None:
    ticks: list[tuple[int, int]] = []
    job = Job("predictions", "val", "", {"source": source})
    ((_, result),) = engine.compute([job], lambda done, total: ticks.append((done, total)))
    assert (result.numbers["rows"], result.forwards) == (32, 32)
    assert ticks[-1] == (32, 32)
    assert engine.has_predictions(source, "val")
    assert not engine.has_predictions(source, "train")
    facts = engine.facts(source, "val")
    assert [point.index for point in facts.points] == list(range(32))
    ranking = engine.rankings(source, "val", [3])[3]
    assert ranking[0] == facts.points[3].predicted
    assert sorted(ranking) == list(range(len(facts.labels)))
    assert len(engine.features_of(source, "val", 3)) == 512


def test_u_and_all_features_share_one_set_of_perturbations(source: dict[str, Any]) -> None:
    jobs = [Job("U", "val:2", "logit:3", {"source": source, "options": lime()})]
    jobs += [Job("Rl", "val:2", f"feature:{j}", {"source": source, "options": lime()}) for j in (5, 6, 7)]
    together = computed(jobs)
    assert sum(result.forwards for result in together) <= SAMPLES
    # Computed alone, a feature's explanation is the same: what is shared does not change it.
    (alone,) = computed([jobs[2]])
    assert alone.numbers == together[2].numbers
    assert alone.files == together[2].files


def test_the_datapoint_is_shown_as_it_was_written_and_without_metadata(source: dict[str, Any]) -> None:
    (result,) = computed([Job("input", "val:0", "", {"source": source})])
    sample = loading.dataset(source, "val")[0]
    assert " ".join(word["text"] for word in result.numbers["words"]) == sample["text"]
    assert set(result.numbers["words"][0]) == {"text"}
    assert picture(result, "image").info == {}


def test_c_draws_one_map_per_word_in_reading_order(source: dict[str, Any]) -> None:
    options = {"method": "second_order", "direction": "norm", "words": 3, "seed": 1}
    (result,) = computed([Job("C", "val:2", "logit:3", {"source": source, "options": options})])
    atoms = [pair["atom"] for pair in result.numbers["pairs"]]
    assert len(atoms) == 3
    assert atoms == sorted(atoms)
    assert set(result.files) == {"overlay0", "overlay1", "overlay2"}
    assert picture(result, "overlay0").width >= 384


def test_examples_are_distinct_pictures_of_the_pool_and_none_of_the_excluded(source: dict[str, Any]) -> None:
    predict(source, "train")
    excluded = list(range(12))
    options = lime(pool_split="train", pool=1000, top=3, bottom=1, exclude=excluded)
    (result,) = computed([Job("Rg", "40", "", {"source": source, "options": options})])
    examples = result.numbers["examples"]
    assert [example["end"] for example in examples] == ["top", "top", "top", "bottom"]
    assert not {example["index"] for example in examples} & set(excluded)
    dataset = loading.dataset(source, "train")
    assert len({str(dataset[example["index"]]["image_path"]) for example in examples[:3]}) == 3
    assert {f"image{i}" for i in range(4)} <= set(result.files)


def test_the_path_is_fitted_on_predictions_and_meets_its_optimality_conditions(source: dict[str, Any]) -> None:
    predict(source, "train")
    options = {"family": "gaussian", "fit": "predictions", "max_features": 6}
    (result,) = computed([Job("path", "train", "", {"source": source, "options": options})])
    predicted = {str(point.predicted) for point in engine.facts(source, "train").points}
    assert set(result.numbers["classes"]) == predicted
    assert result.numbers["quality"]["kkt"] <= 1e-9
    for entry in result.numbers["classes"].values():
        assert len(entry["indices"]) <= 6
        assert all(weight != 0 for weight in entry["weights"])


def test_the_graph_masks_the_class_and_numbers_the_features(source: dict[str, Any]) -> None:
    rows = [{"feature": 41, "weight": 0.5}, {"feature": 7, "weight": 0.25}]
    (result,) = computed([Job("P", "val:2", "logit:3", {"source": source, "options": {"features": rows}})])
    content, media_type = result.files["graph"]
    drawn = content.decode()
    assert media_type == "image/svg+xml"
    assert "Feature 1" in drawn
    assert "41" not in drawn
    names = loading.dataset(source, "val").labels
    assert not [name for name in names if f">{name}<" in drawn]


def test_other_data_in_the_same_folder_has_another_store(source: dict[str, Any], tmp_path: Path) -> None:
    first = {**source, "data_sha256": "a"}
    second = {**source, "data_sha256": "b"}
    assert loading.store_folder(first, "val") != loading.store_folder(second, "val")


def test_a_checkpoint_exchanged_in_mid_run_is_refused(source: dict[str, Any]) -> None:
    exchanged = {**source, "checkpoint_sha256": "0" * 64}
    job = Job("U", "val:2", "logit:3", {"source": exchanged, "options": lime()})
    ((_, result),) = engine.compute([job], lambda done, total: None)
    assert isinstance(result, BadCheckpoint)
    assert "no longer the checkpoint" in str(result)


def test_data_exchanged_in_mid_run_are_refused(source: dict[str, Any]) -> None:
    with pytest.raises(BadData, match="no longer holds the data"):
        loading.dataset({**source, "data_sha256": "0" * 64}, "val")


def test_a_stage_that_cannot_be_computed_leaves_its_neighbours_alone(source: dict[str, Any]) -> None:
    jobs = [
        Job("U", "val:2", "logit:3", {"source": source, "options": lime()}),
        Job("C", "val:2", "logit:100000", {"source": source, "options": {"direction": "norm", "words": 2, "seed": 1}}),
        Job("input", "val:2", "", {"source": source}),
    ]
    found = dict(engine.compute(jobs, lambda done, total: None))
    assert isinstance(found[1], BadInput)
    assert isinstance(found[0], Computed)
    assert isinstance(found[2], Computed)


def test_without_the_gpu_that_is_wanted_the_cpu_computes_and_results_say_so(
    settings: Settings, source: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEVICE = "cuda:99"
    ((_, found),) = engine.compute(
        [Job("U", "val:2", "logit:3", {"source": source, "options": lime()})], lambda done, total: None
    )
    assert isinstance(found, Computed)
    assert found.device == "cpu"
    assert "DEVICE=cuda:99" in caplog.text


def test_a_device_that_is_not_there_is_refused_by_name(settings: Settings) -> None:
    settings.DEVICE = "tpu"
    with pytest.raises(MissingCapability, match="DEVICE=tpu"):
        engine.device()
