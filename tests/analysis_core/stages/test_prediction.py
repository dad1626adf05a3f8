"""The sparse path against scikit-learn and the optimality conditions, also where columns are degenerate."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import enet_path

from analysis_core.errors import BadFeatures, BadInput, UnknownName
from analysis_core.stages.prediction import sparse_path
from analysis_core.store import FeatureStore


def data(n=300, d=40, K=3, seed=0):
    """Correlated, non-negative features of unequal scale and offset, and noisy sparse targets."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, d // 2)) @ rng.normal(size=(d // 2, d)) + rng.normal(size=(n, d))
    x = np.maximum(base, 0) * np.exp(rng.normal(size=d)) + rng.normal(size=d)
    y = x @ (rng.normal(size=(d, K)) * (rng.random((d, K)) < 0.3)) + rng.normal(size=(n, K))
    return x, y


def standardised(x):
    return (x - x.mean(0)) / x.std(0)


def dense(path, k, d):
    full = torch.zeros(len(path.knots[k]), d, dtype=torch.float64)
    full[:, path.support[k]] = path.coefficients[k]
    return full.numpy()


@pytest.mark.parametrize("l2", [0.0, 0.05, 2.0])
def test_the_path_equals_scikit_learns_at_every_knot(l2):
    # alpha * l1_ratio = l1 and alpha * (1 - l1_ratio) / 2 = l2, so alpha = l1 + 2 l2 and l1_ratio = l1 / alpha.
    x, y = data()
    path = sparse_path(x, y, l2=l2)
    for k in range(3):
        ours, centred = dense(path, k, 40), y[:, k] - y[:, k].mean()
        assert len(path.knots[k]) > 20
        for l1, b in list(zip(path.knots[k].tolist(), ours, strict=True))[::4]:
            alpha = l1 + 2 * l2
            _, theirs, _ = enet_path(
                standardised(x), centred, l1_ratio=l1 / alpha, alphas=[alpha], tol=1e-14, max_iter=200_000
            )
            np.testing.assert_allclose(b, theirs[:, 0], atol=1e-7 * np.abs(y).max())


def test_the_first_knot_is_the_largest_correlation_and_has_no_features():
    x, y = data()
    path = sparse_path(x, y)
    largest = np.abs(standardised(x).T @ (y - y.mean(0))).max(0) / len(x)
    for k in range(3):
        assert float(path.knots[k][0]) == pytest.approx(largest[k], rel=1e-12)
        assert not path.coefficients[k][0].any()
        assert (path.knots[k].diff() <= 0).all()


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_optimality_is_violated_by_round_off_only(l2):
    assert sparse_path(*data(), l2=l2).kkt <= 1e-12
    assert sparse_path(*data(n=30, d=60), l2=l2, max_features=29).kkt <= 1e-9


def test_the_path_ends_where_one_more_feature_would_enter():
    path = sparse_path(*data(), max_features=7)
    for coefficients in path.coefficients:
        assert int((coefficients != 0).sum(1).max()) == 7
        assert int((coefficients[-1] != 0).sum()) == 7


def test_a_full_path_ends_at_least_squares():
    x, y = data(d=8)
    path = sparse_path(x, y, max_features=8)
    expected = np.linalg.lstsq(standardised(x), y - y.mean(0), rcond=None)[0]
    for k in range(3):
        assert float(path.knots[k][-1]) == 0
        np.testing.assert_allclose(dense(path, k, 8)[-1], expected[:, k], rtol=1e-9, atol=1e-12)


def test_duplicate_constant_and_strongly_correlated_columns_are_survived():
    x, y = data(d=10)
    rng = np.random.default_rng(5)
    near = x[:, :2] + 1e-4 * x[:, :2].std(0) * rng.normal(size=(len(x), 2))
    columns = [x, x[:, :3], -2 * x[:, 3:4] + 5, np.full((len(x), 1), 0.1), np.zeros((len(x), 1)), near]
    path = sparse_path(np.hstack([*columns, x[:, :1] + x[:, 1:2]]), y, max_features=20)
    # 10-13 copy 0-3 (13 with another sign and scale), 14 and 15 are constant: never selected.
    for support in path.support:
        assert not set(support.tolist()) & {10, 11, 12, 13, 14, 15}
    assert path.kkt <= 1e-9
    plain = sparse_path(x, y, max_features=20)
    copied = sparse_path(np.hstack(columns[:5]), y, max_features=20)
    for k in range(3):
        np.testing.assert_allclose(dense(copied, k, 16)[:, :10], dense(plain, k, 10), rtol=1e-9, atol=1e-12)


