"""Saliency and gradient x input against closed forms and captum; what all gradient methods refuse, count and keep."""

import warnings

import pytest
import torch

from analysis_core import AllLogits, Feature, Logit, Margin, PredictedLogit, results
from analysis_core.errors import BadInput, MissingCapability, NullDirection, UnknownName
from analysis_core.stages import unimodal
from analysis_core.types import Output
from tests.analysis_core import toys, toys_kinds
from tests.analysis_core.toys_trilinear import trilinear

WA, WB = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)
WITH_GRADIENT = ("saliency", "gradient_x_input", "smoothgrad", "integrated_gradients")


def curved():
    """A smooth model in which both modalities meet."""
    return toys.relu_late_fusion(torch.tanh)


def test_gradient_x_input_of_a_linear_model_is_what_each_atom_adds():
    # f = <wa, a> + <wb, b>: g * x summed over an atom's components is <w_i, x_i>, with its sign.
    sample = toys.sample()
    result = unimodal.gradient(toys.linear(WA, WB), sample, Logit(0), method="gradient_x_input")
    torch.testing.assert_close(result.values["a"], (WA * sample["a"][0]).sum(1))
    torch.testing.assert_close(result.values["b"], (WB * sample["b"][0]).sum(1))
    assert result.config == {"method": "gradient_x_input", "origin": "zero"}
    assert bool((result.values["b"] < 0).any())


def test_the_origin_of_gradient_x_input_may_be_the_baseline():
    model, sample = toys.linear(WA, WB), toys.sample()
    model.baseline = lambda encoded: {m: torch.ones_like(t) for m, t in encoded.x.items()}
    result = unimodal.gradient(model, sample, Logit(0), method="gradient_x_input", origin="baseline")
    torch.testing.assert_close(result.values["a"], (WA * (sample["a"][0] - 1)).sum(1))
    with pytest.raises(UnknownName, match="baseline"):
        unimodal.gradient(model, sample, Logit(0), method="gradient_x_input", origin="base line")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradient_x_input_through_layer_norm_is_refused_but_not_from_a_baseline(dtype):
    # LayerNorm ignores a shift and a scaling of its input: sum g = 0 and sum g (x - mean x) = 0, so sum g x = 0.
    model, sample = toys.layer_norm_text(), toys.sample(p=8, dtype=dtype)
    with pytest.raises(NullDirection, match=r"cancels in every atom of 'a'.*origin='baseline'"):
        unimodal.gradient(model, sample, Logit(0), method="gradient_x_input")
    model.baseline = lambda encoded: {m: toys.random(*t.shape, seed=9, dtype=dtype) for m, t in encoded.x.items()}
    moved = unimodal.gradient(model, sample, Logit(0), method="gradient_x_input", origin="baseline")
    assert min(moved.quality["sum_ratio"].values()) > 0.01
    assert unimodal.gradient(model, sample, Logit(0)).values["a"].all()


@pytest.mark.parametrize("picture", ["superpixel", "patch", "pixel"])
def test_every_kind_of_atom_has_the_gradient_of_its_own_entries(picture):
    # f = sum w x^2: g = 2 w x, g x = 2 w x^2, g (x - 0.5) = 2 w x (x - 0.5).
    model, sample = toys_kinds.Kinds(picture), toys_kinds.sample()
    plain = unimodal.gradient(model, sample, Logit(0))
    times = unimodal.gradient(model, sample, Logit(0), method="gradient_x_input")
    moved = unimodal.gradient(model, sample, Logit(0), method="gradient_x_input", origin="baseline")
    assert list(plain.values) == list(model.modalities)
    for m in model.modalities:
        w, x = model.weights[m], sample[m][0]
        torch.testing.assert_close(plain.values[m], model.per_atom(m, (2 * w * x).square()).sqrt())
        torch.testing.assert_close(times.values[m], model.per_atom(m, 2 * w * x**2))
        torch.testing.assert_close(moved.values[m], model.per_atom(m, 2 * w * x * (x - 0.5)))


