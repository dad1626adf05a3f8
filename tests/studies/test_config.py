"""The study file's schema: presets, defaults, and errors that carry the path of the bad key."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from studies import config
from studies.config_parts import OwnQuestion
from studies.yaml_strict import StudyFileError

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
study: scenes
kind: simulation
title: A study
dataset: {name: clevr, root: data, split: val, train: train}
model: {name: cnn_lstm_sa, checkpoint: checkpoint}
items: {count: 4, practice: 1}
answers: {choices: 4}
target_class_policy: predicted
conditions: multiviz-ablation
"""


def messages(text: str) -> list[str]:
    with pytest.raises(StudyFileError) as caught:
        config.read(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_preset_spells_out_the_papers_five_conditions() -> None:
    read = config.read(GOOD)
    assert [arm.name for arm in read.arms] == ["U", "U+C", "U+C+Rl", "U+C+Rl+Rg", "U+C+Rl+Rg+P"]
    assert [arm.stages for arm in read.arms][-1] == ["U", "C", "Rl", "Rg", "P"]
    assert {arm.annotators for arm in read.arms} == {3}


@pytest.mark.parametrize(("preset", "stages"), [("Rl+P", ["Rl", "P"]), ("Rg+P", ["Rg", "P"])])
def test_the_two_stage_presets_are_one_condition_each(preset: str, stages: list[str]) -> None:
    (arm,) = config.read(GOOD.replace("multiviz-ablation", preset)).arms
    assert (arm.name, arm.stages) == (preset, stages)


def test_conditions_may_be_written_out_with_their_own_numbers() -> None:
    written = "[{name: all, stages: [P, U], annotators: 7}, {name: none, stages: [U]}]"
    first, second = config.read(GOOD.replace("multiviz-ablation", written)).arms
    assert (first.stages, first.annotators) == (["U", "P"], 7)
    assert second.annotators == 3


def test_a_misspelt_key_names_the_nearest_one_and_its_line() -> None:
    (message,) = messages(GOOD + "sed: 7\n")
    assert message == "line 11, sed: unknown key; did you mean 'seed'?"


def test_a_misspelt_key_deep_inside_names_its_path() -> None:
    bad = GOOD.replace("{count: 4, practice: 1}", "{count: 4, where: {answer_typ: [color]}}")
    assert messages(bad) == ["line 7, items.where.answer_typ: unknown key; did you mean 'answer_type'?"]


def test_a_misspelt_key_inside_a_condition_names_its_place() -> None:
    bad = GOOD.replace("multiviz-ablation", "[{name: U, stage: [U]}]")
    assert any("conditions[0].stage: unknown key; did you mean 'stages'?" in message for message in messages(bad))


def test_a_missing_key_is_named() -> None:
    assert messages(GOOD.replace("title: A study\n", "")) == ["title: this key is missing"]


def test_a_condition_without_annotators_is_refused() -> None:
    (message,) = messages(GOOD.replace("multiviz-ablation", "[{name: U, stages: [U], annotators: 0}]"))
    assert "conditions[0].annotators" in message
    (message,) = messages(GOOD + "annotators: {per_condition: 0}\n")
    assert "annotators.per_condition" in message


def test_two_conditions_of_one_name_are_refused() -> None:
    bad = GOOD.replace("multiviz-ablation", "[{name: U, stages: [U]}, {name: U, stages: [C]}]")
    assert messages(bad) == ["line 10, conditions[1].name: another condition is called 'U' too"]


def test_a_question_asked_twice_is_refused_at_its_place() -> None:
    # Two questions of one name would share a form field, and one answer would be lost.
    own = "{id: why, text: Why}, comment, {id: why, text: Why so}"
    assert messages(GOOD + f"questions: [{own}]\n") == ["line 11, questions[2]: 'why' is asked twice"]
    assert messages(GOOD + "questions: [comment, comment]\n") == ["line 11, questions[1]: 'comment' is asked twice"]


def test_a_balance_that_does_not_add_up_is_refused() -> None:
    bad = GOOD.replace("{count: 4, practice: 1}", "{count: 4, balance: {model_right: 2, model_wrong: 1}}")
    assert messages(bad) == ["line 7, items: balance adds up to 3, but count is 4"]


def test_features_need_a_training_split() -> None:
    (message,) = messages(GOOD.replace(", train: train", ""))
    assert message.startswith("line 5, dataset.train: ")


def test_stages_without_features_need_none() -> None:
    alone = GOOD.replace(", train: train", "").replace("multiviz-ablation", "[{name: U, stages: [U]}]")
    assert not config.read(alone).needs_features


@pytest.mark.parametrize("kind", ["concept", "error", "debugging"])
def test_kinds_that_cannot_be_run_yet_say_so(kind: str) -> None:
    (message,) = messages(GOOD.replace("simulation", kind))
    assert message.startswith("line 3, kind: ")
    assert "cannot be run yet" in message


def test_a_misspelt_kind_names_the_nearest_one() -> None:
    assert "did you mean simulation?" in messages(GOOD.replace("kind: simulation", "kind: simulatoin"))[0]


@pytest.mark.parametrize("name", ["choice", "position", "submission", "sheet", "sequence", "csrfmiddlewaretoken"])
def test_an_own_question_may_not_take_a_form_fields_name(name: str) -> None:
    (message,) = messages(GOOD + f"questions: [confidence, {{id: {name}, text: Because}}]\n")
    assert message.startswith("line 11, questions[1].id: ")
    assert "platform's own name" in message


def test_a_misspelt_question_names_its_place_and_what_there_is() -> None:
    (message,) = messages(GOOD + "questions: [confidense]\n")
    assert message == "line 11, questions[0]: 'confidense' is not known here; did you mean 'confidence'?"


def test_a_misspelt_preset_names_the_nearest_one() -> None:
    (message,) = messages(GOOD.replace("multiviz-ablation", "multivis-ablation"))
    assert message == "line 10, conditions: 'multivis-ablation' is not known here; did you mean 'multiviz-ablation'?"


def test_the_policy_must_be_stated() -> None:
    assert messages(GOOD.replace("target_class_policy: predicted\n", "")) == [
        "target_class_policy: this key is missing"
    ]


def test_the_version_depends_on_meaning_and_not_on_layout() -> None:
    reordered = "\n".join(reversed(GOOD.strip().splitlines())) + "\nseed: 0  # the default\n"
    assert config.read(reordered).sha256 == config.read(GOOD).sha256
    assert config.read(GOOD + "seed: 1\n").sha256 != config.read(GOOD).sha256


def test_the_canonical_form_reads_back_to_the_same_study() -> None:
    read = config.read(GOOD)
    assert config.from_values(json.loads(read.canonical())) == read


@pytest.mark.parametrize("file", sorted((ROOT / "fixtures").glob("*.yaml")), ids=lambda file: file.name)
def test_the_shipped_studies_are_valid_and_fit_the_published_schema(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    config.read(text)
    jsonschema.Draft202012Validator(config.json_schema()).validate(yaml.safe_load(text))


def test_the_published_schema_refuses_unknown_keys() -> None:
    validator = jsonschema.Draft202012Validator(config.json_schema())
    assert list(validator.iter_errors(yaml.safe_load(GOOD + "sed: 7\n")))


def test_more_explanations_than_practice_items_are_refused() -> None:
    (message,) = messages(GOOD.replace("practice: 1}", "practice: 1, explanations: [One., Two.]}"))
    assert message == "line 7, items: explanations has 2 texts for 1 practice items"


@pytest.mark.parametrize("escape", ["\\0", "\\x07", "\\ud800", "\\x7f"])
def test_characters_that_no_database_takes_are_refused_at_their_key(escape: str) -> None:
    (message,) = messages(GOOD.replace("title: A study", f'title: "A {escape} study"'))
    assert message.startswith("line 4, title: contains the control character U+")


def test_right_to_left_text_and_emoji_are_kept() -> None:
    read = config.read(GOOD.replace("A study", "מה עונה המודל؟ 🧪"))
    assert config.from_values(json.loads(read.canonical())).title == "מה עונה המודל؟ 🧪"


def test_an_address_of_the_platform_is_no_name_of_a_study() -> None:
    (message,) = messages(GOOD.replace("study: scenes", "study: new"))
    assert message == "line 2, study: 'new' is an address of the platform; choose another name"


def test_a_wrong_pattern_is_explained_in_words() -> None:
    (message,) = messages(GOOD.replace("study: scenes", "study: My Scenes"))
    assert message == "line 2, study: write lower-case letters, digits and single hyphens between them"


def test_values_without_a_file_get_the_same_problems_without_lines() -> None:
    with pytest.raises(StudyFileError) as caught:
        config.read_values({**yaml.safe_load(GOOD), "sed": 7, "title": "a\x00b"})
    assert [str(problem) for problem in caught.value.problems] == [
        "title: contains the control character U+0000; take it out"
    ]


@pytest.mark.parametrize("name", ["matches", "elements", "dataset", "overview", "discard", "choice"])
def test_an_own_question_may_not_shadow_what_the_pages_scripts_read(name: str) -> None:
    with pytest.raises(ValueError, match="the platform's own name"):
        OwnQuestion(id=name, text="How hard was this item?")