def test_columns_tied_by_symmetry_enter_together():
    # Four orthogonal columns with the same correlation to y: all enter at the first knot, all end at the same value.
    x = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1], [-1, 1, 1, -1], [-1, -1, 1, 1]])
    x = np.vstack([x, [[-1, 1, -1, 1], [-1, -1, -1, -1]]]).astype(float)
    path = sparse_path(x, x.sum(1, keepdims=True))
    assert path.kkt <= 1e-12
    np.testing.assert_allclose(dense(path, 0, 4)[-1], np.ones(4), rtol=1e-12)


def test_small_designs_full_of_ties_and_dependent_columns_stay_optimal():
    # -1/0/1 and sparse 0/1 entries: many columns tie or depend on others.
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n, d = int(rng.integers(5, 60)), int(rng.integers(1, 40))
        x = rng.integers(-1, 2, size=(n, d)).astype(float) if seed % 2 else (rng.random((n, d)) < 0.3).astype(float)
        path = sparse_path(x, rng.normal(size=(n, 2)), l2=0.1 * (seed % 3 == 0), max_features=int(rng.integers(1, 40)))
        assert path.kkt <= 1e-9, seed
    x = (np.random.default_rng(1).random((6, 12)) < 0.3).astype(float)
    assert sparse_path(x, np.array([0, 0, 1, 0, 1, 1])).kkt <= 1e-9


def test_rescaling_and_shifting_a_feature_changes_nothing():
    x, y = data()
    factors = 10.0 ** np.random.default_rng(1).integers(-4, 5, size=40)
    one, two = sparse_path(x, y), sparse_path(x * factors + 3, y)
    for k in range(3):
        assert torch.equal(one.support[k], two.support[k])
        torch.testing.assert_close(one.coefficients[k], two.coefficients[k], rtol=1e-7, atol=1e-9)
        assert torch.equal(one.top(k).indices, two.top(k).indices)


def test_permuting_targets_permutes_paths():
    x, y = data()
    one, two = sparse_path(x, y), sparse_path(x, y[:, [2, 0, 1]])
    for k, j in enumerate([2, 0, 1]):
        torch.testing.assert_close(two.coefficients[k], one.coefficients[j])


