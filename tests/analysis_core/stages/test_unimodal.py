"""Unimodal importance against models whose gradient and surrogate are known."""

import pytest
import torch

from analysis_core import Atoms, Feature, Logit, PredictedLogit
from analysis_core.errors import BadInput, MissingCapability, UnknownName
from analysis_core.stages import unimodal
from tests.analysis_core import toys, toys_games

WA, WB = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)


def test_saliency_is_the_norm_of_the_gradient_over_each_atoms_components():
    # f = <wa, a> + <wb, b>: the gradient is the weights.
    result = unimodal.gradient(toys.linear(WA, WB), toys.sample(), Logit(0))
    torch.testing.assert_close(result.values["a"], WA.norm(dim=1))
    torch.testing.assert_close(result.values["b"], WB.norm(dim=1))
    assert result.pairs is None
    assert result.pixels is None


def test_saliency_groups_leaves_and_leaves_out_those_of_no_atom():
    model = toys.linear(WA, WB)
    model.atoms = {"a": Atoms(("cube",), "word", groups=torch.tensor([0, -1, 0]))}
    result = unimodal.gradient(model, toys.sample(), Logit(1))
    torch.testing.assert_close(result.values["a"], 2 * WA[[0, 2]].norm().reshape(1))


def test_saliency_towards_a_feature_and_a_named_layer():
    # The features are the inputs: feature 3 is component 1 of atom 1 of a. The layer holds the doubled logits.
    model = toys.linear(WA, WB)
    result = unimodal.gradient(model, toys.sample(), Feature(3))
    assert result.values["a"].tolist() == [0, 1, 0]
    assert not result.values["b"].any()
    doubled = unimodal.gradient(model, toys.sample(), Feature(0, layer="doubled"))
    torch.testing.assert_close(doubled.values["a"], 2 * WA.norm(dim=1))


def test_a_model_without_gradients_is_refused_and_unknown_names_are_named():
    model = toys.Toy(lambda a, b: torch.zeros(len(a), 2))
    with pytest.raises(MissingCapability, match="differentiable"):
        unimodal.gradient(model, toys.sample(), Logit(0))
    with pytest.raises(UnknownName, match="saliency"):
        unimodal.gradient(toys.linear(WA, WB), toys.sample(), Logit(0), method="salience")
    with pytest.raises(UnknownName, match="doubled"):
        unimodal.gradient(toys.linear(WA, WB), toys.sample(), Feature(0, layer="double"))


def test_gradients_work_inside_no_grad_and_leave_the_callers_tensors_alone():
    sample = toys.sample()
    with torch.no_grad():
        result = unimodal.gradient(toys.linear(WA, WB), sample, Logit(0))
    assert result.values["a"].any()
    assert not sample["a"].requires_grad
    assert sample["a"].grad is None


