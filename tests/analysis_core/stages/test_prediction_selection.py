"""The curve of accuracy against sparsity, and choosing by it."""

import numpy as np
import pytest
import torch

from analysis_core import results
from analysis_core.errors import BadFeatures, BadInput
from analysis_core.stages.prediction import Curve, curve, sparse_path
from analysis_core.store import FeatureStore


def data(n=600, d=20, K=4, seed=0):
    """Two features raise each class; the rest is noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, K, size=n)
    x = rng.normal(size=(n, d))
    x[np.arange(n), y] += 2
    x[np.arange(n), y + K] += 1
    return x, y


def by_hand(path, x, y, size):
    """Accuracy and accuracy per class, where each class uses its best knot with at most `size` features."""
    z, values = (x - path.mean.numpy()) / path.scale.numpy(), np.tile(path.intercepts.numpy(), (len(x), 1))
    for k, (support, table, r2) in enumerate(zip(path.support, path.coefficients, path.r2, strict=True)):
        fits = np.flatnonzero((table != 0).sum(1).numpy() <= size)
        if len(fits):
            values[:, k] += z[:, support.numpy()] @ table[fits[np.argmax(r2.numpy()[fits])]].numpy()
    right = values.argmax(1) == y
    return right.mean(), [right[y == k].mean() for k in range(values.shape[1])]


def test_the_curve_is_the_accuracy_of_the_largest_value_at_each_size():
    x, y = data()
    path = sparse_path(x[:400], y[:400])
    found = curve(path, x[400:], y[400:], sizes=[0, 1, 2, 5, 20])
    assert found.sizes.tolist() == [0, 1, 2, 5, 20]
    for place, size in enumerate([0, 1, 2, 5, 20]):
        accuracy, per_class = by_hand(path, x[400:], y[400:], size)
        assert float(found.accuracy[place]) == pytest.approx(accuracy)
        np.testing.assert_allclose(found.per_class[place], per_class)
        # Binomial: sqrt(p (1 - p) / n) with n = 200.
        assert float(found.standard_error[place]) == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 200))
    assert found.counts.tolist() == np.bincount(y[400:]).tolist()
    # Without a feature the most frequent class of the fitted points is named throughout.
    assert float(found.accuracy[0]) == pytest.approx((y[400:] == np.bincount(y[:400]).argmax()).mean())
    assert float(found.used[0]) == 0
    assert float(found.used[1]) == 1


def test_sizes_are_given_or_grow_like_fibonaccis_numbers_up_to_the_largest():
    x, y = data()
    path = sparse_path(x, y, max_features=9)
    assert curve(path, x, y).sizes.tolist() == [0, 1, 2, 3, 5, 8, 9]
    assert curve(path, x, y, sizes=[3, 1, 3]).sizes.tolist() == [1, 3]
    with pytest.raises(BadInput, match="at least 0, not -1"):
        curve(path, x, y, sizes=[-1])
    with pytest.raises(BadInput, match=r"such as \[1, 2, 5\], not \[\]"):
        curve(path, x, y, sizes=[])


def test_the_sparsest_size_within_the_tolerance_is_selected_for_all_classes():
    x, y = data()
    path = sparse_path(x[:400], y[:400])
    found = curve(path, x[400:], y[400:])
    for tolerance in (0.0, 0.02, 0.3):
        size = found.sparsest(tolerance)
        place = found.sizes.tolist().index(size)
        good = found.accuracy >= (1 - tolerance) * found.accuracy.max()
        assert good[place]
        assert not good[:place].any()
        path.select(tolerance=tolerance, curve=found)
        for k in range(4):
            fits = (path.coefficients[k] != 0).sum(1) <= size
            assert fits[path.selected[k]]
            assert float(path.r2[k][path.selected[k]]) == float(path.r2[k][fits].max())
            assert len(path.top(k).indices) <= size


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    # Of the best, .80, 1 % may go: .792 is wanted, and .79 at 8 features is not enough. 2.5 %: .78, reached at 3 and
    # at 8, of which 3 is sparser. 12.5 %: .70, reached at 1; the fall to .60 at 2 changes nothing. 99 %: everything.
    [(0.0, 20), (0.01, 20), (0.0125, 8), (0.025, 3), (0.125, 1), (0.99, 0)],
)
def test_the_tolerance_rule_on_a_curve_by_hand(tolerance, expected):
    accuracy = torch.tensor([0.25, 0.70, 0.60, 0.78, 0.79, 0.80, 0.77], dtype=torch.float64)
    # A hair more, so that 1.25 % of .80 is not decided by the last bit of a product.
    assert by_accuracy([0, 1, 2, 3, 8, 20, 30], accuracy).sparsest(tolerance + 1e-12) == expected


def test_a_curve_on_which_nothing_is_right_takes_no_feature():
    assert by_accuracy([0, 1, 5], torch.zeros(3, dtype=torch.float64)).sparsest(0.1) == 0


def by_accuracy(sizes, accuracy):
    """A curve of which only sizes and accuracy matter."""
    nothing = torch.zeros_like(accuracy)
    return Curve(torch.tensor(sizes), nothing, accuracy, nothing, nothing[:, None], torch.tensor([9]))


def test_a_multinomial_curve_uses_one_knot_for_all_classes():
    x, y = data(n=300)
    path = sparse_path(x, y, family="multinomial")
    found = curve(path, x, y, sizes=[2])
    m = max(m for m in range(len(path.knots[0])) if all(int(path.sizes(k)[m]) <= 2 for k in range(4)))
    assert path.at_most(2) == [m] * 4
    path.select(curve=found)
    assert float(found.accuracy[0]) == pytest.approx(float((path.predict(x).argmax(1).numpy() == y).mean()))


def test_logits_stores_and_chunks_are_read_and_absent_classes_have_no_figure(tmp_path):
    x, y = data()
    path = sparse_path(x, y)
    logits = np.eye(4)[y] + 0.1
    with FeatureStore.write(tmp_path, key={}, rows=len(x)) as writer:
        writer.append(x, logits, [{}] * len(x))
    whole = curve(path, x, y)
    for found in (
        curve(path, FeatureStore.open(tmp_path)),
        curve(path, x, logits),
        curve(path, ((x[i : i + 50], y[i : i + 50]) for i in range(0, 600, 50))),
    ):
        torch.testing.assert_close(found.accuracy, whole.accuracy)
    part = curve(path, x[y < 3], y[y < 3])
    assert part.per_class[:, 3].isnan().all()
    assert int(part.counts[3]) == 0


def test_the_curve_is_saved_without_loss():
    x, y = data()
    one = curve(sparse_path(x, y), x[y < 3], y[y < 3])
    two = results.loads(results.dumps(one))
    assert results.dumps(one) == results.dumps(two)
    assert torch.equal(one.accuracy, two.accuracy)
    torch.testing.assert_close(one.per_class, two.per_class, equal_nan=True, rtol=0, atol=0)


def test_classes_that_the_path_does_not_have_are_refused():
    x, y = data()
    path = sparse_path(x, y)
    with pytest.raises(BadFeatures, match="4 classes"):
        curve(path, x, y + 1)
    with pytest.raises(BadFeatures, match="4 classes"):
        curve(path, x, np.eye(5)[y])
    with pytest.raises(BadFeatures, match="missing"):
        curve(path, x)
    with pytest.raises(BadFeatures, match="no datapoints"):
        curve(path, iter(()))
    with pytest.raises(BadFeatures, match="20"):
        curve(path, x[:, :3], y)
