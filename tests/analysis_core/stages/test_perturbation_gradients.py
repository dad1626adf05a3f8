"""Finite differences against true gradients, and on models of another library that have none."""

import numpy as np
import pytest
import torch

from analysis_core import Feature, Logit, Margin
from analysis_core.errors import BadInput, MissingCapability, UnknownName
from analysis_core.stages import unimodal
from analysis_core.types import Output
from tests.analysis_core import toys, toys_kinds

WA, WB = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)
FIRST = Logit(0)


class Foreign(toys.Toy):
    """A scikit-learn estimator on the concatenated entries; its `call` turns [n, 26] arrays into [n, K]."""

    def __init__(self, call):
        super().__init__(lambda a, b: torch.empty(0))
        self.call = call

    def forward(self, x, aux):
        flat = torch.cat([x["a"].flatten(1), x["b"].flatten(1)], dim=1)
        logits = torch.from_numpy(np.ascontiguousarray(self.call(flat.numpy()))).reshape(len(flat), -1)
        return Output(logits, flat, {"doubled": 2 * logits})


def training_data():
    x = np.random.default_rng(0).normal(size=(200, 26))
    return x, x[:, 0] - 2 * x[:, 7] + 0.5 * x[:, 1] * x[:, 8]


def perturb(model, sample=None, target=FIRST, **options):
    return unimodal.gradient(
        model, toys.sample() if sample is None else sample, target, method="perturbation", **options
    )


