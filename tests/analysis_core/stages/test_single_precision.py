"""Products in float32: what the moments and the path say of themselves, against moments of float64."""

import warnings

import numpy as np
import pytest

from analysis_core import results
from analysis_core.stages import homotopy, streaming
from analysis_core.stages.prediction import sparse_path

KINDS = ("normal", "mixed", "near copies", "rare ones", "long tails", "far from 0", "copies", "trend")


def both(x, y):
    return streaming.read(x, y).moments, streaming.read(x, y, precision="float32").moments


def path_of(moments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return sparse_path(moments, **options)


def true_violation(path, exact, l2=0.0):
    """The largest at any knot of any target on the exact moments, as a share of the first knot."""
    each = zip(path.knots, path.support, path.coefficients, strict=True)
    return max(
        homotopy.violation(
            homotopy.Path(knots.numpy(), support.numpy(), table.numpy(), 0.0),
            exact.gram,
            exact.cross[:, k],
            exact.usable,
            l2=l2,
        )
        for k, (knots, support, table) in enumerate(each)
    )


def design(seed):
    rng = np.random.default_rng(seed)
    n, d, kind = int(rng.integers(3, 3000)), int(rng.integers(1, 60)), KINDS[seed % 8]
    x = rng.normal(size=(n, d))
    if kind == "mixed":
        x = x @ rng.normal(size=(d, d))
    elif kind == "near copies":
        x = np.hstack([x, x[:, :1] + rng.normal(size=(n, 1)) * 10.0 ** -rng.integers(1, 6)])
    elif kind == "rare ones":
        x = (rng.random((n, d)) < 0.3).astype(float)
    elif kind == "long tails":
        x = np.exp(2 * x)
    elif kind == "far from 0":
        # The first chunk's mean is not that of all: the products are far larger than what is left of them.
        x = x + 100 * rng.normal(size=d) + np.linspace(0, 30, n)[:, None]
    elif kind == "copies":
        x = np.hstack([x, 4 - 3 * x[:, :1], x[:, -1:] + 1e-4 * rng.normal(size=(n, 1))])
    elif kind == "trend":
        x = np.sort(x, axis=0) + 1e-3 * rng.normal(size=(n, d))
    return x, np.stack([rng.normal(size=n), x[:, :3].sum(1) + 0.1 * rng.normal(size=n)], axis=1)


@pytest.mark.parametrize(("n", "d"), [(300, 10), (400, 40)])
def test_kkt_of_a_path_on_products_in_float32_is_no_less_than_the_true_violation(n, d):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    exact, fast = both(x, x[:, :3].sum(1, keepdims=True) + rng.normal(size=(n, 1)))
    path = path_of(fast)
    wrong = true_violation(path, exact)
    assert 1e-9 < wrong <= path.kkt < 1e-3
    assert path_of(exact).kkt < 1e-12


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_bound_is_a_bound_in_designs_of_all_kinds(l2):
    for seed in range(64):
        exact, fast = both(*design(seed))
        kept = np.ix_(exact.usable & fast.usable, exact.usable & fast.usable)
        assert np.abs(fast.gram - exact.gram)[kept].max(initial=0.0) <= fast.gram_error, seed
        if l2 == 0 or (exact.usable == fast.usable).all():
            path = path_of(fast, l2=l2)
            assert true_violation(path, exact, l2) <= path.kkt + 1e-12, seed


def test_columns_that_only_float64_tells_apart_are_in_the_bound_and_counted():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 10))
    x[:, 9] = x[:, 0] + 1.4e-4 * rng.normal(size=300)
    exact, fast = both(x, x[:, [0]] + rng.normal(size=(300, 1)))
    assert (exact.usable.sum(), fast.usable.sum()) == (10, 9)
    path = path_of(fast)
    assert 1e-7 < true_violation(path, exact) <= path.kkt
    assert "1 columns that agree with another to 1e-6" in path.notes[0]


def test_a_path_says_which_products_it_stands_on():
    rng = np.random.default_rng(2)
    exact, fast = both(rng.normal(size=(300, 6)), np.arange(300) % 3)
    with pytest.warns(RuntimeWarning, match="products of features were taken in float32"):
        path = sparse_path(fast)
    plain = sparse_path(exact)
    assert (path.config["precision"], plain.config["precision"]) == ("float32", "float64")
    assert path.quality["gram_error"] == fast.gram_error >= 2.0**-24
    assert (plain.quality["gram_error"], exact.gram_error, plain.notes) == (0.0, 0.0, ())
    again = results.loads(results.dumps(path))
    assert (again.config, again.quality, again.kkt) == (path.config, path.quality, path.kkt)
