"""Debugging: V, U and T are of one model, few errors, and requests in any library's numbers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from analysis_core.errors import BadInput, MissingCapability, UnknownName
from analysis_core.evaluation.debugging import Difference, Split, Subset, by_words, choose, debug, error_features

WIDTH, CLASSES = 40, 3
OPTIONS: dict[str, Any] = {"voted": [0, 1], "other": [2, 3], "budget": 40, "seeds": 2}


def said(n: int, seed: int, weight: np.ndarray[Any, Any]) -> Split:
    """Points of a model with this last layer, right everywhere."""
    x = np.random.default_rng(seed).normal(size=(n, WIDTH))
    return Split(x, x @ weight.T + 1.0, (x @ weight.T).argmax(axis=1))


def layer(seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(CLASSES, WIDTH))


def test_a_small_v_does_not_decide_the_layer_of_t() -> None:
    # 20 points leave half of the 40 weights of a class open; a layer of V alone would lose a third of T's answers.
    v, u, t = said(20, 1, layer()), said(200, 2, layer()), said(300, 3, layer())
    found = debug(v, u, t, arms=["random"], **OPTIONS)
    assert found.original["all"] == 1.0
    assert min(found.arms[0].accuracies["all"]) > 0.97


def test_sets_of_two_models_or_widths_are_refused() -> None:
    v, u, t = said(100, 1, layer()), said(200, 2, layer()), said(300, 3, layer())
    other = said(300, 3, layer(9))
    for sets in ((v, u, other), (v, other, t)):
        with pytest.raises(MissingCapability, match="not a linear layer of these features"):
            debug(*sets, arms=["random"], **OPTIONS)
    with pytest.raises(BadInput, match="as many features and as many classes"):
        debug(v, u, Split(t.features, t.logits[:, :2], t.labels), arms=["random"], **OPTIONS)


def test_a_subset_of_another_set_is_told_by_both_sizes() -> None:
    one = said(100, 1, layer())
    with pytest.raises(BadInput, match=r"blue: a subset of 3 points does not belong to a T of 100"):
        debug(one, one, one, subsets=[Subset("blue", np.array([1, 0, 1]))], arms=["random"], **OPTIONS)


def test_requests_take_any_librarys_numbers_and_a_single_subset() -> None:
    one = said(100, 1, layer())
    options = OPTIONS | {"voted": np.array([0, 1]), "other": torch.tensor([2, 3])}
    subset = Subset("first", np.arange(100) < 50)
    found = debug(one, one, one, arms=["random", "random", "two_other"], subsets=subset, **options)
    assert [arm.arm for arm in found.arms] == ["random", "two_other"]
    assert json.loads(json.dumps(found.as_json()))["config"]["other"] == [2, 3]
    assert found.sizes == {"all": 100, "first": 50}
    for name in ("voted", "other"):
        with pytest.raises(BadInput, match=f"{name} must be a list"):
            debug(one, one, one, arms=["random"], **(OPTIONS | {name: 3}))
    with pytest.raises(BadInput, match="voted must be a list"):
        choose("two_voted", features=one.features, logits=one.logits, budget=4, voted=3)  # type: ignore[arg-type]


def test_a_difference_is_found_in_either_order_and_others_are_told() -> None:
    v, u, t = said(60, 1, layer()), said(200, 2, layer()), said(300, 3, layer())
    v, u = (Split(s.features, s.logits, (s.labels + 1) % CLASSES) for s in (v, u))
    found = debug(v, u, t, arms=["random", "two_other"], **OPTIONS)
    there, back = found.difference("random", "two_other"), found.difference("two_other", "random")
    assert there.interval is not None
    assert there.interval[0] < there.interval[1]
    assert back == Difference("two_other", "random", "all", -there.mean, (-there.interval[1], -there.interval[0]))
    with pytest.raises(UnknownName, match="two_other and random on blue"):
        found.difference("two_other", "random", "blue")
    with pytest.raises(UnknownName, match="did you mean random"):
        debug(v, u, t, arms=["random", "randm"], progress=lambda *_: pytest.fail("an arm was begun"), **OPTIONS)


@pytest.mark.parametrize("errors", [1, 5])
def test_few_errors_have_the_weights_and_intervals_of_fits_that_went_to_their_end(errors: int) -> None:
    from sklearn.linear_model import LogisticRegression

    features = np.random.default_rng(1).normal(size=(3000, 8))
    wrong = np.arange(3000) < errors
    found = error_features(features, wrong, n=8, resamples=20, seed=3)
    strengths = np.abs(features)
    columns = (strengths - strengths.mean(axis=0)) / strengths.std(axis=0)
    whole = LogisticRegression(tol=1e-12, max_iter=5000).fit(columns, wrong).coef_[0]
    rng = np.random.default_rng(3)
    drawn: list[np.ndarray[Any, Any]] = []
    while len(drawn) < 20:
        times = np.bincount(rng.integers(0, 3000, 3000), minlength=3000).astype(float)
        if times[:errors].any():
            drawn.append(LogisticRegression(tol=1e-12, max_iter=5000).fit(columns, wrong, times).coef_[0])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    for one in found:
        assert one.weight == pytest.approx(whole[one.index], abs=1e-3)
        assert one.interval == pytest.approx((low[one.index], high[one.index]), abs=2e-3)


def test_what_is_no_word_or_text_is_told() -> None:
    with pytest.raises(BadInput, match="three: 3 is no word"):
        by_words("three", [3], texts=["3 cubes"])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="blue: None is no text"):
        by_words("blue", ["blue"], texts=["a blue cube", None])  # type: ignore[list-item]