def test_a_linear_model_has_exactly_its_weights():
    result = perturb(toys.linear(WA, WB))
    torch.testing.assert_close(result.values["a"], WA.norm(dim=1), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(result.values["b"], WB.norm(dim=1), rtol=1e-9, atol=1e-9)
    assert result.config["differences"] == "components"
    assert result.quality["asymmetry"] < 1e-4


def test_on_a_quadratic_model_central_differences_are_the_gradient():
    # f = sum w x^2: (w (x + h)^2 - w (x - h)^2) / 2h = 2 w x, whatever the step.
    model, sample = toys_kinds.Kinds(), toys_kinds.sample()
    for step in (None, 0.5):
        result = perturb(model, sample, step=step)
        for m in model.modalities:
            expected = model.per_atom(m, (2 * model.weights[m] * sample[m][0]).square()).sqrt()
            torch.testing.assert_close(result.values[m], expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("target", [Logit(1), Margin(0, 1), Feature(3), Feature(1, "doubled")])
def test_on_a_smooth_model_it_is_the_saliency_for_any_target(target):
    model = toys.relu_late_fusion(torch.tanh)
    exact = unimodal.gradient(model, toys.sample(), target)
    result = perturb(model, target=target)
    for m in "ab":
        torch.testing.assert_close(result.values[m], exact.values[m], rtol=1e-6, atol=1e-9)


def test_float32_inputs_take_a_larger_step():
    model = toys.relu_late_fusion(torch.tanh)
    exact = unimodal.gradient(model, toys.sample(), Logit(0))
    result = perturb(model, toys.sample(dtype=torch.float32))
    torch.testing.assert_close(result.values["a"], exact.values["a"], rtol=1e-2, atol=1e-2)


def test_atoms_at_their_baseline_one_by_one():
    # f = sum w x^2 + 0: without atom i, its entries at 0.5, f loses sum w (x^2 - 0.25) over them.
    model, sample = toys_kinds.Kinds("patch"), toys_kinds.sample()
    result = perturb(model, sample, differences="atoms")
    for m in model.modalities:
        expected = model.per_atom(m, model.weights[m] * (sample[m][0] ** 2 - 0.25))
        torch.testing.assert_close(result.values[m], expected)
    # 4 patches, 2 words, 6 entries, 4 fields, and the sample itself.
    assert result.quality["forwards"] == 17


def test_a_support_vector_machine_of_scikit_learn_has_its_coefficients_and_no_gradient():
    from sklearn.svm import LinearSVC

    x, y = training_data()
    fitted = LinearSVC(random_state=0).fit(x, y > 0)
    model = Foreign(fitted.decision_function)
    with pytest.raises(MissingCapability, match="method='perturbation'"):
        unimodal.gradient(model, toys.sample(), Logit(0))
    result = perturb(model)
    coefficients = fitted.coef_[0]
    np.testing.assert_allclose(result.values["a"], np.linalg.norm(coefficients[:6].reshape(3, 2), axis=1), rtol=1e-6)
    np.testing.assert_allclose(result.values["b"], np.linalg.norm(coefficients[6:].reshape(4, 5), axis=1), rtol=1e-6)


def test_a_forest_is_flat_and_its_atoms_are_removed_instead():
    from sklearn.ensemble import RandomForestRegressor

    x, y = training_data()
    forest = RandomForestRegressor(20, random_state=0).fit(x, y)
    model, sample = Foreign(forest.predict), toys.sample()
    result = perturb(model)
    assert result.config["differences"] == "atoms"
    assert "flat around the sample" in result.quality["differences_reason"]
    flat = np.concatenate([sample["a"].numpy().reshape(1, -1), sample["b"].numpy().reshape(1, -1)], axis=1)
    for i in range(3):
        without = flat.copy()
        without[0, 2 * i : 2 * i + 2] = 0
        assert result.values["a"][i].item() == pytest.approx(forest.predict(flat)[0] - forest.predict(without)[0])
    with pytest.raises(MissingCapability, match="differences='atoms'"):
        perturb(model, differences="components")


def test_where_components_are_too_many_atoms_are_removed_and_the_result_says_so():
    wide = {"a": toys.random(1, 3, 4000, seed=1), "b": toys.random(1, 4, 5, seed=2)}
    result = perturb(toys.linear(torch.ones(3, 4000), WB), wide)
    assert result.config["differences"] == "atoms"
    # 2 (3 x 4000 + 4 x 5) passes.
    assert "24040 forward passes" in result.quality["differences_reason"]
    torch.testing.assert_close(result.values["a"], wide["a"][0].sum(1))


def test_the_same_passes_serve_all_targets_in_batches_halved_without_memory():
    model = toys.linear(WA, WB)

    def greedy(a, b):
        if len(a) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return toys.linear(WA, WB).function(a, b)

    one, two = unimodal.perturbation(model, toys.sample(), [Logit(0), Logit(1)])
    # Two passes for each of 3 x 2 + 4 x 5 components, and the sample.
    assert model.rows == one.quality["forwards"] == 53
    torch.testing.assert_close(two.values["a"], 2 * one.values["a"], rtol=1e-9, atol=1e-9)
    small = perturb(toys.Toy(greedy))
    torch.testing.assert_close(small.values["b"], one.values["b"], rtol=1e-9, atol=1e-9)
    assert small.quality["halvings"] >= 2


def test_a_target_that_nothing_moves_is_zero_and_not_flat():
    model = toys.Toy(lambda a, b: torch.ones(len(a), 2, dtype=a.dtype))
    result = perturb(model)
    assert not result.values["a"].any()
    assert result.config["differences"] == "components"
    assert result.quality["asymmetry"] is None


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(UnknownName, match="did you mean atoms"):
        perturb(toys.linear(WA, WB), differences="atom")
    with pytest.raises(BadInput, match="positive share"):
        perturb(toys.linear(WA, WB), step=0.0)
    # log(1 - 0.5 - 0.9) is NaN.
    ones = {m: torch.ones_like(t) for m, t in toys.sample().items()}
    edge = toys.Toy(lambda a, b: torch.stack([(a - 0.9).log().sum((1, 2)) + b.sum((1, 2))] * 2, dim=1))
    with pytest.raises(BadInput, match="take a smaller step"):
        perturb(edge, ones, step=0.5)
