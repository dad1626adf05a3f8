"""The multinomial path against scikit-learn's saga and its own optimality conditions."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from analysis_core import results
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages import multinomial, multinomial_columns, streaming
from analysis_core.stages.multinomial_block import Penalty
from analysis_core.stages.multinomial_newton import Joint
from analysis_core.stages.prediction import sparse_path
from analysis_core.store import FeatureStore


def data(n=120, d=6, K=3, seed=0):
    """Correlated features of unequal scale, and classes that follow from them, with noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) @ (np.eye(d) + 0.4 * rng.normal(size=(d, d))) * np.exp(rng.normal(size=d)) + 1
    scores = (x - x.mean(0)) / x.std(0) @ rng.normal(size=(d, K)) + rng.gumbel(size=(n, K))
    return x, scores.argmax(1)


def fit(x, y=None, **options):
    return sparse_path(x, y, family="multinomial", **options)


def at_knot(path, m):
    """Coefficients [K, d] and intercepts [K]."""
    dense = np.zeros((len(path.knots), len(path.mean)))
    for row, support, table in zip(dense, path.support, path.coefficients, strict=True):
        if len(table):
            row[support.numpy()] = table[m].numpy()
    return dense, path.knot_intercepts[m].numpy()


def objective(z, y, B, a, l1, l2):
    """y: one-hot or probabilities [n, K]"""
    return -(y * log_softmax(z @ B.T + a, axis=1)).sum(1).mean() + l1 * np.abs(B).sum() + l2 * (B**2).sum()


def saga(z, y, l1, l2, weights=None):
    """C sum(loss) + l1_ratio |B|_1 + (1 - l1_ratio) / 2 |B|^2, divided by C n: l1 = l1_ratio / (C n) and so on."""
    n, ratio = len(z) if weights is None else weights.sum(), l1 / (l1 + 2 * l2)
    model = LogisticRegression(
        C=1 / (n * (l1 + 2 * l2)), l1_ratio=ratio, solver="saga", tol=1e-10, max_iter=100_000, random_state=0
    )
    model.fit(z, y, sample_weight=weights)
    return model.coef_, model.intercept_


@pytest.mark.parametrize("l2", [0.0, 0.02])
def test_the_path_equals_scikit_learns_saga(l2):
    x, y = data()
    path, z = fit(x, y, l2=l2), (x - x.mean(0)) / x.std(0)
    assert len(path.knots[0]) > 20
    for m in (3, 12, 20):
        (B, a), l1 = at_knot(path, m), float(path.knots[0][m])
        theirs, intercepts = saga(z, y, l1, l2)
        np.testing.assert_allclose(B, theirs, atol=2e-6)
        np.testing.assert_allclose(a, intercepts - intercepts.mean(), atol=2e-6)
        ours = objective(z, np.eye(3)[y], B, a, l1, l2)
        assert ours <= objective(z, np.eye(3)[y], theirs, intercepts, l1, l2) + 1e-12


@pytest.mark.parametrize("l2", [0.0, 0.02])
def test_every_knot_is_optimal(l2):
    x, y = data(n=300, d=12, K=5, seed=3)
    path, z = fit(x, y, l2=l2, max_features=9), (x - x.mean(0)) / x.std(0)
    assert path.kkt <= multinomial.TOLERANCE
    for m, l1 in enumerate(path.knots[0].tolist()):
        B, a = at_knot(path, m)
        p = softmax(z @ B.T + a, axis=1)
        slope = z.T @ (p - np.eye(5)[y]) / len(z) + 2 * l2 * B.T
        off = np.where(B.T != 0, np.abs(slope + l1 * np.sign(B.T)), np.maximum(np.abs(slope) - l1, 0))
        assert off.max() <= 2e-8 * path.knots[0][0]
        assert np.abs((p - np.eye(5)[y]).mean(0)).max() <= 2e-8
        assert a.sum() == pytest.approx(0, abs=1e-12)
        deviance = -log_softmax(z @ B.T + a, axis=1)[np.arange(300), y].mean()
        share = np.bincount(y) / 300
        assert float(path.r2[0][m]) == pytest.approx(1 + deviance / (share * np.log(share)).sum(), abs=1e-12)


