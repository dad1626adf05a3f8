"""What the methods paragraph says of explanations: of every stage that was shown, how it was computed, and no more."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studies import engine
from studies.computed import Computed, Job
from studies.config import StudyConfig, read_values
from studies.config_parts import STAGES
from studies.engine import loading
from studies.models import Artefact, StudyVersion
from studies.reports.build import build
from studies.reports.methods_stages import stages
from tests.studies.reports.answers import make_config, make_sheet, make_version, right

CHECKPOINT = "fixtures/checkpoints/clevr_cnn_lstm_sa"
SUBSETS = [subset for n in range(1, 6) for subset in itertools.combinations(STAGES, n)]
SEED = 11
APART = ", shared equally among the modalities, one perturbed at a time (the other whole)."
JOINT = ", each of which perturbs the modalities together."


def config_of(*shown: str, **parts: Any) -> StudyConfig:
    """A study with these stages in one condition; parts: of `stages`."""
    values = make_config().model_dump(mode="json", exclude_unset=True)
    values |= {"seed": SEED, "stages": parts, "conditions": [{"name": "only", "stages": list(shown)}]}
    return read_values(values)


def text_of(config: StudyConfig, *conditions: tuple[str, ...], lime_rows: str = "apart", projections: int = 0) -> str:
    arms: Any = [SimpleNamespace(stages=shown) for shown in conditions or [tuple(config.shown_stages)]]
    made: Any = SimpleNamespace(lime_rows=lime_rows, projections=projections)
    return " ".join(stages(config, made, arms))


def lime_of(text: str) -> list[str]:
    """The stages that the sentence about LIME names."""
    found = re.search(r"LIME \(([^)]*)\) is that of", text)
    return re.split(", | and ", found[1]) if found else []


@pytest.mark.parametrize("shown", SUBSETS, ids="+".join)
def test_each_stage_that_was_shown_is_described_and_no_other(shown: tuple[str, ...]) -> None:
    text = text_of(config_of(*shown))
    first = text.partition(". ")[0]
    assert [stage for stage in STAGES if re.search(rf"\({stage}[,)]", first)] == list(shown)
    assert lime_of(text) == [stage for stage in ("U", "Rl", "Rg") if stage in shown]
    assert ("with 1000 samples of each datapoint (itself among them), perturbed with seed 11" in text) == bool(
        {"U", "Rl", "Rg"} & set(shown)
    )
    assert ("seed" in text) == ("LIME" in text)
    assert ("C is, for up to 10 words" in text) == ("C" in shown)
    assert ("Features are those of the penultimate layer" in text) == bool({"Rl", "Rg", "P"} & set(shown))
    assert ("The datapoints of Rg come from" in text) == ("Rg" in shown)
    assert text.endswith(f"No {'other ' if 'LIME' in text else ''}explanation is computed from random draws.")


@pytest.mark.parametrize(
    ("shown", "parts", "by_lime", "by_gradient"),
    [
        ("Rg P", {}, "Rg", ""),
        ("Rg P", {"R": {"method": "gradient"}}, "", "Rg"),
        ("U Rg", {"R": {"method": "gradient"}}, "U", "Rg"),
        ("U Rg", {"U": {"method": "gradient"}}, "Rg", "U"),
        ("U Rl Rg", {"U": {"method": "gradient"}, "R": {"method": "gradient"}}, "", "U, Rl and Rg"),
        ("C P", {}, "", ""),
        ("P", {"U": {"method": "gradient"}}, "", ""),
    ],
)
def test_lime_and_gradients_are_named_for_the_stages_that_had_them(
    shown: str, parts: dict[str, Any], by_lime: str, by_gradient: str
) -> None:
    text = text_of(config_of(*shown.split(), **parts))
    assert (f"LIME ({by_lime}) is that of" in text) if by_lime else ("LIME" not in text and "seed" not in text)
    assert (f"Gradients ({by_gradient}) are norms" in text) if by_gradient else ("Gradients" not in text)


@pytest.mark.parametrize(("rows", "ending"), [("apart", APART), ("joint", JOINT), ("", ", perturbed with seed 11.")])
def test_rows_of_examples_alone_have_their_number_seed_and_design(rows: str, ending: str) -> None:
    text = text_of(config_of("Rg", "P", U={"samples": 200}), lime_rows=rows)
    assert "LIME (Rg) is that of Ribeiro, Singh & Guestrin, 2016, with 200 samples of each datapoint" in text
    (sentence,) = re.findall(r"LIME \(Rg\) is that of.*?(?<!&)\.(?= )", text)
    assert sentence.endswith(ending)


def test_examples_of_both_ends_and_where_they_come_from() -> None:
    text = text_of(config_of("Rg", R={"top": 1, "bottom": 2, "pool": 60, "features": 4}))
    assert "for each feature 1 datapoint of its highest and 2 of its lowest activations, with what sets it off" in text
    assert "come from the first 60 of the split train (all, where it has fewer); no two of a feature" in text
    assert "up to 4 per class, with the largest positive weights in a sparse linear model of the model's pred" in text
    assert "lowest" not in text_of(config_of("Rg"))


def test_examples_of_the_split_of_the_items_are_other_datapoints() -> None:
    config = config_of("Rg")
    same = config.model_copy(update={"dataset": config.dataset.model_copy(update={"train": config.dataset.split})})
    assert "of the split val (all, where it has fewer), without the study's own items;" in text_of(same)


def test_the_sparse_model_is_that_of_the_plan_of_stage_p() -> None:
    text = text_of(config_of("Rl", P={"fit": "labels", "rank": "contribution"}))
    assert "positive contributions (weight times z-score) at the datapoint in a sparse linear model of the true" in text
    assert "the weights of a sparse" not in text


@pytest.mark.parametrize(
    ("direction", "words"),
    [
        ("norm", "the derivative of the norm of the word's gradient, with respect to the picture."),
        ("l1", "the derivative of the sum of the absolute components of the word's gradient, with"),
        ("grad_x_input", "the derivative of the product of the word's gradient and its input, with"),
        ("sum", "the derivative of the sum of the components of the word's gradient, with"),
        ("hutchinson", "along 8 random directions (root mean square), drawn with seed 11, with respect"),
    ],
)
def test_the_direction_of_second_order_is_told_with_its_draws(direction: str, words: str) -> None:
    text = text_of(config_of("C", C={"direction": direction, "words": 1}), projections=8)
    assert words in text
    assert "C is, for up to 1 word with" in text
    assert ("seed" in text) == ("No other explanation" in text) == (direction == "hutchinson")


def test_what_only_a_condition_without_annotators_shows_was_seen_by_nobody() -> None:
    config = config_of("U", "C", "P")
    text = text_of(config, ("P",))
    assert text.startswith("They saw the weights of a sparse linear model from features to classes (P). Features are")
    for absent in ("LIME", "C is", "(U"):
        assert absent not in text
    assert text_of(config, ("U",), ("P",)).startswith("By condition they saw unimodal importance (U, LIME) and the")


def with_artefacts(version: StudyVersion, *made: tuple[str, dict[str, Any]]) -> StudyVersion:
    """The version with results (stage, numbers), and an annotator who has finished in each condition."""
    for stage, numbers in made:
        row = {"subject": "4", "stage": stage, "state": "ready", "sha256": "0" * 64, "params": {}}
        version.artefacts.add(Artefact.objects.create(**row, params_hash="0" * 64, numbers=numbers))
    for condition in version.conditions.all():
        make_sheet(version, condition.name, right(5))
    return version


@pytest.mark.django_db
@pytest.mark.parametrize("design", ["apart", "joint", None])
def test_a_study_of_examples_alone_reads_the_rows_from_them(design: str | None) -> None:
    config = {"samples": 1000, "seed": 0} | ({"design": design} if design else {})
    version = make_version(conditions="[{name: Rg+P, stages: [Rg, P]}]")
    text = build(with_artefacts(version, ("P", {}), ("Rg", {"examples": [{"config": config}]}))).methods
    told = "LIME (Rg) is that of Ribeiro, Singh & Guestrin, 2016, with 1000 samples of each datapoint (itself among"
    assert f"{told} them), perturbed with seed 0{APART if design == 'apart' else JOINT}" in text
    assert "Ribeiro, M. T." in text


@pytest.mark.django_db
def test_a_condition_without_annotators_is_left_out_of_a_reports_paragraph() -> None:
    version = make_version(conditions="[{name: A, stages: [Rg, P]}, {name: B, stages: [C]}]")
    make_sheet(version, "B", right(5))
    text = build(version).methods
    assert "They saw cross-modal interactions (C, second-order gradients). C is, for up to 10 words" in text
    assert "LIME" not in text


@pytest.mark.django_db
def test_results_of_the_engine_say_of_themselves_what_the_paragraph_reads(tmp_path: Path) -> None:
    recipe = {
        "generator": "scenes",
        "seed": 5,
        "size": 96,
        "splits": {"train": {"scenes": 3, "questions_per_scene": 2}},
    }
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    source = {"dataset": "clevr", "root": str(tmp_path), "model": "cnn_lstm_sa", "checkpoint": CHECKPOINT}
    lime = {"method": "lime", "samples": 40, "seed": 0, "layer": "penultimate"}
    pool = {"pool_split": "train", "pool": 1000, "top": 1, "bottom": 0, "exclude": []}
    crossmodal = {"method": "second_order", "direction": "hutchinson", "words": 2, "seed": 0}
    loading.forget_stores()
    jobs = [
        Job("predictions", "train", "", {"source": source}),
        Job("Rg", "4", "", {"source": source, "options": lime | pool}),
        Job("C", "train:0", "logit:1", {"source": source, "options": crossmodal}),
    ]
    made = [result for job in jobs for _, result in engine.compute([job], lambda done, total: None)]
    assert all(isinstance(result, Computed) for result in made)
    _, examples, pairs = (result.numbers for result in made if isinstance(result, Computed))
    version = make_version(conditions="[{name: C+Rg, stages: [C, Rg]}]")
    version.definition["stages"]["C"]["direction"] = "hutchinson"
    version.definition["stages"]["U"]["samples"] = 40
    text = build(with_artefacts(version, ("Rg", examples), ("C", pairs))).methods
    rows = examples["examples"][0]["quality"]["evaluations"]
    assert f"LIME (Rg) is that of Ribeiro, Singh & Guestrin, 2016, with {rows} samples of each datapoint" in text
    assert APART in text
    assert "the word's gradient along 8 random directions (root mean square), drawn with seed 0" in text
