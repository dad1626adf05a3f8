"""The leak linter: class names in what conditions show are found and refuse the freeze; own words are legitimate."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from studies import config
from studies.artefact_files import store
from studies.leak_linter import Leak, leaks
from studies.models import Artefact, Study
from studies.services.freezing import StudyRefused, study_freeze
from tests import cast

pytestmark = pytest.mark.django_db
SVG = '<svg xmlns="http://www.w3.org/2000/svg" text-anchor="middle">{}</svg>'


@pytest.fixture
def draft(db: None) -> Study:
    return cast.study(state=Study.State.DRAFT)


def change(study: Study, stage: str, **values: Any) -> Artefact:
    """The first item's result of a stage (or the first feature's), changed."""
    row = study.version.artefacts.filter(stage=stage).order_by("pk")[0]
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
    return row


def drawing(body: str) -> dict[str, Any]:
    return {"graph": store(SVG.format(body).encode(), "image/svg+xml")}


def found(study: Study) -> list[tuple[str, str, str]]:
    return [(leak.stage, leak.where, leak.word) for leak in leaks(study.version)]


def test_a_study_whose_results_name_no_class_has_no_findings(draft: Study) -> None:
    assert leaks(draft.version) == []
    assert study_freeze(study=draft, actor="rosa").state == Study.State.FROZEN


def test_a_class_name_in_a_caption_is_found_in_any_case_with_its_place(draft: Study) -> None:
    change(draft, "U", numbers={"words": [], "caption": "What made it say Red."})
    assert leaks(draft.version) == [Leak("item 0", "U", "caption", "Red")]


def test_a_word_that_the_explanation_shows_and_the_datapoint_does_not_hold_is_found(draft: Study) -> None:
    change(draft, "C", numbers={"pairs": [{"word": "cube"}, {"word": "blue"}]})
    assert found(draft) == [("C", "pairs[1].word", "blue")]


def test_the_datapoints_own_words_are_legitimate(draft: Study) -> None:
    change(draft, "input", numbers={"words": [{"text": "Is"}, {"text": "it"}, {"text": "Blue?"}]})
    change(draft, "C", numbers={"pairs": [{"word": "blue?"}]})
    assert found(draft) == []


def test_the_datapoints_own_words_are_no_excuse_in_a_drawing_or_caption(draft: Study) -> None:
    change(draft, "input", numbers={"words": [{"text": "red"}, {"text": "or"}, {"text": "blue?"}]})
    change(draft, "U", numbers={"words": [{"text": "red"}], "caption": "What made it say red."})
    change(draft, "P", files=drawing("<title>towards red</title>"))
    assert found(draft) == [("P", "<title> of the file 'graph'", "red"), ("U", "caption", "red")]


def test_the_words_of_an_example_are_its_own_and_its_caption_is_not(draft: Study) -> None:
    change(draft, "Rg", numbers={"examples": [{"words": [{"text": "green"}], "caption": "a green one"}]})
    assert found(draft) == [("Rg", "examples[0].caption", "green")]


def test_a_class_name_in_a_file_name_is_found(draft: Study) -> None:
    row = change(draft, "U")
    change(draft, "U", files={"overlay_red2": row.files["overlay"]})
    assert found(draft) == [("U", "the file name 'overlay_red2'", "red")]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("<text>towards red</text>", "<text>"),
        ("<title>red</title>", "<title>"),
        ("<desc>The red answer</desc>", "<desc>"),
        ("<!-- logit of red -->", "<comment>"),
        ('<g id="class-red"/>', "id= of <g>"),
        ('<rect fill="red"/>', "fill= of <rect>"),
        ('<g aria-label="RED"/>', "aria-label= of <g>"),
        ("<g/>red", "<g>"),
    ],
)
def test_a_class_name_anywhere_in_a_drawing_is_found(draft: Study, body: str, where: str) -> None:
    change(draft, "P", files=drawing(body))
    assert [(stage, place) for stage, place, _ in found(draft)] == [("P", f"{where} of the file 'graph'")]


@pytest.mark.parametrize("body", ["<text>reduced, colored</text>", '<path fill="none"/>', "<text>Feature 1</text>"])
def test_parts_of_words_and_the_drawings_own_words_are_no_findings(draft: Study, body: str) -> None:
    change(draft, "P", files=drawing(body))
    assert found(draft) == []


def test_a_class_that_is_a_number_is_found_where_it_stands_alone(draft: Study) -> None:
    draft.version.items.update(choices=[{"letter": "A", "label": "3", "classes": [3]}])
    change(draft, "P", files=drawing('<text x="3">Feature 3</text><text>+0.3</text><text>3</text>'))
    assert found(draft) == [("P", "<text> of the file 'graph'", "3")]


def test_a_merged_class_is_searched_for_as_well() -> None:
    fixed = "answers: {fixed: [red, blue, green, gray], merge: {navy: blue}}"
    study = cast.study(text=cast.STUDY_FILE.replace("answers: {choices: 4}", fixed), state=Study.State.DRAFT)
    change(study, "U", numbers={"words": [{"text": "navy"}]})
    assert found(study) == [("U", "words[0].text", "navy")]


def test_with_one_explanation_per_choice_names_are_legitimate_in_the_labels_only() -> None:
    text = cast.STUDY_FILE.replace("target_class_policy: predicted", "target_class_policy: all_candidates")
    study = cast.study(text=text, state=Study.State.DRAFT)
    assert found(study) == []
    change(study, "P", files=drawing("<title>red</title>"))
    assert [word for *_, word in found(study)] == ["red"]


def test_what_no_condition_shows_is_not_searched() -> None:
    text = cast.STUDY_FILE.replace("conditions: multiviz-ablation", "conditions: [{name: U, stages: [U]}]")
    study = cast.study(text=text, state=Study.State.DRAFT)
    change(study, "P", files=drawing("<title>red</title>"))
    assert found(study) == []


@pytest.mark.parametrize("body", ["<text>open", '</svg><!DOCTYPE x [<!ENTITY a "b">]><svg>'])
def test_a_drawing_that_cannot_be_read_is_a_finding(draft: Study, body: str) -> None:
    change(draft, "P", files=drawing(body))
    assert [str(leak) for leak in leaks(draft.version)] == [
        "item 0, stage P: the content of the file 'graph' cannot be read"
    ]


def test_freezing_is_refused_with_every_finding_up_to_ten(draft: Study) -> None:
    change(draft, "U", numbers={"words": [], "caption": "red"})
    with pytest.raises(StudyRefused) as refused:
        study_freeze(study=draft, actor="rosa")
    assert refused.value.reasons == ["item 0, stage U: caption names the class 'red'"]
    change(draft, "U", numbers={"words": [{"text": "red"} for _ in range(12)]})
    with pytest.raises(StudyRefused) as refused:
        study_freeze(study=draft, actor="rosa")
    assert len(refused.value.reasons) == 11
    assert refused.value.reasons[-1] == "2 more class names in captions, files or drawings"
    assert not draft.audit.exists()


def test_the_policy_of_the_explained_class_must_be_stated() -> None:
    values = config.read(cast.STUDY_FILE).model_dump(mode="json")
    del values["target_class_policy"]
    with pytest.raises(ValidationError, match="target_class_policy"):
        config.from_values(values)