def test_the_first_knot_is_the_largest_gradient_at_the_class_shares():
    x, y = data()
    path = fit(x, y)
    z, one = (x - x.mean(0)) / x.std(0), np.eye(3)[y]
    assert float(path.knots[0][0]) == pytest.approx(np.abs(z.T @ (one - one.mean(0))).max() / len(x), rel=1e-12)
    assert not at_knot(path, 0)[0].any()
    assert not any(torch.any(c[0]) for c in path.coefficients)
    np.testing.assert_allclose(softmax(path.knot_intercepts[0].numpy()), one.mean(0))


def test_probabilities_count_as_weights_of_the_classes():
    # A datapoint with probabilities p is K datapoints, one per class, of weights p.
    x, y = data(n=60)
    p = softmax(np.eye(3)[y] * 2 + np.random.default_rng(1).normal(size=(60, 3)), axis=1)
    path, z = fit(x, p), (x - x.mean(0)) / x.std(0)
    m = 8
    (B, a), l1 = at_knot(path, m), float(path.knots[0][m])
    theirs, intercepts = saga(np.repeat(z, 3, axis=0), np.tile([0, 1, 2], 60), l1, 0.0, p.ravel())
    np.testing.assert_allclose(B, theirs, atol=2e-6)
    np.testing.assert_allclose(a, intercepts - intercepts.mean(), atol=2e-6)
    same = fit(x, np.eye(3)[y])
    for k in range(3):
        torch.testing.assert_close(same.coefficients[k], fit(x, y).coefficients[k], rtol=1e-6, atol=1e-7)


def test_classes_permute_and_scales_do_not_matter():
    x, y = data()
    one, two = fit(x, y), fit(x * 10.0 ** np.arange(-3, 3) - 5, np.array([2, 0, 1])[y])
    for k, j in enumerate([2, 0, 1]):
        assert torch.equal(one.support[k], two.support[j])
        torch.testing.assert_close(one.coefficients[k], two.coefficients[j], rtol=1e-5, atol=1e-6)


def test_copies_and_constants_are_never_selected_and_a_class_that_never_occurs_has_an_empty_path():
    x, y = data()
    more = np.hstack([x, x[:, :2] * 3, np.ones((len(x), 1))])
    with pytest.warns(RuntimeWarning, match="1 of 4 targets never vary"):
        path = fit(more, np.where(y == 2, 3, y))
    assert not {6, 7, 8} & {j for support in path.support for j in support.tolist()}
    assert [len(knots) > 0 for knots in path.knots] == [True, True, False, True]
    assert path.predict(x[0].tolist() + [0.0] * 3)[2] == -np.inf
    assert len(path.top(2).indices) == 0
    with pytest.warns(RuntimeWarning, match="3 of 3"):
        assert fit(x, np.full(len(x), 2)).select().selected.tolist() == [-1, -1, -1]


def test_the_path_ends_where_classes_would_have_more_features_on_average_than_asked_for():
    x, y = data(n=300, d=12, K=5, seed=3)
    for most in (1, 4):
        path, longer = fit(x, y, max_features=most), fit(x, y)
        sizes = sum(path.sizes(k) for k in range(5))
        assert int(sizes.max()) <= 5 * most
        assert int(sum(longer.sizes(k) for k in range(5))[len(sizes)]) > 5 * most
        torch.testing.assert_close(path.knots[0], longer.knots[0][: len(sizes)])


def test_one_knot_is_selected_for_all_classes_with_its_intercepts():
    x, y = data()
    path = fit(x, y).select(tolerance=0.1)
    m = int(path.selected[0])
    assert path.selected.tolist() == [m] * 3
    total = sum(path.sizes(k) for k in range(3))
    good = path.r2[0] >= 0.9 * path.r2[0].max()
    assert int(total[m]) == int(total[good].min())
    B, a = at_knot(path, m)
    expected = (x - x.mean(0)) / x.std(0) @ B.T + a
    np.testing.assert_allclose(path.predict(x).numpy(), expected, atol=1e-9)