def test_class_ids_are_one_hot_targets():
    x, y = data()
    ids = y.argmax(1)
    one, two = sparse_path(x, ids), sparse_path(x, np.eye(3)[ids])
    for k in range(3):
        assert torch.equal(one.support[k], two.support[k])
        torch.testing.assert_close(one.coefficients[k], two.coefficients[k], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(one.intercepts, torch.tensor(np.eye(3)[ids].mean(0)))


@pytest.mark.parametrize("size", [1, 7, 300])
def test_chunks_and_stores_give_what_the_whole_matrix_gives(size, tmp_path):
    x, y = (a.astype(np.float32) for a in data())
    whole = sparse_path(torch.from_numpy(x), torch.from_numpy(y))
    streamed = sparse_path((x[i : i + size], y[i : i + size]) for i in range(0, 300, size))
    with FeatureStore.write(tmp_path, key={}, rows=300) as writer:
        writer.append(x, y, [{}] * 300)
    stored = sparse_path(FeatureStore.open(tmp_path))
    ids = y.argmax(1)
    by_id = sparse_path((x[i : i + size], ids[i : i + size]) for i in range(0, 300, size))
    for k in range(3):
        torch.testing.assert_close(streamed.coefficients[k], whole.coefficients[k], rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(stored.coefficients[k], whole.coefficients[k], rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(by_id.coefficients[k], sparse_path(x, ids).coefficients[k], rtol=1e-8, atol=1e-10)


def test_a_target_that_never_varies_has_an_empty_path_and_a_warning():
    x, y = data()
    y[:, 1] = 0.1
    with pytest.warns(RuntimeWarning, match="1 of 3 targets never vary"):
        path = sparse_path(x, y)
    assert len(path.knots[1]) == 0
    assert len(path.top(1).indices) == 0
    assert int(path.selected[1]) == -1
    assert not path.contributions(x[0])[1].any()
    assert path.notes
    with pytest.warns(RuntimeWarning, match="1 of 3"):
        assert len(sparse_path(x, np.where(y.argmax(1) == 1, 0, y.argmax(1))).knots[1]) == 0


def test_select_takes_the_sparsest_knot_within_the_tolerance():
    path = sparse_path(*data())
    for tolerance in (0.0, 0.01, 0.3):
        assert path.select(tolerance=tolerance) is path
        for k in range(3):
            m, sizes = int(path.selected[k]), (path.coefficients[k] != 0).sum(1)
            good = path.r2[k] >= (1 - tolerance) * path.r2[k].max()
            assert good[m]
            assert int(sizes[m]) == int(sizes[good].min())
    with pytest.raises(BadInput, match="tolerance"):
        path.select(tolerance=1.0)


def test_r2_is_the_share_of_variance_that_predictions_explain():
    x, y = data()
    path = sparse_path(x, y).select(tolerance=0.05)
    left = ((torch.tensor(y) - path.predict(x)) ** 2).mean(0)
    for k in range(3):
        expected = 1 - float(left[k]) / y[:, k].var()
        assert float(path.r2[k][path.selected[k]]) == pytest.approx(expected, abs=1e-10)


def test_top_is_signed_descending_and_without_zeros():
    path = sparse_path(*data())
    top = path.top(0)
    assert top.indices.dtype == torch.int64
    assert top.weights.dtype == torch.float64
    assert (top.weights != 0).all()
    assert (top.weights.diff() <= 0).all()
    assert torch.equal(top.weights, path.weights(0)[top.indices])
    assert torch.equal(path.top(0, n=2).indices, top.indices[:2])
    with pytest.raises(BadInput, match="0 to 2"):
        path.top(3)
    assert len(path.top(0, n=0).indices) == 0
    for n in (-1, -2):
        with pytest.raises(BadInput, match=f"at least 0, not {n}"):
            path.top(0, n=n)


def test_contributions_add_up_to_the_prediction():
    x, y = data()
    path = sparse_path(x, y)
    contributions = path.contributions(x[:5])
    assert contributions.shape == (5, 3, 40)
    torch.testing.assert_close(contributions.sum(2) + path.intercepts, path.predict(x[:5]))
    # beta_j (z_j - mu_j) / sigma_j by hand for one datapoint, target and feature.
    j = int(path.top(1).indices[0])
    expected = float(path.weights(1)[j]) * (x[2, j] - x[:, j].mean()) / x[:, j].std()
    assert float(path.contributions(x[2])[1, j]) == pytest.approx(expected, rel=1e-9)


def test_bad_input_is_refused_with_a_sentence():
    x, y = data()
    with pytest.raises(BadFeatures, match="300 feature rows but 299"):
        sparse_path(x, y[:299])
    with pytest.raises(BadFeatures, match="whole numbers"):
        sparse_path(x, y[:, 0])
    for ids in (np.full(300, -1), np.full(300, 2**63, dtype=np.uint64), np.full(300, np.nan), np.full(300, 1e300)):
        with pytest.raises(BadFeatures, match=r"whole numbers from 0 .* in row 0"):
            sparse_path(x, ids)
    with pytest.raises(BadFeatures, match=r"real \[n, K\]"):
        sparse_path(x, np.zeros((300, 0)))
    with pytest.raises(BadFeatures, match=r"\[c, d\]"):
        sparse_path(np.zeros((300, 0)), y)
    with pytest.raises(BadFeatures, match="missing"):
        sparse_path(x)
    broken = x.copy()
    broken[17, 3] = np.inf
    with pytest.raises(BadFeatures, match="row 17, column 3"):
        sparse_path(broken, y)
    broken = y.copy()
    broken[1, 1] = np.nan
    with pytest.raises(BadFeatures, match="target in row 1, column 1"):
        sparse_path(x, broken)
    with pytest.raises(BadFeatures, match="two points"):
        sparse_path(x[:1], y[:1])
    for l2 in (-1, np.nan, np.inf):
        with pytest.raises(BadInput, match="l2"):
            sparse_path(x, y, l2=l2)
    with pytest.raises(UnknownName, match="gaussian"):
        sparse_path(x, y, family="gausian")
    path = sparse_path(x, y)
    with pytest.raises(BadFeatures, match="40"):
        path.predict(x[:, :3])
    broken = x.copy()
    broken[17, 3] = np.nan
    with pytest.raises(BadFeatures, match=r"\[17, 3\]"):
        path.contributions(broken)


def test_a_copy_changes_nothing_with_a_ridge_either():
    x, y = data()
    copied = np.hstack([x, -2 * x[:, [1]] + 3, x[:, [1]]])
    for l2 in (0.0, 0.3):
        alone, beside = sparse_path(x, y, l2=l2), sparse_path(copied, y, l2=l2)
        assert beside.kkt < 1e-12
        for k in range(len(alone.knots)):
            np.testing.assert_allclose(beside.knots[k], alone.knots[k], atol=1e-12)
            assert beside.weights(k)[x.shape[1] :].tolist() == [0, 0]
            np.testing.assert_allclose(beside.weights(k)[: x.shape[1]], alone.weights(k), atol=1e-10)
