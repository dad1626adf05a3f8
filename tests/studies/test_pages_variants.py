"""Item pages of the other presets and policies: Rl+P, Rg+P, one explanation per choice."""

from __future__ import annotations

import pytest

from studies import pages
from studies.models import Artefact, Study
from studies.page_items import choice_keys
from tests import cast
from tests.cast import Annotator

pytestmark = pytest.mark.django_db


def _study(change: str, to: str) -> Study:
    assert change in cast.STUDY_FILE
    return cast.study(text=cast.STUDY_FILE.replace(change, to))


def test_rl_and_p_show_the_features_on_this_example_in_the_order_of_the_graph(ann: Annotator) -> None:
    sheet = cast.sheet_at_items(_study("multiviz-ablation", "Rl+P"), "Rl+P")
    explanation = pages.item(sheet, 0).explanations[0]
    subject = sheet.version.items.get(position=0).subject
    words = [panel.local.words[0].text for panel in explanation.features if panel.local]
    assert words == [cast.canary("Rl", f"feature:{j}", subject) for j in cast.FEATURES]
    assert explanation.graph is not None
    assert explanation.graph.rows == ((1, "+0.314"), (2, "+0.272"), (3, "+0.162"))
    assert not explanation.has_overview
    ann.sit_at(sheet)
    page = ann.get("/t/item/")
    assert "data-tabs" not in page
    assert 'name="helpful"' not in page


def test_rg_and_p_show_other_examples_and_not_the_items_own(ann: Annotator) -> None:
    sheet = cast.sheet_at_items(_study("multiviz-ablation", "Rg+P"), "Rg+P")
    features = pages.item(sheet, 0).explanations[0].features
    assert [panel.local for panel in features] == [None, None, None]
    assert [len(panel.examples) for panel in features] == [3, 3, 3]


def test_with_one_explanation_per_choice_they_stand_in_the_order_of_the_choices(ann: Annotator) -> None:
    study = _study("target_class_policy: predicted", "target_class_policy: all_candidates")
    shown = study.version.items.get(position=0)
    one = shown.explained[0]
    shown.explained = [{**one, "class": c} for c in range(4)]
    shown.save()
    for row in study.version.artefacts.filter(subject=shown.subject, stage="U"):
        for other in range(4):
            if row.target != f"logit:{other}":
                study.version.artefacts.add(_copy(row, f"logit:{other}"))
    sheet = cast.sheet_at_items(study, "U")
    page = pages.item(sheet, 0)
    assert [each.towards for each in page.explanations] == [choice.label for choice in page.choices]
    assert all(each.unimodal for each in page.explanations)
    ann.sit_at(sheet)
    html = ann.get("/t/item/")
    assert [html.count(f"Towards “{label}”") for label in cast.LABELS] == [1, 1, 1, 1]


def _copy(row: Artefact, target: str) -> Artefact:
    return Artefact.objects.create(
        subject_kind=row.subject_kind,
        subject=row.subject,
        stage=row.stage,
        target=target,
        params=row.params,
        params_hash=row.params_hash,
        state=row.state,
        sha256=row.sha256,
        files=row.files,
        numbers=row.numbers,
    )


def test_questions_about_the_person_stand_before_those_about_the_study() -> None:
    sheet = cast.sheet_at_items(_study("  post: [comment]", '  background: ["Your age?"]\n  post: [comment]'), "U")
    first, second = pages.post(sheet).questions
    assert (first.text, second.name) == ("Your age?", "post_1")


def test_examples_that_set_a_feature_off_least_are_named_so(scenes: Study) -> None:
    sheet = cast.sheet_at_items(scenes, "U+C+Rl+Rg")
    for row in scenes.version.artefacts.filter(stage="Rg"):
        row.numbers["examples"][-1]["end"] = "bottom"
        row.save()
    captions = [panel.caption for panel in pages.item(sheet, 0).explanations[0].features[0].examples]
    assert captions[-1].endswith("(sets it off least)")
    assert not any("least" in caption for caption in captions[:-1])


@pytest.mark.parametrize(
    ("labels", "keys"),
    [
        (["red", "blue", "gray"], "123"),
        (["3", "0", "2", "1"], "3021"),
        (["3", "yes", "10"], "ABC"),
        (["3", "3"], "AB"),
        ([f"word {i}" for i in range(11)], "1234567890"),
        ([str(i) for i in range(12)], "ABCDEFGHIJ"),
    ],
)
def test_a_digit_is_never_the_key_of_another_number(labels: list[str], keys: str) -> None:
    found = choice_keys(labels)
    assert (len(found), "".join(found)) == (len(labels), keys)


def test_an_own_scale_says_what_its_ends_mean(ann: Annotator) -> None:
    study = _study("type: scale}", "type: scale, low: not at all, high: <very>}")
    ann.sit_at(cast.sheet_at_items(study, "U"))
    page = ann.get("/t/item/")
    assert 'How clear was it? <span class="hint">1: not at all, 5: &lt;very&gt;</span>' in page


def test_a_practice_page_whose_answers_a_withdrawal_has_taken_has_no_feedback(scenes: Study) -> None:
    sheet = cast.sheet_at_items(scenes, "U")
    sheet.position = 1  # past the practice item, whose answers are gone
    page = pages.item(sheet, 0)
    assert (page.is_practice, page.feedback) == (True, None)
