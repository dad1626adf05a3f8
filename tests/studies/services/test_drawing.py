"""Drawing items: filters, balance, choices of one answer type, letters from the secret, classes to explain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from studies import config, engine
from studies.models import Artefact, Item, Study, StudyVersion
from studies.services.authoring import study_create
from studies.services.drawing import DrawingRefused, items_draw

pytestmark = pytest.mark.django_db
LABELS = ("red", "blue", "green", "gray", "cyan", "yes", "no")
TYPES = {name: "boolean" if name in ("yes", "no") else "color" for name in LABELS}
# 40 colour points, right except every fourth; then 20 yes/no points, all right.
POINTS = tuple(
    engine.Point(i, f"q{i}", i % 5, i % 5 if i % 4 else (i + 1) % 5, {"answer_type": "color"}) for i in range(40)
) + tuple(engine.Point(40 + i, f"q{40 + i}", 5 + i % 2, 5 + i % 2, {"answer_type": "boolean"}) for i in range(20))
STUDY = """
study: drawn
kind: simulation
title: A study
seed: 3
dataset: {name: clevr, root: data, split: val, train: train}
model: {name: cnn_lstm_sa, checkpoint: checkpoint}
items: {count: 8, practice: 2}
answers: {choices: 4}
target_class_policy: predicted
stages: {R: {features: 2}}
conditions: multiviz-ablation
"""
# Class 0 has three positive features and a negative one; the others have one each.
PATH = {
    "classes": {
        "0": {"indices": [7, 1, 4, 9], "weights": [0.5, 0.3, 0.1, -0.9]},
        **{str(k): {"indices": [k], "weights": [1.0]} for k in range(1, 7)},
    },
    "mean": [0.0] * 10,
    "scale": [1.0] * 10,
}


@pytest.fixture(autouse=True)
def predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prediction run that is done: class k + 1 is always the runner-up, and so on."""

    def rankings(source: Mapping[str, Any], split: str, indices: Sequence[int]) -> dict[int, list[int]]:
        return {i: [(POINTS[i].predicted + step) % 7 for step in range(7)] for i in indices}

    monkeypatch.setattr(engine, "facts", lambda source, split: engine.Facts(POINTS, LABELS, TYPES))
    monkeypatch.setattr(engine, "rankings", rankings)
    monkeypatch.setattr(engine, "features_of", lambda source, split, index: [0.0, 9.0, 0, 0, 1.0, 0, 0, 0.5, 0, -2.0])


def version_of(*changes: tuple[str, str]) -> StudyVersion:
    text = STUDY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    version = study_create(config=config.read(text), owner=None)
    path = Artefact.objects.create(
        subject_kind="split", subject="train", stage="path", params={}, params_hash="0", numbers=PATH
    )
    version.artefacts.add(path)
    return version


def draw(*changes: tuple[str, str]) -> list[Item]:
    return Item.objects.bulk_create(items_draw(version=version_of(*changes), source={}))


def labels(item: Item) -> set[str]:
    return {choice["label"] for choice in item.choices}


def test_practice_comes_first_and_is_not_counted() -> None:
    items = draw()
    assert [item.is_practice for item in items] == [True] * 2 + [False] * 8
    assert [item.position for item in items] == list(range(10))


def test_the_same_seed_draws_the_same_datapoints_and_another_seed_others() -> None:
    first = [item.index for item in draw()]
    Study.objects.all().delete()
    Artefact.objects.all().delete()
    assert [item.index for item in draw()] == first
    Study.objects.all().delete()
    Artefact.objects.all().delete()
    assert [item.index for item in draw(("seed: 3", "seed: 4"))] != first


def test_filters_hold_for_every_item() -> None:
    for item in draw(("practice: 2", "practice: 2, where: {answer_type_not: [boolean]}")):
        assert item.index < 40


def test_rare_answers_can_be_left_out() -> None:
    # Colours occur 8 times each, yes and no 10 times each.
    items = draw(("practice: 2", "practice: 2, where: {min_answer_frequency: 9}"))
    assert all(item.index >= 40 for item in items)


def test_the_balance_of_right_and_wrong_is_kept() -> None:
    items = draw(("practice: 2", "practice: 2, balance: {model_right: 5, model_wrong: 3}"))
    counted = [item.model_is_right for item in items if not item.is_practice]
    assert (counted.count(True), counted.count(False)) == (5, 3)


def test_too_few_wrong_predictions_are_refused_with_the_key() -> None:
    many = "count: 12, practice: 2, balance: {model_right: 1, model_wrong: 11}"
    with pytest.raises(DrawingRefused, match=r"items\.balance\.model_wrong: 11 asked for, but only 10"):
        draw(("count: 8, practice: 2", many))
    assert not Item.objects.exists()


def test_choices_are_prediction_truth_and_the_next_best_of_the_same_type() -> None:
    for item in draw(("practice: 2", "practice: 2, where: {answer_type: [color]}")):
        assert len(item.choices) == 4
        assert {LABELS[item.prediction], LABELS[item.truth or 0]} <= labels(item)
        assert {TYPES[label] for label in labels(item)} == {"color"}


