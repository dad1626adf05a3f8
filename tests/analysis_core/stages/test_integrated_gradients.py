"""Integrated gradients against integrals by hand and captum; completeness, and its refusal through LayerNorm."""

import warnings

import pytest
import torch
from torch import nn

from analysis_core import Feature, Logit, Margin, results
from analysis_core.errors import BadInput, NotComplete, UnknownName
from analysis_core.stages import unimodal
from tests.analysis_core import toys, toys_kinds
from tests.analysis_core.toys_trilinear import trilinear

WA, WB = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)
FIRST = Logit(0)


def curved():
    return toys.relu_late_fusion(torch.tanh)


def integrate(model, sample=None, target=FIRST, **options):
    given = toys.sample() if sample is None else sample
    return unimodal.gradient(model, given, target, method="integrated_gradients", **options)


def one_number(function):
    """A model of two numbers, one atom of one entry each."""
    return toys.Toy(lambda a, b: torch.stack([function(a.flatten(1)[:, 0], b.flatten(1)[:, 0])] * 2, dim=1))


def numbers(a, b):
    return {m: torch.full((1, 1, 1), v, dtype=torch.float64) for m, v in (("a", a), ("b", b))}


def test_a_linear_model_is_its_weights_times_the_way():
    model, sample = toys.linear(WA, WB), toys.sample()
    model.baseline = lambda encoded: {m: torch.full_like(t, 2.0) for m, t in encoded.x.items()}
    result = integrate(model)
    for m, w in (("a", WA), ("b", WB)):
        torch.testing.assert_close(result.values[m], (w * (sample[m][0] - 2)).sum(1))
    assert abs(result.quality["delta"]) < 1e-12
    assert result.quality["steps"] == result.quality["evaluations"] == 16
    # The sample, the baseline and the sixteen points.
    assert model.rows == result.quality["forwards"] == 18


def test_a_polynomial_is_integrated_by_hand():
    # f = a^2 b from (0, 0) to (A, B): a gets A int 2 t^2 A B dt = 2/3 A^2 B, b gets B int t^2 A^2 dt = 1/3 A^2 B.
    model, sample = one_number(lambda a, b: a.square() * b), numbers(3.0, -2.0)
    joint = integrate(model, sample)
    assert joint.values["a"].item() == pytest.approx(2 / 3 * -18)
    assert joint.values["b"].item() == pytest.approx(1 / 3 * -18)
    # One modality at a time, the other present: each takes all of f(x) - f(without it) = A^2 B.
    apart = integrate(model, sample, joint=False)
    assert apart.values["a"].item() == pytest.approx(-18)
    assert apart.values["b"].item() == pytest.approx(-18)
    assert list(apart.quality["paths"]) == ["a", "b"]
    assert apart.quality["paths"]["a"]["difference"] == pytest.approx(-18)


@pytest.mark.parametrize("picture", ["superpixel", "patch", "pixel"])
def test_every_kind_of_atom_gets_the_integral_over_its_own_entries(picture):
    # f = sum w x^2: w (x^2 - b^2) per entry whatever the way; CLS and PAD stay and get nothing.
    model, sample = toys_kinds.Kinds(picture), toys_kinds.sample()
    result = integrate(model, sample)
    for m in model.modalities:
        w, x = model.weights[m], sample[m][0]
        torch.testing.assert_close(result.values[m], model.per_atom(m, w * (x**2 - 0.25)))
    total = sum(float(t.sum()) for t in result.values.values())
    assert result.quality["difference"] == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("target", [Logit(1), Margin(0, 1), Feature(3), Feature(1, "doubled")])
def test_smooth_models_are_complete_to_round_off_for_any_target(target):
    from analysis_core.targets import select

    model, sample = curved(), toys.sample()
    result = integrate(model, sample, target, tolerance=1e-9)
    zeros = {m: torch.zeros_like(t) for m, t in sample.items()}
    whole, absent = (float(select(target, model.forward(x, {}))[0]) for x in (sample, zeros))
    total = sum(float(t.sum()) for t in result.values.values())
    assert total == pytest.approx(whole - absent, abs=1e-8)
    assert result.quality["converged"]


