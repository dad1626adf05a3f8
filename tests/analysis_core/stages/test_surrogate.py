"""The R2 that LIME reports: of rows left out of the fit, not of the rows it was fitted to."""

import pytest
import torch

from analysis_core import Logit
from analysis_core.stages import crossmodal, unimodal
from analysis_core.stages.designs import Design, bernoulli
from analysis_core.stages.masking import Columns
from analysis_core.stages.surrogate import RIDGE, cosine_kernel, fit_ridge
from tests.analysis_core import toys, toys_games


def drawn(rows, atoms, seed=0):
    Z = bernoulli(rows, atoms, seed, "test")
    return Z.to(torch.float64), cosine_kernel(Z)


@pytest.mark.parametrize(("rows", "atoms", "ridge"), [(2, 6, RIDGE), (7, 6, RIDGE), (30, 6, RIDGE), (21, 20, 1e-11)])
def test_r2_is_that_of_every_row_predicted_by_a_fit_to_the_others(rows, atoms, ridge):
    Z, w = drawn(rows, atoms)
    y = toys.random(rows, 1, seed=1)
    left = spread = 0.0
    for i in range(rows):
        others = torch.arange(rows) != i
        # The ridge is a share of the total weight, which is less without the row.
        fit = fit_ridge(Z[others], y[others], w[others], ridge * float(w.sum() / w[others].sum()))
        mean = (w[others, None] * y[others]).sum() / w[others].sum()
        left += float(w[i] * (y[i] - fit.intercepts - Z[i] @ fit.coefficients).square())
        spread += float(w[i] * (y[i] - mean).square())
    assert fit_ridge(Z, y, w, ridge).r2[0] == pytest.approx(1 - left / spread, abs=1e-4)


@pytest.mark.parametrize(("rows", "atoms"), [(101, 44), (200, 53)])
def test_noise_is_not_explained_however_few_rows_there_are_for_each_atom(rows, atoms):
    Z, w = drawn(rows, atoms)
    fit = fit_ridge(Z, toys.random(rows, 10, seed=2), w)
    assert min(fit.r2_in_sample) > 0.15
    assert sum(fit.r2) < 0


def test_two_rows_explain_no_six_atoms():
    model, sample = toys.linear(toys.random(3, 2), toys.random(3, 5)), toys.sample(m=3)
    quality = unimodal.lime(model, sample, [Logit(0)], samples=2)[0].quality
    assert quality["r2_in_sample"] > 0.9999
    assert quality["r2"] == pytest.approx(0, abs=1e-9)


def test_r2_is_what_rows_of_another_seed_find():
    game = toys_games.network(20, seed=3, scale=2)
    fresh, far = (t[1:] for t in drawn(4000, 20, seed=1))
    found = []
    for rows in (50, 100, 400):
        Z, w = drawn(rows, 20)
        y = game(Z)
        fit, mean = fit_ridge(Z, y[:, None], w), (w * y).sum() / w.sum()
        left = game(fresh) - fit.intercepts - fresh @ fit.coefficients[:, 0]
        held_out = 1 - float((far * left.square()).sum() / (far * (game(fresh) - mean).square()).sum())
        found.append((fit.r2[0], fit.r2_in_sample[0], held_out))
    for r2, r2_in_sample, held_out in found:
        assert abs(r2 - held_out) < 0.15
        assert r2 < r2_in_sample
    assert found[0][1] - found[0][2] > 0.1


def test_lime_of_a_linear_model_explains_rows_left_out_as_well():
    for design in ("joint", "apart"):
        model = toys.linear(toys.random(3, 2), toys.random(4, 5))
        quality = unimodal.lime(model, toys.sample(), [Logit(0)], design=design)[0].quality
        figures = quality["r2"] if design == "apart" else {"all": quality["r2"]}
        assert min(figures.values()) > 0.999999


@pytest.mark.parametrize("constant", [1.0, 0.1, 3.3])
@pytest.mark.parametrize("design", ["joint", "apart"])
def test_a_constant_target_has_neither_r2_nor_stability_in_either_design(constant, design):
    model = toys.Toy(lambda a, b: torch.full((len(a), 2), constant, dtype=a.dtype))
    quality = unimodal.lime(model, toys.sample(), [Logit(0)], design=design)[0].quality
    nothing = None if design == "joint" else {"a": None, "b": None}
    assert [quality[name] for name in ("r2", "r2_in_sample", "stability")] == [nothing] * 3
    pairs = crossmodal.lime(model, toys.sample(), Logit(0), source="a", to="b")
    assert (pairs.quality["r2"], pairs.quality["stability"]) == (None, None)


def test_pairs_of_which_all_rows_are_taken_leave_none_out():
    model, sample = toys.bilinear(toys.random(2, 5)), toys.sample(n=1, m=1)
    quality = crossmodal.lime(model, sample, Logit(0), source="a", to="b").quality
    assert quality["r2"] == quality["r2_in_sample"] > 0.999999


def test_modalities_of_as_many_atoms_have_rows_of_their_own():
    columns = (Columns("a", 0, 5), Columns("b", 5, 10))
    one, two = (Design(columns, samples=81, seed=3, design="apart") for _ in "12")
    a, b = (one.Z[block.rows, block.start : block.stop] for block in one.blocks)
    assert not torch.equal(a, b)
    assert torch.equal(one.Z, two.Z)
    # Errors of one modality's coefficients say nothing about the other's: rows agree as coins do.
    assert 0.35 < float((a[1:] == b[1:]).double().mean()) < 0.65