@pytest.mark.parametrize(
    "target", [Logit(1), PredictedLogit(), AllLogits(), Margin(0, 1), Feature(3), Feature(1, "doubled")]
)
def test_captums_gradients_summed_over_atoms_are_ours(target):
    from captum.attr import InputXGradient, Saliency

    from analysis_core.targets import resolve, select

    model, sample = curved(), toys.sample()
    whole = model.forward(sample, {})

    def f(a, b):
        return select(resolve(target, whole), model.forward({"a": a, "b": b}, {}))

    inputs = tuple(sample[m].clone().requires_grad_(True) for m in "ab")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = Saliency(f).attribute(inputs, abs=False)
        times = InputXGradient(f).attribute(inputs)
    ours = unimodal.gradient(model, sample, target)
    ours_times = unimodal.gradient(model, sample, target, method="gradient_x_input")
    for m, g, gx in zip("ab", theirs, times, strict=True):
        torch.testing.assert_close(ours.values[m], g[0].norm(dim=1), rtol=1e-6, atol=1e-12)
        torch.testing.assert_close(ours_times.values[m], gx[0].detach().sum(1), rtol=1e-6, atol=1e-12)


def test_vision_is_not_audio():
    # Feature 0 = sum U_ij a_i b_j: towards a it is U b, towards b U' a, and c plays no part.
    model, sample = trilinear()
    a, b = sample["a"].flatten(), sample["b"].flatten()
    for method in WITH_GRADIENT:
        result = unimodal.gradient(model, sample, Feature(0), method=method)
        assert not result.values["c"].any()
        assert result.values["a"].all()
        assert result.values["b"].all()
    result = unimodal.gradient(model, sample, Feature(0))
    torch.testing.assert_close(result.values["a"], (model.U @ b).abs())
    torch.testing.assert_close(result.values["b"], (model.U.T @ a).abs())


def test_one_pass_serves_all_targets_and_each_gets_what_it_gets_alone():
    model, targets = curved(), [Logit(0), Logit(1), Feature(3)]
    together = unimodal.saliency(model, toys.sample(), targets)
    assert model.rows == together[0].quality["forwards"] == 1
    for target, result in zip(targets, together, strict=True):
        alone = unimodal.gradient(curved(), toys.sample(), target)
        assert torch.equal(result.values["a"], alone.values["a"])
        assert result.target == alone.target


@pytest.mark.parametrize("method", [*WITH_GRADIENT, "perturbation"])
def test_results_are_the_same_bytes_and_survive_saving(method):
    one, two = (unimodal.gradient(curved(), toys.sample(), PredictedLogit(), method=method) for _ in range(2))
    again = results.loads(results.dumps(one))
    assert results.dumps(one) == results.dumps(two) == results.dumps(again)
    assert again.config["method"] == method
    assert again.method == f"gradient/{method}"
    assert all(t.dtype == torch.float64 and not t.requires_grad for t in one.values.values())


@pytest.mark.parametrize("method", WITH_GRADIENT)
def test_a_model_without_gradients_is_sent_to_perturbation(method):
    constant = toys.Toy(lambda a, b: torch.zeros(len(a), 2))
    with pytest.raises(MissingCapability, match="method='perturbation'"):
        unimodal.gradient(constant, toys.sample(), Logit(0), method=method)
    # A wrapper of another library hands its inputs to numpy, which torch refuses for tensors with a gradient.
    foreign = toys.Toy(lambda a, b: torch.from_numpy(a.sum((1, 2)).numpy()).unsqueeze(1))
    with pytest.raises(MissingCapability, match="method='perturbation'"):
        unimodal.gradient(foreign, toys.sample(), Logit(0), method=method)