def test_a_type_with_few_answers_gives_fewer_choices() -> None:
    for item in draw(("practice: 2", "practice: 2, where: {answer_type: [boolean]}")):
        assert labels(item) == {"yes", "no"}


def test_the_answer_type_of_each_choice_is_noted_where_items_differ_in_their_choices() -> None:
    for item in draw():
        assert all(choice["type"] == TYPES[choice["label"]] for choice in item.choices)
        assert item.type_of(item.prediction) == TYPES[LABELS[item.prediction]]


def test_no_type_is_noted_where_the_dataset_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "facts", lambda source, split: engine.Facts(POINTS, LABELS, {}))
    for item in draw():
        assert all("type" not in choice for choice in item.choices)
        assert item.type_of(item.prediction) is None


def test_letters_come_from_the_secret_and_not_from_the_prediction() -> None:
    version = version_of(("count: 8", "count: 30"))
    items = items_draw(version=version, source={})
    letters = [item.letter_of(item.prediction) for item in items]
    assert len(set(letters)) > 1
    # The same secret gives the same letters to the same choices, whichever of them is predicted.
    item = items[5]
    before = json.dumps(item.choices)
    again = {i.index: i for i in items_draw(version=version, source={})}[item.index]
    assert json.dumps(again.choices) == before


def test_named_datapoints_are_taken_in_their_order() -> None:
    items = draw(("count: 8, practice: 2", "count: 2, practice: 1, ids: [q9, q4, q50]"))
    assert [item.datapoint for item in items] == ["q50", "q9", "q4"]


def test_fixed_answers_merge_classes_and_leave_out_what_maps_to_none() -> None:
    fixed = "fixed: [warm, blue], merge: {red: warm, green: warm}"
    items = draw(("choices: 4", fixed), ("count: 8, practice: 2", "count: 6, practice: 1"))
    for item in items:
        assert [(c["letter"], c["label"], c["classes"]) for c in item.choices] == [
            ("A", "warm", [0, 2]),
            ("B", "blue", [1]),
        ]
        assert item.letter_of(item.prediction) in ("A", "B")
        assert all("type" not in choice for choice in item.choices)


def test_only_positive_features_are_explained_highest_coefficient_first() -> None:
    # POINTS[5] has label 0 and is predicted right.
    items = draw(("count: 8, practice: 2", "count: 1, practice: 0, ids: [q5]"))
    assert items[0].explained == [{"class": 0, "features": [7, 1], "weights": [0.5, 0.3]}]


def test_ranked_by_contribution_the_datapoint_decides() -> None:
    # Contributions w z: of feature 7 .5 * .5 = .25, of 1 .3 * 9 = 2.7, of 4 .1 * 1 = .1, of 9 -.9 * -2 = 1.8.
    # The two largest are 1 and 9, shown in the order of their coefficients.
    only = ("count: 8, practice: 2", "count: 1, practice: 0, ids: [q5]")
    items = draw(only, ("{R: {features: 2}}", "{R: {features: 2}, P: {rank: contribution}}"))
    assert items[0].explained == [{"class": 0, "features": [1, 9], "weights": [0.3, -0.9]}]


def test_a_named_datapoint_whose_prediction_is_no_choice_is_refused_with_its_place() -> None:
    # POINTS[13]: truth 3, predicted 3 (gray), which is neither warm nor blue.
    named = ("count: 8, practice: 2", "count: 2, practice: 0, ids: [q5, q13]")
    with pytest.raises(DrawingRefused, match=r"items\.ids\[1\]: 'q13' cannot be an item: the model predicts 'gray'"):
        draw(named, ("choices: 4", "fixed: [warm, blue], merge: {red: warm, green: warm}"))


def test_practice_items_carry_the_researchers_explanations() -> None:
    items = draw(("practice: 2", 'practice: 2, explanations: ["The ball is in front."]'))
    assert [item.explanation for item in items[:3]] == ["The ball is in front.", "", ""]


@pytest.mark.parametrize(("policy", "classes"), [("predicted", [3]), ("true_class", [2])])
def test_the_policy_decides_which_class_is_explained(policy: str, classes: list[int]) -> None:
    # POINTS[12]: truth 2, predicted 3.
    only = ("count: 8, practice: 2", "count: 1, practice: 0, ids: [q12]")
    (item,) = draw(only, ("policy: predicted", f"policy: {policy}"))
    assert [entry["class"] for entry in item.explained] == classes


def test_all_candidates_are_explained_in_an_order_that_tells_nothing() -> None:
    only = ("count: 8, practice: 2", "count: 1, practice: 0, ids: [q12]")
    (item,) = draw(only, ("policy: predicted", "policy: all_candidates"))
    assert {entry["class"] for entry in item.explained} == {c["classes"][0] for c in item.choices}
    by_name = [LABELS[entry["class"]] for entry in item.explained]
    assert by_name == sorted(by_name)
