"""Local representation is U towards a feature; extremes equal a full stable sort."""

import numpy as np
import pytest
import torch

from analysis_core import Feature
from analysis_core.errors import BadFeatures, BadInput, UnknownName
from analysis_core.stages import representation, unimodal
from analysis_core.store import FeatureStore
from tests.analysis_core import toys


def by_sorting(features, k, exclude=()):
    """The definition: sort every column, ties by lowest index."""
    rows = np.array([i for i in range(len(features)) if i not in set(exclude)])
    part = np.asarray(features)[rows]
    top = rows[np.argsort(-part, axis=0, kind="stable")[:k]].T
    return top, rows[np.argsort(part, axis=0, kind="stable")[:k]].T


def with_ties(n=500, d=7):
    """Values from -5 to 5 in steps of one: every extreme is tied many times."""
    return np.random.default_rng(0).integers(-5, 6, size=(n, d)).astype(np.float32)


def check(result, features, k, exclude=()):
    top, bottom = by_sorting(features, k, exclude)
    np.testing.assert_array_equal(result.top.numpy(), top)
    np.testing.assert_array_equal(result.bottom.numpy(), bottom)
    columns = np.arange(features.shape[1])[:, None]
    np.testing.assert_array_equal(result.top_values.numpy(), features[top, columns])
    np.testing.assert_array_equal(result.bottom_values.numpy(), features[bottom, columns])


def test_extremes_equal_a_full_sort_also_under_ties():
    for features in (with_ties(), np.random.default_rng(1).normal(size=(400, 9)).astype(np.float32)):
        check(representation.extremes(torch.from_numpy(features), k=5), features, 5)
        check(representation.extremes(features, k=1), features, 1)


def test_the_explained_points_are_excluded():
    features = with_ties()
    first = representation.extremes(features, k=3)
    explained = {int(first.top[0, 0]), int(first.bottom[1, 0]), 499}
    check(representation.extremes(features, k=3, exclude=explained), features, 3, explained)


@pytest.mark.parametrize("size", [1, 2, 63, 500])
def test_streaming_in_chunks_of_any_size_changes_nothing(size):
    features = with_ties()
    chunks = (features[i : i + size] for i in range(0, len(features), size))
    check(representation.extremes(chunks, k=4, exclude=range(0, 500, 3)), features, 4, range(0, 500, 3))


def test_a_pool_takes_the_first_rows_only():
    features = with_ties()
    chunks = (features[i : i + 64] for i in range(0, len(features), 64))
    check(representation.extremes(chunks, pool=100), features[:100], 3)


def test_a_feature_store_on_disk_is_read(tmp_path):
    features = with_ties()
    with FeatureStore.write(tmp_path, key={}, rows=len(features)) as writer:
        writer.append(features, features[:, :2], [{}] * len(features))
    check(representation.extremes(FeatureStore.open(tmp_path)), features, 3)


def test_results_are_int64_and_float64():
    result = representation.extremes(with_ties())
    assert result.top.dtype == result.bottom.dtype == torch.int64
    assert result.top_values.dtype == torch.float64
    assert result.top.shape == (7, 3)


def test_bad_features_are_refused_with_the_row():
    features = with_ties()
    features[321, 2] = np.nan
    with pytest.raises(BadFeatures, match="row 321"):
        representation.extremes(features)
    with pytest.raises(BadFeatures, match=r"\[n, d\]"):
        representation.extremes(np.zeros(5))
    with pytest.raises(BadFeatures, match="row 3"):
        representation.extremes([np.zeros((3, 2)), np.zeros((3, 4))])
    with pytest.raises(BadInput, match="only 1"):
        representation.extremes(with_ties(n=3), exclude=[0, 2])
    with pytest.raises(BadInput, match="only 0"):
        representation.extremes(iter(()))


def test_local_is_unimodal_importance_towards_the_feature():
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    saliency = representation.local(model, sample, 3)
    assert torch.equal(saliency.values["a"], unimodal.gradient(model, sample, Feature(3)).values["a"])
    surrogate = representation.local(model, sample, 0, method="lime", layer="doubled", samples=50, seed=2)
    again = unimodal.lime(model, sample, [Feature(0, "doubled")], samples=50, seed=2)[0]
    assert torch.equal(surrogate.values["b"], again.values["b"])
    assert surrogate.target == {"kind": "Feature", "j": 0, "layer": "doubled"}
    exact = representation.local(model, sample, 3, method="shap")
    assert torch.equal(exact.values["a"], unimodal.shap(model, sample, [Feature(3)])[0].values["a"])
    path = representation.local(model, sample, 3, method="integrated_gradients", steps=8)
    assert path.method == "gradient/integrated_gradients"
    with pytest.raises(UnknownName, match="lime"):
        representation.local(model, sample, 0, method="lme")
    with pytest.raises(UnknownName, match="option of saliency"):
        representation.local(model, sample, 0, samples=10)
    with pytest.raises(BadInput, match="feature 99"):
        representation.local(model, sample, 99)
