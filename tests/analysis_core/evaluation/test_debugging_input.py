"""Debugging: what it is given must be finite and fit together, or a sentence says what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis_core.errors import BadFeatures, BadInput, Diverged, MissingCapability
from analysis_core.evaluation.debugging import (
    LastLayer,
    Split,
    Subset,
    by_answer,
    by_words,
    choose,
    debug,
    error_features,
    experiment,
    fine_tune,
)

NAN = float("nan")
X = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
#: The logits of X in the layer below: feature 0, feature 1, and 1.
LOGITS = np.column_stack([X, np.ones(4)])
LAYER = LastLayer(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), np.array([0.0, 0.0, 1.0]))


def spoilt(values: np.ndarray[Any, Any], row: int, column: int, by: float = NAN) -> np.ndarray[Any, Any]:
    copy = values.copy()
    copy[row, column] = by
    return copy


def test_a_layer_is_not_recovered_from_numbers_that_are_not_finite() -> None:
    assert LastLayer.recover(X, LOGITS).weight == pytest.approx(LAYER.weight, abs=1e-12)
    with pytest.raises(BadFeatures, match="features: row 2, column 1"):
        LastLayer.recover(spoilt(X, 2, 1), LOGITS)
    with pytest.raises(BadFeatures, match="logits: row 3, column 0"):
        LastLayer.recover(X, spoilt(LOGITS, 3, 0, np.inf))
    with pytest.raises(BadInput, match=r"logits must be \[n, d\]"):
        LastLayer.recover(X, LOGITS[:, 0])
    # Finite, but their sum 1 + 3 + 1 is beyond 1.8e308: what is left over is NaN, and NaN is no small number.
    with np.errstate(all="ignore"), pytest.raises(MissingCapability, match="not a linear layer"):
        LastLayer.recover(X, LOGITS * 5e307)


def test_a_late_row_is_named_too() -> None:
    many = np.ones((10_000, 2))
    with pytest.raises(BadFeatures, match="row 9876, column 1"):
        LAYER.predict(spoilt(many, 9876, 1))


def test_predictions_need_the_layers_width() -> None:
    with pytest.raises(BadInput, match=r"\[n, 2\], not \[4, 3\]"):
        LAYER.predict(LOGITS)
    with pytest.raises(BadInput, match=r"\[n, 2\], not \[2\]"):
        LAYER.predict(X[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"learning_rate": NAN}, "learning_rate must be a finite"),
        ({"learning_rate": np.inf}, "learning_rate must be a finite"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"batch": 0}, "batch must be a whole number"),
        ({"labels": [0.5, 1, 2, 0]}, "whole class ids"),
        ({"labels": [NAN, 1, 2, 0]}, "whole class ids"),
        ({"labels": [[0], [1], [2], [0]]}, "whole class ids"),
        ({"labels": [0, 1]}, "classes from 0 to 2"),
        ({"features": LOGITS}, r"\[n, 2\]"),
    ],
)
def test_fine_tuning_refuses_what_cannot_train(options: dict[str, Any], sentence: str) -> None:
    given = {"features": X, "labels": [0, 1, 2, 0], "learning_rate": 0.1, **options}
    with pytest.raises(BadInput, match=sentence):
        fine_tune(LAYER, given.pop("features"), given.pop("labels"), **given)


def test_fine_tuning_names_the_row_that_is_not_finite_and_takes_whole_numbers_as_floats() -> None:
    with pytest.raises(BadFeatures, match="features: row 1, column 0"):
        fine_tune(LAYER, spoilt(X, 1, 0), [0, 1, 2, 0], learning_rate=0.1)
    one, two = (fine_tune(LAYER, X, np.array([0, 1, 2, 0], dtype=kind), learning_rate=0.1) for kind in (int, float))
    assert one.weight.tolist() == two.weight.tolist()


@pytest.mark.parametrize("arm", ["random", "uncertainty", "two_voted"])
def test_no_arm_chooses_from_points_that_are_not_finite_or_do_not_match(arm: str) -> None:
    given: dict[str, Any] = {"features": X, "logits": LOGITS, "budget": 2, "voted": [0, 1]}
    assert len(choose(arm, **given)) == 2
    with pytest.raises(BadFeatures, match="features: row 0, column 1"):
        choose(arm, **given | {"features": spoilt(X, 0, 1)})
    with pytest.raises(BadFeatures, match="logits: row 1, column 2"):
        choose(arm, **given | {"logits": spoilt(LOGITS, 1, 2)})
    with pytest.raises(BadInput, match="4 points and logits of 3"):
        choose(arm, **given | {"logits": LOGITS[:3]})
    with pytest.raises(BadInput, match="features must be"):
        choose(arm, **given | {"features": X[:, 0]})


def test_error_features_need_points_and_a_feature_that_varies() -> None:
    wrong = [True, False, True, False]
    with pytest.raises(BadInput, match="no feature varies"):
        error_features(np.full((4, 2), 3.0), wrong, resamples=2)
    with pytest.raises(BadInput, match="matrix is empty"):
        error_features(np.empty((0, 2)), [], resamples=2)
    with pytest.raises(BadInput, match="booleans"):
        error_features(X, [1.0, NAN, 0.0, 0.0], resamples=2)
    for confidence in (0.0, 1.0, 95.0, NAN):
        with pytest.raises(BadInput, match="confidence"):
            error_features(X, wrong, resamples=2, confidence=confidence)


def test_a_share_of_errors_is_of_the_subsets_own_test_set() -> None:
    subset = Subset("blue", np.array([True, False, True, False]))
    # Two errors, one of them in the subset.
    assert subset.share_of_errors([True, True, False, False]) == 0.5
    for wrong in ([True, True, False], [True, True, False, False, True]):
        with pytest.raises(BadInput, match="blue: wrong must be 4 marks"):
            subset.share_of_errors(wrong)


def test_the_experiment_names_the_set_that_is_broken() -> None:
    labels = np.array([0, 1, 0, 2])
    right = Split(X, LOGITS, labels)
    options: dict[str, Any] = {"voted": [0, 1], "other": [0, 1], "arms": ("random",), "budget": 2, "seeds": 1}
    with pytest.raises(BadFeatures, match="T: logits: row 3, column 1"):
        debug(right, right, Split(X, spoilt(LOGITS, 3, 1), labels), **options)
    with pytest.raises(BadInput, match="V: labels"):
        debug(Split(X, LOGITS, labels + 0.5), right, right, **options)
    with pytest.raises(BadInput, match="blue"):
        debug(right, right, right, subsets=[Subset("blue", np.array([True]))], **options)
    with pytest.raises(BadInput, match="confidence"):
        debug(right, right, right, confidence=95, **options)


def test_fine_tuning_that_leaves_the_range_of_numbers_is_told() -> None:
    with pytest.raises(Diverged, match=r"take a learning_rate below 1e\+300"):
        fine_tune(LAYER, X * 1e10, [2, 2, 1, 0], learning_rate=1e300)


def test_a_learning_rate_that_runs_away_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "LEARNING_RATES", (1e300, 0.01))
    big = Split(X * 1e10, LOGITS * 1e10, [0, 1, 0, 2])
    found = debug(big, big, big, voted=[], other=[], arms="random", budget=2, seeds=1)
    assert [arm.learning_rate for arm in found.arms] == [0.01]


def test_a_subset_made_by_hand_must_hold_a_point_and_marks() -> None:
    with pytest.raises(BadInput, match="no point of the test set"):
        Subset("blue", np.zeros(3, dtype=bool))
    for members in ([0, 2, 5], [[True]], [0.5]):
        with pytest.raises(BadInput, match="must be booleans"):
            Subset("blue", np.array(members))
    assert Subset("blue", np.array([1, 0])).members.dtype == bool


def test_answers_that_are_no_class_ids_are_refused() -> None:
    for labels in ([0.0, NAN], [0.0, 0.5], [[0], [1]]):
        with pytest.raises(BadInput, match="labels must be whole class ids"):
            by_answer("blue", [0], labels=labels, predicted=[0, 1])
    with pytest.raises(BadInput, match="predicted must be whole class ids"):
        by_answer("blue", [0], labels=[0, 1], predicted=[0.0, NAN])
    with pytest.raises(BadInput, match=r"give a list of classes, such as \[3\]"):
        by_answer("blue", 0, labels=[0, 1], predicted=[0, 1])  # type: ignore[arg-type]


def test_a_string_is_one_word_and_no_list_of_texts() -> None:
    # By its letters "red" would be found in "a d e".
    assert by_words("red", "red", texts=["a red cube", "a d e"]).members.tolist() == [True, False]
    with pytest.raises(BadInput, match="give a list of texts"):
        by_words("red", ["red"], texts="a red cube")


def test_subsets_need_names_of_their_own() -> None:
    one = Split(X, LOGITS, [0, 1, 0, 2])
    members = np.array([True, False, True, False])
    for names in (["blue", "blue"], ["all"]):
        subsets = [Subset(name, members) for name in names]
        with pytest.raises(BadInput, match="names of their own"):
            debug(one, one, one, subsets=subsets, voted=[], other=[], arms=["random"], budget=2, seeds=1)


def test_strengths_beyond_the_range_of_their_squares_are_told() -> None:
    with pytest.raises(BadFeatures, match="feature 1 is too large"):
        error_features(X * np.array([1.0, 1e200]), [True, False, True, False])
