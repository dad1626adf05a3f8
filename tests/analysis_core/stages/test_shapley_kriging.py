"""Estimates from sampled pairs, against the same estimator written out over all interactions; and their errors."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch

from analysis_core.errors import BadInput
from analysis_core.seeds import generator
from analysis_core.stages import shapley_kriging
from analysis_core.stages.coalitions import every, halves
from analysis_core.stages.shapley_exact import shapley_values
from analysis_core.stages.shapley_kriging import NOISE, NUGGET, ORDERS, draw, krige
from analysis_core.stages.shapley_quantities import InteractionIndices, ShapleyValues
from tests.analysis_core import toys, toys_games

N = 7


@cache
def index_of(T):
    """The index of every atom (of every pair, for an even number of signs) in the game that is a product of signs."""
    definition = toys_games.shapley_by_definition if len(T) % 2 else toys_games.interactions_by_definition
    return definition(lambda Z: (2 * Z[:, list(T)] - 1).prod(1), N).numpy().ravel()


def written_out(Z, y, order, odd):
    """Generalised least squares with every interaction as a column of its own and each index by its definition.

    returns: the index of every atom (or pair), its variance for interactions of variance 1, the restricted likelihood
    """
    signs = 2 * Z.numpy().astype(float) - 1
    sets = [T for d in range(N + 1) for T in itertools.combinations(range(N), d) if len(T) % 2 == odd]
    trend = [T for T in sets if len(T) <= (1 if odd else 2)]
    rest = [T for T in sets if T not in trend]
    eta = order / (N - order)
    columns = {T: signs[:, list(T)].prod(1) for T in sets}
    X, B = (np.stack([columns[T] for T in group], 1) for group in (trend, rest))
    variances = np.array([eta ** len(T) for T in rest])
    scale = variances.sum()
    K = B * variances / scale @ B.T + NUGGET * np.eye(len(y))
    inverse = np.linalg.inv(K)
    information = X.T @ inverse @ X
    b = np.linalg.solve(information, X.T @ inverse @ y)
    left = y - X @ b
    from_trend, from_rest = (np.stack([index_of(T) for T in group], 1) for group in (trend, rest))
    reach = from_rest * variances / scale @ B.T
    estimate = from_trend @ b + reach @ inverse @ left
    bias = from_trend - reach @ inverse @ X
    variance = (from_rest**2 * variances / scale).sum(1) - np.einsum("qp,pr,qr->q", reach, inverse, reach)
    variance += np.einsum("qu,uv,qv->q", bias, np.linalg.inv(information), bias)
    freedom = len(y) - len(trend)
    s2 = left @ inverse @ left / freedom
    # Up to a constant: the columns of this trend are those of ours times 1, 2 or 4.
    score = -0.5 * (freedom * np.log(s2) + np.linalg.slogdet(K)[1] + np.linalg.slogdet(information)[1])
    return estimate, np.sqrt(variance * s2), score


def pairs_of(Z, f, odd):
    kept, absent = f(Z.double()), f((~Z).double())
    return (kept - absent) / 2 if odd else (kept + absent) / 2


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("odd", [True, False])
def test_the_estimates_are_those_of_a_regression_on_all_interactions(odd, seed):
    f, Z = toys_games.network(N, seed=seed), halves(N, 40, generator(seed, "test"))
    quantities = ShapleyValues(N) if odd else InteractionIndices(N, 2)
    y = pairs_of(Z, f, odd)
    found = krige(Z, y[:, None], quantities)
    candidates = {m: written_out(Z, y.numpy(), m, odd) for m in (min(m, NOISE * N) for m in (*ORDERS, NOISE * N))}
    best = max(candidates, key=lambda m: candidates[m][2])
    assert found.orders == [best]
    values, errors, _ = candidates[best]
    if not odd:
        values, errors = (t.reshape(N, N)[:2, 2:].ravel() for t in (values, errors))
    # The reference inverts a matrix of condition 1e9, which leaves it about six digits, fewer with some BLAS.
    np.testing.assert_allclose(found.values[:, 0], values, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(found.standard_errors[:, 0], errors, rtol=1e-4, atol=1e-8)


def test_targets_of_different_orders_each_have_the_regression_of_their_own(monkeypatch):
    # A third of the pairs is looked at, then all decide; several orders are factorised in the same memory.
    monkeypatch.setattr(shapley_kriging, "LEAST_TO_LOOK", 1)
    Z, weights = halves(N, 45, generator(5, "test")), toys.random(N)

    def of_four_atoms(Z):
        return 2 * Z[:, :4].prod(1) + Z @ weights

    games = (toys_games.table(N), of_four_atoms, toys_games.network(N, seed=1))
    y = torch.stack([pairs_of(Z, f, True) for f in games], dim=1)
    found = krige(Z, y, ShapleyValues(N))
    assert len(set(found.orders)) > 1
    for k, order in enumerate(found.orders):
        values, errors, _ = written_out(Z, y[:, k].numpy(), order, True)
        np.testing.assert_allclose(found.values[:, k], values, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(found.standard_errors[:, k], errors, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("n", [5, 8])
def test_all_pairs_give_the_exact_values(n):
    f, everything = toys_games.table(n, seed=5), every(n)
    Z = everything[2 ** (n - 1) :]
    values = krige(Z, pairs_of(Z, f, True)[:, None], ShapleyValues(n))
    torch.testing.assert_close(values.values[:, 0], toys_games.shapley_by_definition(f, n), rtol=0, atol=1e-6)
    assert values.standard_errors.max() < 1e-4
    indices = krige(Z, pairs_of(Z, f, False)[:, None], InteractionIndices(n, 2))
    expected = toys_games.interactions_by_definition(f, n)[:2, 2:].flatten()
    torch.testing.assert_close(indices.values[:, 0], expected, rtol=0, atol=1e-6)


def test_standard_errors_are_those_of_the_errors_made():
    # 40 models, each with one draw: errors over standard errors have a mean square of 1. The 12 atoms of one model
    # share much, so its own mean square may be off by half of that; the mean over 40 by 0.5 / sqrt(40) = 0.08.
    squares = []
    Z12 = every(12).double()
    for seed in range(40):
        f = (toys_games.network if seed % 2 else toys_games.attention)(12, seed=seed)
        exact = shapley_values(every(12), f(Z12))
        Z = draw(ShapleyValues(12), 120, seed, "test")
        found = krige(Z, pairs_of(Z, f, True)[:, None], ShapleyValues(12))
        squares.append(((found.values[:, 0] - exact) / found.standard_errors[:, 0]).square().mean())
    assert 0.7 < torch.stack(squares).mean() < 1.4


def test_rescaling_the_target_rescales_values_and_errors():
    f, Z = toys_games.network(9), halves(9, 60, generator(1, "test"))
    y = pairs_of(Z, f, True)
    found = krige(Z, torch.stack([y, 1000 * y], dim=1), ShapleyValues(9))
    torch.testing.assert_close(found.values[:, 1], 1000 * found.values[:, 0], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(found.standard_errors[:, 1], 1000 * found.standard_errors[:, 0], rtol=1e-9, atol=1e-9)


def test_a_target_has_the_same_bytes_whatever_stands_beside_it():
    f, g, Z = toys_games.network(9), toys_games.table(9), halves(9, 60, generator(1, "test"))
    one, other = pairs_of(Z, f, True), pairs_of(Z, g, True)
    alone = krige(Z, one[:, None], ShapleyValues(9))
    beside = krige(Z, torch.stack([other, one], dim=1), ShapleyValues(9))
    assert alone.values[:, 0].numpy().tobytes() == beside.values[:, 1].numpy().tobytes()
    assert alone.standard_errors[:, 0].numpy().tobytes() == beside.standard_errors[:, 1].numpy().tobytes()
    assert alone.orders[0] == beside.orders[1]


def test_where_only_some_pairs_are_looked_at_first_others_do_not_bring_in_their_orders():
    Z = halves(16, 640, generator(0, "x"))
    pairs = [Z.double(), (~Z).double()]
    games = [toys_games.attention(16, seed=0), lambda z: z[:, :3].prod(1)]
    y = torch.stack([(game(pairs[0]) - game(pairs[1])) / 2 for game in games], 1)
    beside = krige(Z, y, ShapleyValues(16))
    for k in range(len(games)):
        alone = krige(Z, y[:, k : k + 1], ShapleyValues(16))
        assert beside.orders[k] == alone.orders[0]
        assert torch.equal(beside.values[:, k], alone.values[:, 0])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_looking_for_the_order_among_fewer_pairs_moves_estimates_by_less_than_their_errors(seed, monkeypatch):
    f, Z = toys_games.network(12, seed=seed), halves(12, 700, generator(seed, "test"))
    y = pairs_of(Z, f, True)[:, None]
    found = krige(Z, y, ShapleyValues(12))
    monkeypatch.setattr(shapley_kriging, "LEAST_TO_LOOK", len(Z))
    whole = krige(Z, y, ShapleyValues(12))
    assert ((found.values - whole.values).abs() < whole.standard_errors).all()
    assert ((found.standard_errors / whole.standard_errors).log().abs() < 0.5).all()


@pytest.mark.parametrize("n", [4, 13, 30, 200])
def test_the_fewest_rows_allowed_determine_every_atom(n):
    # An additive model is found from any rows that determine it.
    weights = toys.random(n, seed=n)
    Z = draw(ShapleyValues(n), 2 * (n + 2), 0, "test")
    found = krige(Z, (Z.double() @ weights - (~Z).double() @ weights)[:, None] / 2, ShapleyValues(n))
    torch.testing.assert_close(found.values[:, 0], weights, rtol=1e-7, atol=1e-7)


def test_what_cannot_be_solved_is_refused_with_the_way_out():
    with pytest.raises(BadInput, match="take at least 24"):
        draw(ShapleyValues(10), 23, 0, "test")
    with pytest.raises(BadInput, match="take at most 8192"):
        draw(ShapleyValues(10), 8193, 0, "test")
    # 1 + 100 * 99 / 2 pairs of atoms.
    with pytest.raises(BadInput, match=r"4951 unknowns.*group atoms.*preselect"):
        draw(InteractionIndices(100, 50), 8192, 0, "test")
