"""Debugging: features that go with errors, affected subsets, arms, the last layer, and a planted failure end to end."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from analysis_core import results
from analysis_core.errors import BadFeatures, BadInput, MissingCapability, UnknownName
from analysis_core.evaluation.debugging import (
    LastLayer,
    Split,
    by_answer,
    by_words,
    choose,
    debug,
    error_features,
    fine_tune,
)
from analysis_core.evaluation.debugging.arms import entropy


def test_the_planted_features_of_errors_are_found_with_intervals_above_zero() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3000, 12))
    # Errors grow with |feature 4|, less so with |feature 9|, whatever their signs.
    chance = 1 / (1 + np.exp(4 - 3 * np.abs(features[:, 4]) - 1.5 * np.abs(features[:, 9])))
    found = error_features(features, rng.random(3000) < chance, n=2, resamples=30)
    assert [f.index for f in found] == [4, 9]
    assert all(0 < f.interval[0] < f.weight < f.interval[1] for f in found)


def test_weights_are_those_of_scikit_learn_on_standardised_strengths_and_constants_are_left_out() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(1)
    features = rng.normal(size=(400, 5))
    features[:, 2] = 7.0
    wrong = rng.random(400) < 0.2 + 0.4 * (np.abs(features[:, 3]) > 1)
    found = error_features(features, wrong, n=5, resamples=2)
    scaled = StandardScaler().fit_transform(np.abs(np.delete(features, 2, axis=1)))
    expected = LogisticRegression(max_iter=1000).fit(scaled, wrong).coef_[0]
    assert 2 not in [f.index for f in found]
    best = next(f for f in found if f.index == 3)
    assert best.weight == pytest.approx(expected[2], rel=1e-3)
    assert [f.weight for f in found] == sorted((f.weight for f in found), reverse=True)
    assert all(f.weight > 0 for f in found)


def test_error_features_are_the_same_for_the_same_seed_and_refuse_what_has_no_errors() -> None:
    features = np.random.default_rng(2).normal(size=(60, 3))
    wrong = np.abs(features[:, 0]) > 1
    assert error_features(features, wrong, resamples=5) == error_features(features, wrong, resamples=5)
    with pytest.raises(BadInput, match="right everywhere"):
        error_features(features, np.zeros(60, dtype=bool))
    with pytest.raises(BadFeatures, match="as many marks"):
        error_features(features, wrong[:-1])
    features[3, 1] = np.nan
    with pytest.raises(BadFeatures, match="row 3"):
        error_features(features, wrong)


def test_subsets_hold_points_by_truth_or_prediction_and_by_whole_words() -> None:
    subset = by_answer("blue", [2], labels=[2, 0, 1, 2], predicted=[0, 2, 1, 2])
    assert subset.members.tolist() == [True, True, False, True]
    # Points 0 and 1 are wrong, both within.
    assert (len(subset), subset.share_of_errors([True, True, False, False])) == (3, 1.0)
    words = by_words("colour", ["color", "c++"], texts=["What COLOR is it?", "colorful", "in c++ ?", ""])
    assert words.members.tolist() == [True, False, True, False]
    with pytest.raises(BadInput, match="no point"):
        by_answer("none", [9], labels=[0], predicted=[1])


def test_entropy_of_equal_logits_is_the_logarithm_of_their_number() -> None:
    assert entropy([[0.0, 0.0], [1000.0, 0.0]]) == pytest.approx([np.log(2), 0.0])


def test_each_arm_chooses_what_it_says() -> None:
    features = np.array([[9.0, 0.0], [-8.0, 7.0], [1.0, -6.0], [2.0, 5.0], [0.0, 0.1]])
    logits = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 1.0], [0.0, 2.0], [0.0, 9.0]])
    given = {"features": features, "logits": logits}
    assert choose("uncertainty", budget=3, **given).tolist() == [0, 2, 3]
    # Feature 0 wants 0, 1, 3, 2; feature 1 wants 1, 2, 3: in turn 0, 1, then 3 (1 is taken), 2.
    assert choose("two_voted", budget=4, voted=[0, 1], **given).tolist() == [0, 1, 3, 2]
    assert choose("one_voted_one_other", budget=2, voted=[1], other=[0], **given).tolist() == [1, 0]
    assert sorted(choose("two_other", budget=5, other=[0, 1], **given).tolist()) == [0, 1, 2, 3, 4]
    random = [choose("random", budget=3, seed=s, **given).tolist() for s in (0, 0, 1, 2, 3)]
    assert random[0] == random[1]
    assert len({tuple(r) for r in random}) > 1
    assert all(len(set(r)) == 3 for r in random)


def test_arms_refuse_what_they_cannot_choose_from() -> None:
    given = {"features": np.zeros((4, 2)), "logits": np.zeros((4, 3))}
    with pytest.raises(UnknownName, match="two_voted"):
        choose("two_votes", **given)
    with pytest.raises(BadInput, match="500 points cannot be chosen from 4"):
        choose("random", **given)
    with pytest.raises(BadInput, match="2 voted"):
        choose("two_voted", budget=2, voted=[1], **given)
    with pytest.raises(BadInput, match="different features"):
        choose("two_voted", budget=2, voted=[1, 1], **given)


def layer(classes: int = 3, width: int = 5, seed: int = 0) -> LastLayer:
    rng = np.random.default_rng(seed)
    return LastLayer(rng.normal(size=(classes, width)), rng.normal(size=classes))


def test_the_last_layer_is_recovered_from_what_it_said() -> None:
    true, x = layer(), np.random.default_rng(3).normal(size=(50, 5))
    found = LastLayer.recover(x, x @ true.weight.T + true.bias)
    assert found.weight == pytest.approx(true.weight, abs=1e-9)
    assert found.bias == pytest.approx(true.bias, abs=1e-9)
    stored = LastLayer.recover(x.astype(np.float32), (x @ true.weight.T + true.bias).astype(np.float32))
    assert stored.weight == pytest.approx(true.weight, abs=1e-5)


def test_features_that_never_vary_do_not_matter_and_logits_that_are_not_linear_are_refused() -> None:
    true, x = layer(), np.random.default_rng(3).normal(size=(50, 5))
    x[:, 2] = 4.0
    logits = x @ true.weight.T + true.bias
    found = LastLayer.recover(x, logits)
    assert x @ found.weight.T + found.bias == pytest.approx(logits)
    with pytest.raises(MissingCapability, match="not a linear layer"):
        LastLayer.recover(x, np.tanh(logits))


def test_one_step_is_the_gradient_by_hand() -> None:
    # Weight 0: the softmax is 1/2 each, the gradient of the logits p - y = (-.5, .5) for class 0.
    start = LastLayer(np.zeros((2, 1)), np.zeros(2))
    tuned = fine_tune(start, [[2.0]], [0], learning_rate=0.1)
    assert tuned.weight.tolist() == [[pytest.approx(0.1)], [pytest.approx(-0.1)]]
    assert tuned.bias.tolist() == [pytest.approx(0.05), pytest.approx(-0.05)]
    assert start.weight.tolist() == [[0.0], [0.0]]
    with pytest.raises(BadInput, match="classes from 0 to 1"):
        fine_tune(start, [[2.0]], [2], learning_rate=0.1)


def planted(n: int, rng: np.random.Generator, true: LastLayer, flawed: LastLayer) -> Split:
    """Points of four classes; feature 0 fires for those that the flawed layer gets wrong."""
    x = rng.normal(size=(n, 8))
    x[:, 0] = np.where(rng.random(n) < 0.1, 4.0, 0.0) + 0.1 * rng.normal(size=n)
    return Split(x, x @ flawed.weight.T + flawed.bias, (x @ true.weight.T + true.bias).argmax(axis=1))


def flaw() -> tuple[LastLayer, LastLayer]:
    true = layer(classes=4, width=8, seed=5)
    true.weight[:, 0] = [0.0, 0.0, 0.0, 3.0]
    flawed = LastLayer(true.weight.copy(), true.bias.copy())
    flawed.weight[:, 0] = [3.0, 0.0, 0.0, 0.0]
    return true, flawed


def test_a_planted_failure_is_found_and_mended_better_by_the_voted_feature_than_by_chance() -> None:
    true, flawed = flaw()
    rng = np.random.default_rng(7)
    v, u, t = (planted(n, rng, true, flawed) for n in (1500, 3000, 3000))
    found = error_features(v.features, v.logits.argmax(1) != v.labels, n=3, resamples=10)
    assert found[0].index == 0
    blue = by_answer("blue", [3], labels=t.labels, predicted=t.logits.argmax(1))
    seen: list[tuple[int, int]] = []
    result = debug(
        v,
        u,
        t,
        subsets=[blue],
        voted=[0, 1],
        other=[5, 6],
        budget=100,
        seeds=4,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (5, 5)
    arms = {a.arm: a for a in result.arms}
    mended, _ = arms["one_voted_one_other"].improvement["blue"]
    assert mended > arms["two_other"].improvement["blue"][0] + 0.02
    assert result.original["all"] < 0.95
    assert result.share_of_errors["blue"] > 0.8
    assert json.loads(json.dumps(result.as_json()))["sizes"]["all"] == 3000
    assert results.loads(results.dumps(result)) == result


def test_differences_are_paired_by_seed_with_students_interval() -> None:
    true, flawed = flaw()
    rng = np.random.default_rng(8)
    v, u, t = (planted(n, rng, true, flawed) for n in (400, 400, 400))
    result = debug(v, u, t, voted=[0, 1], other=[2, 3], arms=("random", "two_voted"), budget=40, seeds=5)
    one, two = (np.array(a.accuracies["all"]) for a in result.arms)
    expected = stats.ttest_rel(one, two).confidence_interval(0.95)
    found = result.difference("random", "two_voted")
    assert found.mean == pytest.approx((one - two).mean())
    assert found.interval == pytest.approx((expected.low, expected.high))
    assert result.arms[0].improvement["all"] == pytest.approx(((one - result.original["all"]).mean(), one.std(ddof=1)))


def test_an_experiment_is_the_same_again_and_one_seed_has_no_interval() -> None:
    true, flawed = flaw()
    v, u, t = (planted(n, np.random.default_rng(n), true, flawed) for n in (200, 201, 202))
    options = {"voted": [0, 1], "other": [2, 3], "arms": ("uncertainty", "two_other"), "budget": 20, "seeds": 1}
    one, two = (debug(v, u, t, **options) for _ in range(2))  # type: ignore[arg-type]
    assert one == two
    assert one.differences[0].interval is None
    assert one.arms[0].improvement["all"][1] is None
    with pytest.raises(BadInput, match="U: features"):
        debug(v, Split(u.features, u.logits[:-1], u.labels), t, **options)  # type: ignore[arg-type]
