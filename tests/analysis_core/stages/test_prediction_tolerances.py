"""Where a column stops being constant or a copy, and how much of the best is given up unless told otherwise."""

import numpy as np
import pytest

from analysis_core.stages.prediction import sparse_path

N = 4000


def orthogonal():
    """Two columns [N] of mean 0 and standard deviation 1 that are not correlated."""
    columns = np.random.default_rng(0).normal(size=(N, 2))
    columns, _ = np.linalg.qr(columns - columns.mean(0))
    return columns.T * N**0.5


@pytest.mark.parametrize(("deviation", "kept"), [(0.9e-9, False), (1.1e-9, True)])
@pytest.mark.parametrize("mean", [1.0, -50.0])
def test_a_column_is_constant_where_its_deviation_is_a_billionth_of_its_mean(mean, deviation, kept):
    base, other = orthogonal()
    x = np.stack([mean * (1 + deviation * base), other], axis=1)
    assert x[:, 0].std() / abs(x[:, 0].mean()) == pytest.approx(deviation, rel=1e-3)
    # It is all that the target depends on, and would be selected.
    (support,) = sparse_path(x, base[:, None]).support
    assert (0 in support.tolist()) is kept


@pytest.mark.parametrize(("gap", "kept"), [(0.9e-9, False), (1.1e-9, True)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_column_is_a_copy_where_it_is_correlated_beyond_a_billionth_of_one(sign, gap, kept):
    base, other = orthogonal()
    near = (1 - gap) * base + (1 - (1 - gap) ** 2) ** 0.5 * other
    assert 1 - base @ near / N == pytest.approx(gap, rel=1e-3)
    # The later column is the one that the target follows more closely.
    (support,) = sparse_path(np.stack([base, sign * near], axis=1), (base + other)[:, None]).support
    assert support.tolist() == ([0, 1] if kept else [0])


def test_one_percent_of_the_best_is_given_up_unless_told_otherwise():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(600, 40))
    path = sparse_path(x, x @ rng.normal(size=(40, 12)) + rng.normal(size=(600, 12)))
    default = path.selected.tolist()
    assert default == path.select().selected.tolist() == path.select(0.01).selected.tolist()
    for k, (m, r2) in enumerate(zip(default, path.r2, strict=True)):
        assert float(r2[m]) >= 0.99 * float(r2.max())
        assert bool((r2[path.sizes(k) < path.sizes(k)[m]] < 0.99 * r2.max()).all())
    # A fifth of a percent up or down is another choice.
    assert default != path.select(0.008).selected.tolist()
    assert default != path.select(0.012).selected.tolist()
