"""The decision tree in place of sparse models, against scikit-learn's own and small ones by hand."""

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from analysis_core import results
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages import prediction
from analysis_core.stages.tree import Step
from analysis_core.store import FeatureStore


def iris():
    x, y = load_iris(return_X_y=True)
    return x.astype(np.float32), y


def test_the_tree_is_scikit_learns():
    x, y = iris()
    found = prediction.tree(x, y, depth=3, seed=1)
    theirs = DecisionTreeClassifier(max_depth=3, random_state=1).fit(x, y)
    np.testing.assert_array_equal(found.leaves(x), theirs.apply(x))
    np.testing.assert_array_equal(found.predict(x), theirs.predict(x))
    assert found.accuracy == pytest.approx(theirs.score(x, y))
    assert found.score(x[::2], y[::2]) == pytest.approx(theirs.score(x[::2], y[::2]))
    np.testing.assert_allclose(found.importance, theirs.feature_importances_)
    sizes = np.bincount(theirs.apply(x))
    assert found.leaf_sizes.tolist() == sorted(sizes[sizes > 0].tolist(), reverse=True)


def test_a_tree_of_two_questions_by_hand():
    # Class 1 where feature 1 is above .5; of the others class 2 where feature 0 is above 10, midway between 9 and 11.
    x = np.array([[0, 0], [9, 0], [11, 0], [12, 0], [0, 1], [9, 1], [11, 1], [12, 1], [10, 1]])
    x = np.hstack([x, np.full((9, 1), 7)])
    y = np.array([0, 0, 2, 2, 1, 1, 1, 1, 1])
    found = prediction.tree(x, y)
    assert found.accuracy == 1
    assert found.feature[0] == 1
    assert found.path(x[2]) == (Step(1, 0.5, 0.0, False), Step(0, 10.0, 11.0, True))
    assert found.path(x[4]) == (Step(1, 0.5, 1.0, True),)
    assert found.leaf_sizes.tolist() == [5, 2, 2]
    assert sorted(found.features_used.tolist()) == [0, 1]
    # Gini: 9 x (1 - (25 + 4 + 4) / 81) = 5.33 in all, of which the second question takes 4 x .5 = 2.
    np.testing.assert_allclose(found.importance, [2 / (16 / 3), 1 - 2 / (16 / 3), 0])
    assert found.predicted[found.leaves(x)].tolist() == y.tolist()
    assert found.share[found.feature == -1].tolist() == [1, 1, 1]


def test_depth_and_leaves_are_limited():
    x, y = iris()
    assert max(len(prediction.tree(x, y, depth=2).path(row)) for row in x) == 2
    assert int(prediction.tree(x, y, smallest_leaf=20).leaf_sizes.min()) >= 20
    assert max(len(prediction.tree(x, y).path(row)) for row in x) <= 5


def test_one_class_makes_a_tree_without_a_question():
    found = prediction.tree(np.arange(6.0).reshape(3, 2), np.array([4, 4, 4]))
    assert found.path(np.zeros(2)) == ()
    assert found.predict(np.zeros((2, 2))).tolist() == [4, 4]
    assert found.features_used.tolist() == []
    assert found.leaf_sizes.tolist() == [3]


def test_a_tree_is_saved_without_loss_and_its_figures_are_json():
    x, y = iris()
    one = prediction.tree(x, y)
    two = results.loads(results.dumps(one))
    assert results.dumps(one) == results.dumps(two) == results.dumps(prediction.tree(x, y))
    assert torch.equal(one.predict(x), two.predict(x))
    assert one.path(x[77]) == two.path(x[77])
    facts, _ = results.pack(one)
    assert json.loads(json.dumps(facts)) == facts


def test_fidelity_is_to_the_answers_it_was_given_and_chance_where_they_are_drawn():
    # The model's answers: feature 0 above 0, of which a tenth is turned over; 2,000 to grow from, 2,000 held out.
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 6))
    answers = ((x[:, 0] > 0) ^ (rng.random(4000) < 0.1)).astype(int)
    honest = prediction.tree(x[:2000], answers[:2000], depth=1)
    assert honest.features_used.tolist() == [0]
    # Nine in ten, with a binomial standard error of .0067.
    assert honest.score(x[2000:], answers[2000:]) == pytest.approx(0.9, abs=0.025)
    # Of answers that are drawn a deep tree learns its own datapoints by heart, and of others it knows nothing.
    drawn = rng.integers(0, 2, size=4000)
    deep = prediction.tree(x[:2000], drawn[:2000], depth=25)
    assert deep.accuracy > 0.95
    assert deep.score(x[2000:], drawn[2000:]) == pytest.approx(0.5, abs=0.045)


def test_stores_and_chunks_grow_the_same_tree(tmp_path):
    x, y = iris()
    with FeatureStore.write(tmp_path, key={}, rows=len(x)) as writer:
        writer.append(x, np.eye(3)[y], [{}] * len(x))
    plain = results.dumps(prediction.tree(x, y))
    assert results.dumps(prediction.tree(FeatureStore.open(tmp_path))) == plain
    assert results.dumps(prediction.tree((x[i : i + 7], y[i : i + 7]) for i in range(0, 150, 7))) == plain


def test_bad_input_is_refused_with_a_sentence():
    x, y = iris()
    broken = x.copy()
    broken[17, 3] = np.nan
    with pytest.raises(BadFeatures, match="row 17, column 3"):
        prediction.tree(broken, y)
    with pytest.raises(BadFeatures, match="two points"):
        prediction.tree(x[:1], y[:1])
    with pytest.raises(BadFeatures, match="float32"):
        prediction.tree(np.full((3, 2), 1e300), np.arange(3))
    with pytest.raises(BadFeatures, match="missing"):
        prediction.tree(x)
    with pytest.raises(BadInput, match="at least 1"):
        prediction.tree(x, y, depth=0)
    found = prediction.tree(x, y)
    with pytest.raises(BadFeatures, match="4"):
        found.predict(x[:, :3])
    with pytest.raises(BadFeatures, match=r"\[17, 3\]"):
        found.predict(broken)
    with pytest.raises(BadFeatures, match="no datapoints"):
        found.score(iter(()))