def test_lime_of_a_linear_model_returns_its_coefficients():
    # Switching atom i on adds <w_i, x_i>: that is its coefficient; the intercept is f(baseline) = 0.
    sample = toys.sample()
    one, two = unimodal.lime(toys.linear(WA, WB), sample, [Logit(0), Logit(1)])
    expected = {"a": (WA * sample["a"][0]).sum(1), "b": (WB * sample["b"][0]).sum(1)}
    for m in "ab":
        torch.testing.assert_close(one.values[m], expected[m], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(two.values[m], 2 * expected[m], rtol=1e-4, atol=1e-4)
    assert one.quality["r2"] > 0.999999
    assert abs(one.quality["intercept"]) < 1e-3


def test_lime_agrees_with_scikit_learns_weighted_ridge():
    from sklearn.linear_model import Ridge

    from analysis_core.stages.surrogate import RIDGE, cosine_kernel, fit_ridge

    Z = (toys.random(60, 8, seed=1) > 0).double()
    y, w = toys.random(60, 2, seed=2), cosine_kernel(Z)
    theirs = Ridge(alpha=RIDGE * float(w.sum())).fit(Z.numpy(), y.numpy(), sample_weight=w.numpy())
    ours = fit_ridge(Z, y, w)
    torch.testing.assert_close(ours.coefficients.T, torch.tensor(theirs.coef_), rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(ours.intercepts, torch.tensor(theirs.intercept_), rtol=1e-9, atol=1e-11)
    score = theirs.score(Z.numpy(), y[:, :].numpy(), sample_weight=w.numpy())
    assert sum(ours.r2_in_sample) / 2 == pytest.approx(score)


def test_the_kernel_is_limes():
    # 4 of 9 atoms kept: cosine similarity sqrt(4/9) = 2/3, d = 1/3, sqrt(exp(-(1/9) / .0625)) = exp(-8/9).
    from analysis_core.stages.surrogate import cosine_kernel

    Z = torch.tensor([[1, 1, 1, 1, 0, 0, 0, 0, 0], [1] * 9, [0] * 9])
    expected = torch.tensor([-8 / 9, 0.0, -8.0], dtype=torch.float64).exp()
    torch.testing.assert_close(cosine_kernel(Z), expected)


def test_one_perturbation_set_serves_classes_and_features():
    model = toys.linear(WA, WB)
    results = unimodal.lime(model, toys.sample(), [PredictedLogit(), Feature(3), Feature(0, layer="doubled")])
    assert model.rows == results[0].quality["forwards"] <= 201
    assert results[0].quality["evaluations"] == 200
    torch.testing.assert_close(results[1].values["a"][1], toys.sample()["a"][0, 1, 1], rtol=1e-4, atol=1e-4)


def test_the_number_of_rows_grows_with_the_atoms():
    model = toys.linear(torch.ones(20, 2), torch.ones(10, 5))
    assert unimodal.lime(model, toys.sample(n=20, m=10), [Logit(0)])[0].config["samples"] == 300


def test_lime_of_one_modality_leaves_the_other_present():
    result = unimodal.lime(toys.bilinear(torch.ones(6, 20)), toys.sample(), [Logit(0)], modalities=["a"])[0]
    # f = sum(a) * sum(b) with b whole: atom i adds sum(a_i) * sum(b).
    sample = toys.sample()
    expected = sample["a"][0].sum(1) * sample["b"].sum()
    torch.testing.assert_close(result.values["a"], expected, rtol=1e-4, atol=1e-4)
    assert set(result.values) == {"a"}


def test_the_same_seed_gives_the_same_bytes():
    model = toys.bilinear(toys.random(6, 20))
    a, b, c = (unimodal.lime(model, toys.sample(), [Logit(0)], seed=s)[0] for s in (5, 5, 6))
    assert a.values["a"].numpy().tobytes() == b.values["a"].numpy().tobytes()
    assert a.quality == b.quality
    assert not torch.equal(a.values["a"], c.values["a"])


def test_a_constant_target_has_no_r2():
    model = toys.Toy(lambda a, b: torch.ones(len(a), 2, dtype=a.dtype))
    result = unimodal.lime(model, toys.sample(), [Logit(0)])[0]
    assert result.quality["r2"] is None
    assert not result.values["a"].any()


def test_one_atom_is_not_a_game():
    with pytest.raises(BadInput, match="two atoms"):
        unimodal.lime(toys.linear(WA[:1], WB), toys.sample(n=1), [Logit(0)], modalities=["a"])
    with pytest.raises(BadInput, match="one target"):
        unimodal.lime(toys.linear(WA, WB), toys.sample(), [])


def test_lime_says_how_far_another_seed_would_be():
    # 40 seeds of 120 rows: the spread of coefficients is their standard error, and their correlation the stability.
    model, sample = toys_games.Game(toys_games.network(10, seed=4, scale=4), 4, 6), {}
    found = [unimodal.lime(model, sample, [Logit(0)], samples=120, seed=s)[0] for s in range(40)]
    coefficients = torch.stack([torch.cat([r.values["a"], r.values["b"]]) for r in found])
    stated = torch.tensor([[*r.quality["standard_error"]["a"], *r.quality["standard_error"]["b"]] for r in found])
    ratio = coefficients.var(0).mean().sqrt() / stated.square().mean().sqrt()
    assert 0.8 < float(ratio) < 1.25
    correlation = torch.corrcoef(coefficients)[~torch.eye(40, dtype=torch.bool)].mean()
    stability = sum(r.quality["stability"] for r in found) / 40
    assert stability == pytest.approx(float(correlation), abs=0.05)
    assert correlation < 0.97


def test_lime_of_a_linear_model_is_entirely_stable_and_of_noise_hardly():
    certain = unimodal.lime(toys.linear(WA, WB), toys.sample(), [Logit(0)])[0]
    assert certain.quality["stability"] > 0.999999
    assert max(certain.quality["standard_error"]["a"]) < 1e-4
    noise = toys_games.Game(toys_games.table(12, seed=5), 5, 7)
    assert unimodal.lime(noise, {}, [Logit(0)], samples=60)[0].quality["stability"] < 0.5


def test_a_constant_target_has_no_stability():
    model = toys.Toy(lambda a, b: torch.ones(len(a), 2, dtype=a.dtype))
    result = unimodal.lime(model, toys.sample(), [Logit(0)])[0]
    assert result.quality["stability"] is None
    assert not any(result.quality["standard_error"]["a"])


def test_lime_of_more_atoms_than_fit_into_memory_is_refused():
    with pytest.raises(BadInput, match=r"would take \d+ GiB.*group atoms"):
        unimodal.lime(toys.additive(), toys.sample(n=9000, p=1, m=1000, q=1), [Logit(0)])


def test_lime_agrees_with_statsmodels_standard_errors():
    # White's sandwich with HC3, of weighted least squares; our ridge of 1e-6 is not seen in six digits.
    import statsmodels.api as sm

    from analysis_core.stages.surrogate import cosine_kernel, fit_ridge

    Z = (toys.random(60, 8, seed=1) > 0).double()
    y, w = toys.random(60, 1, seed=2), cosine_kernel(Z)
    theirs = sm.WLS(y[:, 0].numpy(), sm.add_constant(Z.numpy()), weights=w.numpy()).fit(cov_type="HC3")
    ours = fit_ridge(Z, y, w)
    torch.testing.assert_close(ours.standard_errors[:, 0], torch.tensor(theirs.bse[1:]), rtol=1e-4, atol=1e-8)
