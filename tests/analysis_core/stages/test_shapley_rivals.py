"""Ours beside shap.KernelExplainer and captum's KernelShap: the same games, as many evaluations, fixed seeds."""

import statistics
import warnings

import numpy as np
import pytest
import torch

from analysis_core import Logit
from analysis_core.stages import unimodal
from analysis_core.stages.coalitions import every
from analysis_core.stages.shapley_exact import shapley_values
from tests.analysis_core import toys_games

N = 12
#: Fewer rows scatter more, and cost less.
SEEDS = {100: range(20), 500: range(7), 2000: range(3)}
GAMES = {
    "network": toys_games.network(N, seed=1),
    "saturated": toys_games.network(N, seed=2, scale=4),
    "attention": toys_games.attention(N, seed=4),
}


@pytest.fixture(scope="module")
def shap():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap as package
    return package


def relative(found, f):
    exact = shapley_values(every(N), f(every(N).double()))
    return float((found - exact).norm() / exact.norm())


def ours(f, evaluations, seed):
    result = unimodal.shap(toys_games.Game(f, 5, 7), {}, [Logit(0)], evaluations=evaluations, seed=seed, exact_up_to=0)[
        0
    ]
    assert result.quality["evaluations"] == result.quality["forwards"] == evaluations
    return relative(torch.cat([result.values["a"], result.values["b"]]), f)


def of_shap(package, f, evaluations, seed):
    """Without its feature selection, which would set two of the twelve atoms to 0. It counts neither all nor none."""
    np.random.seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explainer = package.KernelExplainer(lambda Z: f(torch.from_numpy(Z)).numpy(), np.zeros((1, N)))
        found = explainer.shap_values(np.ones((1, N)), nsamples=evaluations - 2, l1_reg=False, silent=True)
    return relative(torch.from_numpy(found[0]), f)


def of_captum(f, evaluations, seed):
    from captum.attr import KernelShap

    torch.manual_seed(seed)
    ones = torch.ones(1, N, dtype=torch.float64)
    found = KernelShap(f).attribute(ones, baselines=0 * ones, n_samples=evaluations, perturbations_per_eval=evaluations)
    return relative(found[0], f)


@pytest.mark.parametrize("evaluations", SEEDS)
@pytest.mark.parametrize(
    ("game", "shares"),
    [
        ("network", {100: 0.95, 500: 0.6, 2000: 0.4}),
        ("attention", {100: 0.7, 500: 0.4, 2000: 0.1}),
        # Interactions of every order at random: there is little to learn from one coalition about another.
        ("saturated", {100: 1.0, 500: 1.0, 2000: 0.7}),
    ],
)
def test_the_median_error_is_at_most_a_share_of_the_better_of_both(shap, game, shares, evaluations):
    f, seeds = GAMES[game], SEEDS[evaluations]
    mine = statistics.median(ours(f, evaluations, seed) for seed in seeds)
    shaps = statistics.median(of_shap(shap, f, evaluations, seed) for seed in seeds)
    captums = statistics.median(of_captum(f, evaluations, seed) for seed in seeds)
    assert mine <= shares[evaluations] * min(shaps, captums), (mine, shaps, captums)


@pytest.mark.parametrize(("evaluations", "most"), [(500, 0.016), (2000, 0.004)])
def test_the_median_error_itself_stays_small(evaluations, most):
    # .0128 and .0023 when written. Wanted are .019 and .009 at most: docs/methods/games.md.
    f = GAMES["network"]
    found = statistics.median(ours(f, evaluations, seed) for seed in SEEDS[evaluations])
    assert found <= most
