"""What the linter finds in data, checkpoints and counts, with the path of the key that is to blame."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from studies import config, linter
from studies.yaml_strict import Problem

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINT = ROOT / "fixtures/checkpoints/clevr_cnn_lstm_sa"
STUDY = """
study: scenes
kind: simulation
title: A study
dataset: {{name: clevr, root: {root}, split: val, train: train}}
model: {{name: cnn_lstm_sa, checkpoint: {checkpoint}}}
items: {{count: 6, practice: 1}}
answers: {{choices: 4}}
target_class_policy: predicted
conditions: multiviz-ablation
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small generated dataset, made once."""
    from analysis_core import datasets

    root = tmp_path_factory.mktemp("scenes")
    split = {"scenes": 6, "questions_per_scene": 4}
    recipe = {"generator": "scenes", "seed": 3, "size": 96, "splits": {"val": split, "train": split}}
    (root / "recipe.json").write_text(json.dumps(recipe))
    for name in ("val", "train"):
        datasets.load("clevr", root=root, split=name)
    return root


@pytest.fixture
def scenes(generated: Path, tmp_path: Path) -> Path:
    """A copy that a test may break; without its recipe, so that nothing is made anew."""
    root = tmp_path / "scenes"
    shutil.copytree(generated, root)
    (root / "recipe.json").unlink()
    return root


def check(root: Path, *changes: tuple[str, str], checkpoint: Path = CHECKPOINT) -> list[Problem]:
    text = STUDY.format(root=root, checkpoint=checkpoint)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return linter.check(config.read(text), base=ROOT)


def test_a_sound_study_has_no_problems(scenes: Path) -> None:
    assert check(scenes) == []


def test_a_dataset_of_an_unknown_name_offers_the_nearest(scenes: Path) -> None:
    (problem,) = check(scenes, ("name: clevr", "name: clever"))
    assert problem.path == "dataset.name"
    assert "did you mean clevr" in problem.message


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    (problem,) = check(tmp_path / "nowhere")
    assert problem.path == "dataset.root"
    assert "nowhere" in problem.message


def test_a_missing_split_is_named(scenes: Path) -> None:
    problems = check(scenes, ("split: val", "split: test"))
    assert problems[0].path == "dataset.split"
    assert "test" in problems[0].message


def test_a_truncated_picture_is_named(scenes: Path) -> None:
    picture = sorted((scenes / "images/val").glob("*.png"))[2]
    picture.write_bytes(picture.read_bytes()[:200])
    (problem,) = check(scenes)
    assert problem.path == "dataset.split"
    assert picture.name in problem.message


def test_a_truncated_picture_of_the_training_split_is_named_too(scenes: Path) -> None:
    picture = sorted((scenes / "images/train").glob("*.png"))[1]
    picture.write_bytes(b"no picture")
    (problem,) = check(scenes)
    assert problem.path == "dataset.train"
    assert picture.name in problem.message


def test_one_map_per_choice_and_choices_of_several_classes_do_not_go_together(scenes: Path) -> None:
    merged = ("choices: 4", "fixed: [warm, blue], merge: {red: warm, purple: warm}")
    (problem,) = check(scenes, merged, ("policy: predicted", "policy: all_candidates"))
    assert problem.path == "answers.merge"


def test_a_file_in_the_place_of_the_datas_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (problem,) = check(tmp_path / "file")
    assert "is not a folder" in problem.message


def test_a_broken_question_file_names_file_and_line(scenes: Path) -> None:
    (questions,) = (scenes / "questions").glob("CLEVR_val_questions*.json")
    questions.write_text(questions.read_text()[:-40])
    (problem,) = check(scenes)
    assert problem.path == "dataset.split"
    assert questions.name in problem.message
    assert "line" in problem.message


def test_another_models_checkpoint_is_refused(scenes: Path, tmp_path: Path) -> None:
    other = tmp_path / "checkpoint"
    shutil.copytree(CHECKPOINT, other)
    described = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**described, "model": "nlvr_regions"}))
    (problem,) = check(scenes, checkpoint=other)
    assert problem.path == "model.checkpoint"
    assert "nlvr_regions" in problem.message


def test_a_checkpoint_with_other_classes_is_refused(scenes: Path, tmp_path: Path) -> None:
    other = tmp_path / "checkpoint"
    shutil.copytree(CHECKPOINT, other)
    described = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**described, "labels": ["yes", "no"]}))
    (problem,) = check(scenes, checkpoint=other)
    assert problem.path == "model.checkpoint"
    assert "2 classes" in problem.message


def test_fewer_matching_items_than_asked_for_is_refused_with_both_numbers(scenes: Path) -> None:
    (problem,) = check(scenes, ("count: 6", "count: 500"))
    assert problem.path == "items.count"
    assert "24 datapoints" in problem.message  # 6 scenes x 4 questions
    assert "501" in problem.message


def test_a_filter_value_that_does_not_occur_is_named_with_what_there_is(scenes: Path) -> None:
    (problem,) = check(scenes, ("practice: 1", "practice: 1, where: {answer_type: [colour]}"))
    assert problem.path == "items.where.answer_type[0]"
    assert "color" in problem.message


def test_an_id_that_is_not_in_the_split_is_named(scenes: Path) -> None:
    (problem,) = check(scenes, ("count: 6, practice: 1", "count: 1, practice: 0, ids: [nobody]"))
    assert problem.path == "items.ids[0]"


def test_a_fixed_answer_that_is_no_class_is_named(scenes: Path) -> None:
    (problem,) = check(scenes, ("choices: 4", "fixed: [red, reddish]"))
    assert problem.path == "answers.fixed"
    assert "reddish" in problem.message


def test_a_missing_consent_text_is_named(scenes: Path) -> None:
    (problem,) = check(scenes, ("conditions:", "pages: {consent: nowhere.md}\nconditions:"))
    assert problem.path == "pages.consent"


def test_a_text_that_is_written_out_is_no_file(scenes: Path) -> None:
    written = 'pages: {consent: "# Consent\\n\\nOur own.", instructions: "Look.\\nThen answer."}'
    assert not check(scenes, ("conditions:", f"{written}\nconditions:"))
    (problem,) = check(scenes, ("conditions:", "pages: {consent: I agree to all of it}\nconditions:"))
    assert "needs a second line" in problem.message


@pytest.mark.parametrize("content", [b"junk", b""])
def test_damaged_weights_are_refused_before_anything_is_stored(scenes: Path, tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "checkpoint"
    shutil.copytree(CHECKPOINT, other)
    (other / "model.safetensors").write_bytes(content)
    (problem,) = check(scenes, checkpoint=other)
    assert problem.path == "model.checkpoint"
    assert "model.safetensors" in problem.message