def test_large_data_lie_in_files_and_chunks_and_stores_give_the_same(tmp_path, monkeypatch):
    x, y = data()
    plain = fit(x, y)
    monkeypatch.setattr(multinomial_columns, "IN_MEMORY", 0)
    monkeypatch.setattr(multinomial_columns, "_STANDARDISED", 0)
    monkeypatch.setattr(multinomial_columns, "_CHUNK", 1000)
    pieces = fit((x[i : i + 7], y[i : i + 7]) for i in range(0, len(x), 7))
    logits = np.random.default_rng(0).normal(size=(len(x), 3))
    with FeatureStore.write(tmp_path, key={}, rows=len(x)) as writer:
        writer.append(x, logits, [{}] * len(x))
    stored = fit(FeatureStore.open(tmp_path))
    soft = fit(x.astype(np.float32), softmax(logits.astype(np.float32).astype(float), axis=1))
    for k in range(3):
        torch.testing.assert_close(pieces.coefficients[k], plain.coefficients[k], rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(stored.coefficients[k], soft.coefficients[k], rtol=1e-6, atol=1e-7)


def test_separable_classes_end_the_path_instead_of_the_fit():
    x = np.repeat(np.eye(3), 20, axis=0) + 1e-3 * np.random.default_rng(0).normal(size=(60, 3))
    path = fit(x, np.repeat(np.arange(3), 20))
    assert float(path.r2[0][-1]) > 0.9
    assert path.kkt <= multinomial.TOLERANCE
    assert (path.predict(x).argmax(1) == torch.arange(3).repeat_interleave(20)).all()


def test_it_is_saved_without_loss():
    path = fit(*data()).select(tolerance=0.3)
    again = results.loads(results.dumps(path))
    assert torch.equal(again.knot_intercepts, path.knot_intercepts)
    assert torch.equal(again.intercepts, path.intercepts)
    assert again.quality == path.quality
    assert results.dumps(again) == results.dumps(path) == results.dumps(fit(*data()).select(tolerance=0.3))


def test_what_it_cannot_work_on_is_refused(tmp_path):
    x, y = data()
    broken = np.eye(3)[y]
    broken[17] = [0.5, 0.6, 0.1]
    with pytest.raises(BadFeatures, match="row 17"):
        fit(x, broken)
    with pytest.raises(BadFeatures, match="row 0"):
        fit(x, np.tile([1.5, -0.5, 0.0], (len(x), 1)))
    with pytest.raises(BadFeatures, match="missing"):
        fit(x, None)
    with pytest.raises(BadInput, match="resume"):
        fit(x, y, resume=tmp_path / "state")


def test_the_curvature_of_all_coefficients_is_that_of_differences():
    x, y = data(n=80)
    columns = multinomial_columns.Columns(x.T.copy(), y.astype(np.int64), streaming.read(x, y).moments)
    joint = Joint(
        columns,
        Penalty(0.01, 0.0),
        np.arange(3),
        of=np.array([0, 0, 2, 2]),
        at=np.array([1, 4, 0, 4]),
        b=np.array([0.5, -0.3, 0.2, 0.9]),
        intercepts=np.array([0.1, -0.4, 0.3]),
    )

    def at(values):
        return joint._expand(values[:4], np.append(values[4:], 0.3))

    here = np.concatenate([joint.b, joint.intercepts[:2]])
    _, slope, curvature = at(here)
    for i, step in enumerate(1e-5 * np.eye(6)):
        up, down = at(here + step), at(here - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(slope[i], abs=1e-9)
        np.testing.assert_allclose((up[1] - down[1]) / 2e-5, curvature[i], atol=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_with_a_ridge_penalty_coefficients_that_balancing_gives_stay_with_their_features(seed):
    """Small designs of every shape: a class gets coefficients on features that the pass had not given it."""
    rng = np.random.default_rng(seed)
    n, d, K = int(rng.integers(30, 120)), int(rng.integers(2, 15)), int(rng.integers(2, 6))
    x = rng.normal(size=(n, d))
    y = (x @ (rng.normal(size=(d, K)) * (rng.random((d, K)) < 0.3)) + rng.normal(size=(n, K))).argmax(1)
    path, z = fit(x, y, l2=0.05, max_features=d), (x - x.mean(0)) / x.std(0)
    assert path.kkt <= multinomial.TOLERANCE
    (B, a), l1 = at_knot(path, -1), float(path.knots[0][-1])
    classes = np.unique(y)
    p = softmax((z @ B.T + a)[:, classes], axis=1)
    slope = (p - (y[:, None] == classes)).T @ z / n + 2 * 0.05 * B[classes]
    off = np.where(B[classes] != 0, np.abs(slope + l1 * np.sign(B[classes])), np.maximum(np.abs(slope) - l1, 0))
    assert off.max() <= 1e-7 * float(path.knots[0][0])
