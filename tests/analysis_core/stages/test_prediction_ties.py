"""The path is optimal at every knot on thousands of small designs: ties, copies, dependent or correlated columns."""

import numpy as np
import pytest
from sklearn.linear_model import enet_path

from analysis_core.stages import homotopy, homotopy_batch, streaming
from analysis_core.stages.active_set import optimum, steepest

KINDS = ("signs and zeros", "rare ones", "ones", "near copies", "sums of others", "one of n", "balanced", "normal")
EXACT = 1e-9


def design(seed):
    """A small matrix of one of the KINDS, one target of four sorts, l2, and how many features may enter."""
    rng = np.random.default_rng(seed)
    n, d, kind = int(rng.integers(3, 60)), int(rng.integers(1, 40)), KINDS[seed % 8]
    x = rng.normal(size=(n, d))
    if kind == "signs and zeros":
        x = rng.integers(-1, 2, size=(n, d)).astype(float)
    elif kind in ("rare ones", "ones"):
        x = (rng.random((n, d)) < (0.3 if kind == "rare ones" else 0.5)).astype(float)
    elif kind == "near copies":
        # Correlated to 1 - 5e-5 down to 1 - 5e-13: on both sides of what counts as one column.
        some = x[:, : max(1, d // 2)]
        x = np.hstack([x, some + rng.normal(size=some.shape) * 10.0 ** -rng.integers(2, 7)])
    elif kind == "sums of others":
        x = rng.integers(0, 2, size=(n, d)).astype(float)
        x = np.hstack([x, 1 - x[:, :1], x[:, :1] + x[:, -1:], np.ones((n, 1))])
    elif kind == "one of n":
        x = np.eye(n)[rng.integers(0, n, size=n)][:, :d]
    elif kind == "balanced":
        x = np.sign(rng.normal(size=(8, d)))
        x = np.vstack([x, -x])
    y = (
        rng.normal(size=len(x)),
        (rng.random(len(x)) < 0.5).astype(float),
        x[:, :3].sum(1),
        (x[:, 0] + x[:, -1] > 0).astype(float),
    )[seed // 8 % 4]
    return x, y[:, None], (0.0, 0.0, 0.1)[seed // 32 % 3], int(rng.integers(1, 45))


def moments(x, y):
    return streaming.read(x, y).moments


def violation(path, data, k, l2):
    """As the definition has it: |c_j - (Gb)_j - 2 l2 b_j| <= l1 for all usable j, and = l1 sign b_j where b_j != 0."""
    worst = 0.0
    for l1, row in zip(path.knots, path.coefficients, strict=True):
        b = np.zeros(len(data.gram))
        b[path.support] = row
        slope = data.cross[:, k] - data.gram @ b - 2 * l2 * b
        off = np.where(b != 0, np.abs(slope - l1 * np.sign(b)), np.abs(slope) - l1)[data.usable]
        worst = max(worst, float(off.max(initial=0.0)))
    return worst / path.knots[0] if path.knots[0] else 0.0


def objective(b, data, k, l1, l2):
    """Without the constant |y|^2 / 2n."""
    return b @ data.gram @ b / 2 - b @ data.cross[:, k] + l1 * np.abs(b).sum() + l2 * b @ b


@pytest.mark.parametrize("seeds", [range(500), pytest.param(range(500, 4500), marks=pytest.mark.slow)], ids=str)
def test_every_knot_of_thousands_of_small_designs_is_optimal(seeds):
    for seed in seeds:
        x, y, l2, most = design(seed)
        data = moments(x, y)
        path = homotopy.solve(data.gram, data.cross[:, 0], data.usable, l2=l2, most=most)
        assert violation(path, data, 0, l2) <= EXACT, seed
        assert path.violation <= EXACT, seed
        assert (np.diff(path.knots) < 0).all(), seed
        assert (path.coefficients != 0).sum(1).max() <= most, seed
        assert not path.cut, seed


def test_a_path_that_is_not_full_goes_down_to_least_squares():
    # Normal equations: at l1 = l2 = 0 no usable column correlates with the residual.
    for seed in range(160):
        x, y, l2, _ = design(seed)
        data = moments(x, y)
        path = homotopy.solve(data.gram, data.cross[:, 0], data.usable, l2=l2, most=100)
        assert path.knots[-1] == 0, seed


def test_between_knots_the_path_is_a_straight_line():
    # Where columns are not nearly copies; there, several knots may lie within round-off of one another.
    for seed in range(240):
        x, y, l2, most = design(seed)
        if KINDS[seed % 8] == "near copies":
            continue
        data = moments(x, y)
        path = homotopy.solve(data.gram, data.cross[:, 0], data.usable, l2=l2, most=most)
        middle = homotopy.Path(
            np.concatenate([path.knots[:1], (path.knots[1:] + path.knots[:-1]) / 2]),
            path.support,
            np.concatenate([path.coefficients[:1], (path.coefficients[1:] + path.coefficients[:-1]) / 2]),
            0.0,
        )
        assert violation(middle, data, 0, l2) <= EXACT, seed


def test_walking_together_gives_what_walking_alone_gives():
    compared = 0
    for seed in range(160):
        x, y, l2, most = design(seed)
        rng = np.random.default_rng(seed)
        several = np.hstack([y, rng.normal(size=(len(x), 2)), rng.random((len(x), 1)) < 0.3, np.ones((len(x), 1))])
        data = moments(x, several)
        together = homotopy_batch.solve_all(data.gram, data.cross, data.usable, l2=l2, most=most, threads=2)
        for k, path in enumerate(together):
            assert violation(path, data, k, l2) <= EXACT, (seed, k)
            alone = homotopy.solve(data.gram, data.cross[:, k], data.usable, l2=l2, most=most)
            # Dependent columns have more than one solution; with as many columns as that has rank, there is one.
            if np.linalg.matrix_rank(x - x.mean(0)) == x.shape[1] and KINDS[seed % 8] == "normal":
                np.testing.assert_allclose(path.knots, alone.knots, atol=1e-9 * alone.knots[0])
                compared += 1
    assert compared > 30


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_is_better_than_a_knot_by_scikit_learns_coordinate_descent():
    for seed in range(0, 160):
        x, y, l2, most = design(seed)
        data = moments(x, y)
        path = homotopy.solve(data.gram, data.cross[:, 0], data.usable, l2=l2, most=most)
        z = (x - data.mean) / data.scale
        z[:, ~data.usable] = 0
        for l1, row in list(zip(path.knots, path.coefficients, strict=True))[1:-1:3]:
            alpha = l1 + 2 * l2
            theirs = enet_path(z, y[:, 0] - y.mean(), l1_ratio=l1 / alpha, alphas=[alpha], tol=1e-10, max_iter=20_000)[
                1
            ][:, 0]
            ours = np.zeros(len(theirs))
            ours[path.support] = row
            gap = objective(ours, data, 0, l1, l2) - objective(theirs, data, 0, l1, l2)
            assert gap <= 1e-9 * data.target_variance[0], (seed, l1)


def test_columns_that_reach_the_level_together_enter_as_the_cone_allows():
    # Three columns tie at correlation 1; the third is the mean of the others less a little, so that it must stay out:
    # with d = (2/3, 2/3) on the first two (correlated .5), the third falls by H_3 d = (.9 + .9) 2/3 = 1.2 > 1.
    system = np.array([[1, 0.5, 0.9], [0.5, 1, 0.9], [0.9, 0.9, 1]])
    np.testing.assert_allclose(steepest(system, free=0), [2 / 3, 2 / 3, 0], rtol=1e-12)
    # With .7 in place of .9 it falls by .933 < 1 and enters: 1.5 a + .7 b = 1 and 1.4 a + b = 1.
    system = np.array([[1, 0.5, 0.7], [0.5, 1, 0.7], [0.7, 0.7, 1]])
    np.testing.assert_allclose(steepest(system, free=0), np.array([15, 15, 5]) / 26, rtol=1e-12)


def test_the_optimum_at_one_level_is_soft_thresholding_where_columns_are_orthogonal():
    columns, values = optimum(
        np.eye(4),
        np.array([3.0, -2.0, 0.5, 1.0]),
        np.array([True, True, True, False]),
        l1=1.0,
        l2=0.5,
        start=(np.array([2]), np.array([0.1])),
        tolerance=1e-12,
    )
    # (|c| - l1) / (1 + 2 l2), with the sign of c; the fourth may not be used.
    assert dict(zip(columns.tolist(), values.tolist(), strict=True)) == {0: 1.0, 1: -0.5}