@pytest.mark.parametrize("method", [*WITH_GRADIENT, "perturbation"])
def test_bad_samples_are_refused_in_a_sentence(method):
    sample = toys.sample()
    sample["a"][0, 1, 1] = float("nan")
    with pytest.raises(BadInput, match="'a' has NaN"):
        unimodal.gradient(toys.linear(WA, WB), sample, Logit(0), method=method)
    with pytest.raises(BadInput, match="'b' is empty"):
        unimodal.gradient(curved(), toys.sample(m=0), Logit(0), method=method)
    with pytest.raises(BadInput, match="class 5"):
        unimodal.gradient(curved(), toys.sample(), Logit(5), method=method)
    with pytest.raises(UnknownName, match="doubled"):
        unimodal.gradient(curved(), toys.sample(), Feature(0, "double"), method=method)


def test_a_gradient_that_is_not_finite_is_refused():
    # The norm of 0 has the gradient 0 / 0.
    model = toys.Toy(lambda a, b: torch.stack([a.square().sum((1, 2)).sqrt() + b.sum((1, 2))] * 2, dim=1))
    sample = toys.sample()
    sample["a"].zero_()
    with pytest.raises(BadInput, match="gradient towards 'a' is NaN or infinite"):
        unimodal.gradient(model, sample, Logit(0))


def test_unknown_methods_and_options_get_the_nearest_names():
    with pytest.raises(UnknownName, match="did you mean smoothgrad"):
        unimodal.gradient(curved(), toys.sample(), Logit(0), method="smooth_grad")
    with pytest.raises(UnknownName, match="option of smoothgrad 'sampels'; did you mean samples"):
        unimodal.gradient(curved(), toys.sample(), Logit(0), method="smoothgrad", sampels=3)
    with pytest.raises(UnknownName, match="option of saliency 'seed'"):
        unimodal.gradient(curved(), toys.sample(), Logit(0), seed=3)
    with pytest.raises(BadInput, match="at least one target"):
        unimodal.saliency(curved(), toys.sample(), [])


@pytest.mark.parametrize("method", ["smoothgrad", "integrated_gradients"])
def test_running_out_of_memory_halves_the_batch_and_changes_nothing(method):
    def limited(a, b):
        if len(a) > 5:
            raise torch.OutOfMemoryError("no more")
        return curved().function(a, b)

    model = toys.Toy(limited)
    result = unimodal.gradient(model, toys.sample(), Logit(0), method=method)
    free = unimodal.gradient(curved(), toys.sample(), Logit(0), method=method)
    torch.testing.assert_close(result.values["a"], free.values["a"], rtol=1e-12, atol=1e-12)
    assert result.quality["halvings"] >= 2
    assert result.quality["forwards"] == free.quality["forwards"]


def test_an_operation_without_a_backward_pass_in_its_fast_form_runs_in_its_plain_form():
    # As cuDNN's recurrent networks in evaluation mode: the first backward pass fails unless mkldnn is off.
    class Fast(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 3 * x

        @staticmethod
        def backward(ctx, g):
            raise RuntimeError("rnn backward can only be called in training mode")

    def function(a, b):
        scaled = Fast.apply(a) if torch.backends.mkldnn.enabled else 3 * a
        return torch.stack([scaled.sum((1, 2)) + b.sum((1, 2))] * 2, dim=1)

    result = unimodal.gradient(toys.Toy(function), toys.sample(), Logit(0))
    assert result.values["a"].tolist() == pytest.approx([3 * 2**0.5] * 3)
    assert "training mode" in result.quality["plain_operations"]


def test_gradients_work_inside_inference_mode_also_with_a_mask():
    class Masked(toys.Toy):
        def encode(self, sample):
            encoded = super().encode(sample)
            encoded.aux["a"]["mask"] = torch.tensor([[1.0, 0.0, 1.0]], dtype=torch.float64)
            return encoded

        def forward(self, x, aux):
            f = (x["a"].tanh() * aux["a"]["mask"].unsqueeze(2)).sum((1, 2)) + x["b"].sum((1, 2))
            return Output(torch.stack([f, -f], dim=1), x["a"].flatten(1))

    with torch.inference_mode():
        result = unimodal.gradient(Masked(curved().function), toys.sample(), Logit(0))
    assert result.values["a"][1] == 0
    assert result.values["a"][0] > 0