@pytest.mark.parametrize(
    ("rule", "theirs", "n"), [("gauss_legendre", "gausslegendre", 16), ("riemann", "riemann_middle", 40)]
)
def test_captum_gives_the_same_integrals(rule, theirs, n):
    from captum.attr import IntegratedGradients

    model, sample = curved(), toys.sample()
    captum = IntegratedGradients(lambda a, b: model.function(a, b)[:, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, delta = captum.attribute(
            (sample["a"], sample["b"]), n_steps=n, method=theirs, return_convergence_delta=True
        )
    result = integrate(model, rule=rule, steps=n, most_steps=n)
    for m, t in zip("ab", expected, strict=True):
        torch.testing.assert_close(result.values[m], t[0].sum(1), rtol=1e-6, atol=1e-9)
    # captum keeps its weights in float32.
    assert result.quality["delta"] == pytest.approx(delta.item(), abs=1e-7)


def test_steps_are_doubled_until_the_sum_is_right():
    # f = x^3 by midpoints: n points give x^3 (1 - 1 / (4 n^2)). 1 % needs n > 5: from 2 steps on 4, then 8.
    model = one_number(lambda a, b: a**3 + 0 * b)
    result = integrate(model, numbers(2.0, 1.0), rule="riemann", steps=2)
    assert result.quality["steps"] == 8
    assert result.quality["evaluations"] == 2 + 4 + 8
    assert result.values["a"].item() == pytest.approx(8 * (1 - 1 / 256))
    assert result.quality["delta"] == pytest.approx(-8 / 256)


def test_a_sum_that_is_five_percent_off_is_refused_and_one_within_is_marked():
    # Two midpoints miss x^3 by 1/16 = 6.25 %, four by 1/64 = 1.6 %.
    model = one_number(lambda a, b: a**3 + 0 * b)
    with pytest.raises(NotComplete, match=r"Logit\(k=0\).* by -0.5 \(6% of it\) after 2 steps: raise most_steps"):
        integrate(model, numbers(2.0, 1.0), rule="riemann", steps=2, most_steps=3)
    result = integrate(model, numbers(2.0, 1.0), rule="riemann", steps=4, most_steps=4)
    assert not result.quality["converged"]
    assert result.quality["relative_delta"] == pytest.approx(1 / 64)


class NormedText(toys.Toy):
    """Words through LayerNorm as in BERT (eps 1e-12) meet regions; `absent` is the baseline of a word."""

    def __init__(self, absent):
        def function(a, b):
            text = torch.tanh(nn.functional.layer_norm(a, a.shape[-1:], eps=1e-12) @ toys.random(8, 6, seed=5))
            f = (text @ torch.tanh(b @ toys.random(5, 6, seed=6)).transpose(1, 2)).sum((1, 2))
            return torch.stack([f, -f], dim=1)

        super().__init__(function)
        self.absent = absent

    def baseline(self, encoded):
        return {"a": self.absent.expand_as(encoded.x["a"]), "b": toys.random(1, 4, 5, seed=12)}


@pytest.mark.parametrize("rule", ["gauss_legendre", "riemann"])
def test_a_zero_baseline_through_layer_norm_is_refused_and_a_mask_embedding_is_not(rule):
    # LayerNorm sees the direction of a word alone: from 0 on nothing changes along the way but at its very first point.
    sample = toys.sample(p=8)
    zeros, mask = torch.zeros(8, dtype=torch.float64), toys.random(8, seed=11)
    with pytest.raises(NotComplete, match="zeros fail through LayerNorm"):
        integrate(NormedText(zeros), sample, rule=rule)
    result = integrate(NormedText(mask), sample, rule=rule, tolerance=1e-3)
    assert result.quality["relative_delta"] < 1e-3
    with pytest.raises(NotComplete, match=r"baseline of 'a'"):
        integrate(NormedText(zeros), sample, rule=rule, joint=False)


def test_half_of_a_product_belongs_to_each_factor_and_nothing_to_a_bystander():
    # Feature 0 = sum U_ij a_i b_j, quadratic along the way from 0: each side gets half; c has no part.
    model, sample = trilinear()
    result = integrate(model, sample, Feature(0))
    a, b = sample["a"].flatten(), sample["b"].flatten()
    torch.testing.assert_close(result.values["a"], a * (model.U @ b) / 2)
    torch.testing.assert_close(result.values["b"], b * (model.U.T @ a) / 2)
    assert not result.values["c"].any()


def test_a_target_that_the_baseline_does_not_change_is_complete():
    # Feature 3 is an entry of a: along b alone both the sum and the difference are 0.
    result = integrate(toys.linear(WA, WB), target=Feature(3), joint=False)
    assert result.quality["paths"]["b"] == {
        "delta": 0.0,
        "difference": 0.0,
        "relative_delta": None,
        "steps": 16,
        "converged": True,
    }
    assert not result.values["b"].any()


def test_each_target_takes_the_steps_it_needs_from_shared_points():
    model = toys.Toy(lambda a, b: torch.stack([a.sum((1, 2)) + b.sum((1, 2)), torch.tanh(20 * a).sum((1, 2))], dim=1))
    easy, hard = unimodal.integrated_gradients(model, toys.sample(), [Logit(0), Logit(1)], tolerance=1e-8)
    assert easy.quality["steps"] == 16 < hard.quality["steps"]
    assert model.rows == hard.quality["forwards"]
    alone = integrate(model, target=Logit(1), tolerance=1e-8)
    assert torch.equal(alone.values["a"], hard.values["a"])
    assert results.dumps(alone) != results.dumps(easy)


def test_float32_models_are_complete_to_their_own_round_off():
    result = integrate(curved(), toys.sample(dtype=torch.float32), tolerance=1e-9)
    assert result.quality["converged"]
    assert result.quality["relative_delta"] < 1e-3


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(UnknownName, match="did you mean riemann"):
        integrate(curved(), rule="rieman")
    with pytest.raises(BadInput, match="1 <= steps <= most_steps"):
        integrate(curved(), steps=600)
    model = curved()
    model.baseline = lambda encoded: {m: t * float("nan") for m, t in encoded.x.items()}
    with pytest.raises(BadInput, match="baseline of 'a'"):
        integrate(model)
    with pytest.raises(BadInput, match="at the baseline"):
        integrate(one_number(lambda a, b: (a - 2).sqrt() + b), numbers(3.0, 1.0))
    # |a|^.5 with the derivative 0 * infinity at a = 1, the midpoint of the way from 0 to 2.
    with pytest.raises(BadInput, match="between baseline and sample"):
        integrate(one_number(lambda a, b: (a - 1).abs().sqrt() + b), numbers(2.0, 1.0), rule="riemann", steps=1)
