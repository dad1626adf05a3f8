"""The form of a study knows every key, and the way from a study to the form and back loses nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studies.config import json_schema, read
from studies.forms.fields import ROWS, fields, words
from studies.forms.posted import compact, fill, study_from
from studies.forms.yaml_text import study_file
from studies.yaml_strict import StudyFileError
from tests.cast import STUDY_FILE, with_quiz
from tests.studies.study_values import random_study
from tests.test_docs import rows, schema_keys, text_of

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "study-file.md"
SHIPPED = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "fixtures").glob("*.yaml"))]
SHOWN = re.findall(r"^```yaml\n(.*?)^```", text_of(GUIDE), re.M | re.S)
FILES = [*SHIPPED, *SHOWN, STUDY_FILE, with_quiz()]


def problems(data: dict[str, list[str]]) -> dict[str, str]:
    with pytest.raises(StudyFileError) as caught:
        study_from(data)
    return {problem.path: problem.message for problem in caught.value.problems}


def form(**changes: list[str]) -> dict[str, list[str]]:
    """The form of the cast's study, some of its controls changed; `__` stands for a dot."""
    named = {name.replace("__", "."): texts for name, texts in changes.items()}
    return {**fill(read(STUDY_FILE).model_dump(mode="json")), **named}


def test_every_key_of_the_schema_has_one_field_and_every_field_a_key() -> None:
    keys = [path for path, _ in schema_keys(json_schema())]
    parts = {path.rpartition(".")[0].removesuffix("[]") for path in keys} - {"conditions"}
    groups = {*ROWS, "questions[].is"}
    assert {path for path in keys if path not in parts} == fields().keys() - groups | {"conditions"}


def test_what_the_form_says_of_a_key_is_what_the_documentation_says() -> None:
    documented = {row[0]: row[2] for row in rows(GUIDE, "key")}
    assert {path: said["meaning"] for path, said in words().items()} == documented


@pytest.mark.parametrize("text", FILES)
def test_a_file_goes_through_the_form_without_loss(text: str) -> None:
    study = read(text)
    assert study_from(fill(study.model_dump(mode="json"))) == study


@pytest.mark.parametrize("text", FILES)
def test_a_file_that_is_written_from_a_study_reads_as_the_same_study(text: str) -> None:
    study = read(text)
    assert read(study_file(study)).sha256 == study.sha256


@pytest.mark.parametrize("seed", range(100))
def test_awkward_studies_go_through_form_and_file_without_loss(seed: int) -> None:
    study = random_study(seed)
    data = fill(study.model_dump(mode="json"))
    assert study_from(data) == study
    assert fill(study_from(data).model_dump(mode="json")) == data
    assert read(study_file(study)) == study


def test_what_was_not_posted_stays_as_it_was() -> None:
    base = read(with_quiz()).model_dump(mode="json")
    study = study_from({"title": ["Another title"]}, base)
    assert study.model_dump(mode="json") == {**base, "title": "Another title"}


def test_a_part_is_gone_when_all_its_fields_are_emptied() -> None:
    base = read(
        with_quiz(
            SHIPPED[0].replace(
                "pages: {consent: auto, instructions: auto, post: [comment], minutes: 30}",
                "pages:\n  post: [comment]\n",
            )
        )
    )
    data = {"items.balance.model_right": [""], "items.balance.model_wrong": [""], "pages.quiz.questions[]": [""]}
    study = study_from(data, base.model_dump(mode="json"))
    assert base.items.balance is not None
    assert base.pages.quiz is not None
    assert (study.items.balance, study.pages.quiz) == (None, None)


def test_empty_rows_are_left_out_and_the_others_move_up() -> None:
    data = form(conditions=["list"])
    data |= {"conditions[0].name": [""], "conditions[0].stages": [""], "conditions[3].annotators": [""]}
    data |= {"conditions[2].name": ["one"], "conditions[2].stages": ["", "U"], "conditions[7].name": ["two"]}
    assert problems(data) == {"conditions[1].stages": "needs at least 1 and has 0"}
    assert compact(data)["conditions[1].name"] == ["two"]


def test_a_preset_is_kept_though_rows_are_filled_in() -> None:
    assert study_from(form(conditions=["Rl+P"]) | {"conditions[0].name": ["x"]}).conditions == "Rl+P"


def test_own_questions_keep_their_place_among_ours() -> None:
    data = form() | {"questions[1].is": ["own"], "questions[1].id": ["why"], "questions[1].text": ["Why?"]}
    questions = study_from(data).questions
    assert [q if isinstance(q, str) else q.id for q in questions] == ["confidence", "why", "comment", "clarity"]


def test_a_question_that_is_written_without_choosing_is_an_own_one() -> None:
    data = form() | {"questions[9].is": [""], "questions[9].id": ["why"], "questions[9].text": ["Why?"]}
    assert getattr(study_from(data).questions[-1], "id", "") == "why"


@pytest.mark.parametrize("written", ["many", "1.5", "9" * 5000, "１２", "0x10", "1_000", "--1"])
def test_what_is_no_whole_number_is_said_at_its_field(written: str) -> None:
    assert "items.count" in problems(form(items__count=[written]))


def test_an_emptied_number_is_not_silently_the_default() -> None:
    assert problems(form(items__count=[""]))["items.count"] == "is empty; the default is 20"


def test_a_line_without_its_arrow_is_said_at_merge() -> None:
    found = problems(form(answers__choices=[""], answers__fixed=["A\nB"], answers__merge=["a A"]))
    assert "one class and its name per line" in found["answers.merge"]
    twice = problems(form(answers__choices=[""], answers__fixed=["A\nB"], answers__merge=["a -> A\na -> B"]))
    assert "stands twice" in twice["answers.merge"]


def test_every_problem_of_a_form_is_told_at_once() -> None:
    found = problems(form(title=[""], items__count=[""], plan__alpha=["2"], answers__choices=["1"]))
    assert found.keys() == {"title", "items.count", "plan.alpha", "answers.choices"}


def test_names_that_no_field_has_change_nothing() -> None:
    odd = {"conditions[99999999999].name": ["x"], "conditions[0].__class__": ["x"], "items": ["x"], "": ["x"]}
    assert study_from({**form(), **odd}) == read(STUDY_FILE)
