"""Softplus in place of ReLU: whichever way it is called, and only while the wrapped model runs."""

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from analysis_core import Logit, PredictedLogit
from analysis_core.errors import BadInput, NotDifferentiableTwice
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

SCALARS = {"a": torch.full((1, 1, 1), 0.3, dtype=torch.float64), "b": torch.full((1, 1, 1), 0.2, dtype=torch.float64)}
#: ReLUs in every spelling; a copy before those that work in place.
RELUS = {
    "module": nn.ReLU(),
    "module in place": lambda z: nn.ReLU(inplace=True)(z.clone()),
    "functional": functional.relu,
    "functional in place": lambda z: functional.relu(z.clone(), inplace=True),
    "torch": torch.relu,
    "torch in place": lambda z: torch.relu_(z.clone()),
    "method": lambda z: z.relu(),
    "method in place": lambda z: z.clone().relu_(),
    "clamp": lambda z: torch.clamp(z, min=0),
    "clamp method": lambda z: z.clamp(0),
    "clamp_min": lambda z: z.clamp_min(0.0),
    "clamp_min in place": lambda z: z.clone().clamp_min_(0),
    "flat leaky": nn.LeakyReLU(0.0),
    # The upper kink lies 65 softplus widths away: exp(-65) is below round-off.
    "relu6": lambda z: nn.ReLU6()(z * 1.0),
}


def fused(activation):
    """logit 0 = activation(a + b), logit 1 = 0, on one scalar atom each."""
    return toys.Toy(lambda a, b: torch.stack([activation((a + b).sum((1, 2))), 0 * a.sum((1, 2))], dim=1))


@pytest.mark.parametrize("name", RELUS)
def test_a_relu_in_any_spelling_has_softplus_second_derivative(name):
    # z = .5, beta = 4: s = sigmoid(2) = .8807971; d2 softplus / da db = beta s (1 - s) = .4199743.
    model = fused(RELUS[name])
    with pytest.raises(NotDifferentiableTwice, match=r"crossmodal\.smooth"):
        crossmodal.second_order(model, SCALARS, Logit(0), source="a", to="b")
    found = crossmodal.second_order(crossmodal.smooth(model, beta=4), SCALARS, Logit(0), source="a", to="b")
    assert float(found.pairs) == pytest.approx(0.4199743, abs=1e-7)
    # softplus(.5) = log(1 + exp(2)) / 4 = .5317320 where the model says .5.
    assert found.quality["value"] == pytest.approx(0.5317320, abs=1e-7)
    assert found.quality["value_unsmoothed"] == 0.5
    assert found.config["softplus_beta"] == 4


def test_softplus_is_of_beta_ten_unless_told_otherwise():
    # z = .5: s = sigmoid(5) = .9933071; 10 s (1 - s) = .0664806; softplus(.5) = log(1 + exp(5)) / 10 = .5006715.
    found = crossmodal.second_order(crossmodal.smooth(fused(torch.relu)), SCALARS, Logit(0), source="a", to="b")
    assert float(found.pairs) == pytest.approx(0.0664806, abs=1e-7)
    assert found.quality["value"] == pytest.approx(0.5006715, abs=1e-7)
    assert found.config["softplus_beta"] == 10


def test_late_fusion_by_relu_is_found_by_softplus_removal_and_finite_steps():
    # f = relu(a0 + b0 - 1) + relu(a1) + relu(b1) at a = (1, 2), b = (1, 3), baseline 0: only (0, 0) interacts.
    model = toys.Toy(
        lambda a, b: ((a[:, 0] + b[:, 0] - 1).relu() + a[:, 1].relu() + b[:, 1].relu()).repeat(1, 2),
    )
    sample = {"a": torch.tensor([[[1.0], [2.0]]]).double(), "b": torch.tensor([[[1.0], [3.0]]]).double()}
    options = {"source": "a", "to": "b"}
    with pytest.raises(NotDifferentiableTwice, match="not applicable"):
        crossmodal.second_order(model, sample, Logit(0), **options)
    # Softplus at z = 1 with beta 2: s = sigmoid(2), 2 s (1 - s) = .2099872. Removal: 1 - 0 - 0 + 0.
    smooth = crossmodal.second_order(crossmodal.smooth(model, beta=2), sample, Logit(0), **options).pairs
    torch.testing.assert_close(smooth, torch.tensor([[0.2099872, 0], [0, 0]]).double(), rtol=0, atol=1e-7)
    assert crossmodal.removal(model, sample, Logit(0), **options).pairs.tolist() == [[1, 0], [0, 0]]
    # Three quarters of the way: (1 - .25 - .25 + 0) / .75^2; half of the way just fails to cross the kink.
    steps = [crossmodal.finite_step(model, sample, Logit(0), **options, step=h).pairs for h in (0.75, 0.5)]
    torch.testing.assert_close(steps[0], torch.tensor([[0.5 / 0.5625, 0], [0, 0]]).double())
    assert not steps[1].any()


def test_a_leaky_relu_keeps_its_slope():
    # d2 = (1 - slope) beta s (1 - s) = .75 x .4199743.
    found = crossmodal.second_order(
        crossmodal.smooth(fused(nn.LeakyReLU(0.25)), beta=4), SCALARS, Logit(0), source="a", to="b"
    )
    assert float(found.pairs) == pytest.approx(0.75 * 0.4199743, abs=1e-7)


def test_a_maximum_over_a_window_becomes_log_sum_exp():
    # Pooling the two pixels a, b gives log(exp(beta a) + exp(beta b)) / beta: d2 = -beta s (1 - s) with
    # s = sigmoid(beta .1) = .6899745 for beta 8: 8 x .6899745 x .3100255 = 1.7112776.
    pool = toys.Toy(lambda a, b: functional.max_pool1d(torch.cat([a, b], 1).transpose(1, 2), 2).flatten(1).repeat(1, 2))
    with pytest.raises(NotDifferentiableTwice, match="not applicable"):
        crossmodal.second_order(pool, SCALARS, Logit(0), source="a", to="b")
    found = crossmodal.second_order(crossmodal.smooth(pool, beta=8), SCALARS, Logit(0), source="a", to="b")
    assert float(found.pairs) == pytest.approx(1.7112776, abs=1e-7)


@pytest.mark.parametrize(
    "options", [{}, {"stride": 1}, {"padding": 1}, {"stride": (2, 1), "dilation": 2, "padding": 1}]
)
def test_smooth_pooling_of_pictures_is_pooling_up_to_its_width(options):
    # max <= log-sum-exp <= max + log(9) / beta for windows of 9.
    picture = toys.random(2, 3, 8, 7, seed=4)
    model = toys.Toy(lambda a, b: functional.max_pool2d(a, 3, **options).flatten(1))
    expected = functional.max_pool2d(picture, 3, **options).flatten(1)
    found = crossmodal.smooth(model, beta=100.0).forward({"a": picture, "b": picture}, {}).logits
    assert found.shape == expected.shape
    assert bool((found >= expected - 1e-12).all())
    assert float((found - expected).max()) <= math.log(9) / 100 + 1e-12


def test_bounds_that_guard_divisions_and_counts_are_left_alone():
    kept = {
        "eps": lambda z: z.clamp_min(1e-3),
        "both": lambda z: z.clamp(0, 1),
        "integers": lambda z: z.long().clamp(min=0).to(z),
        "ceil": lambda z: functional.max_pool1d(z[:, None, None], 1, ceil_mode=True).flatten(),
    }
    x = {"a": toys.random(3, 1, 1), "b": toys.random(3, 1, 1, seed=1)}
    for function in kept.values():
        model = fused(function)
        assert torch.equal(crossmodal.smooth(model).forward(x, {}).logits, model.forward(x, {}).logits)


class Network(toys.Lstm):
    """A module with ReLUs in and out of place, whose second layer can be made to fail."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 6), nn.ReLU())
        self.failing = False

    def forward(self, x, aux):
        if self.failing:
            raise RuntimeError("broken")
        features = self.layers(x["a"] + functional.relu(x["b"][:, :1, :4])).sum(1)
        return super().forward(x, aux).__class__(self.out(features), features)


def test_the_model_is_untouched_afterwards_even_where_it_fails():
    model, sample = Network().eval(), toys.sample(p=4, dtype=torch.float32)
    before, state = model.forward(sample, {}).logits, copy.deepcopy(model.state_dict())
    wrapped = crossmodal.smooth(model)
    assert not torch.equal(wrapped.forward(sample, {}).logits, before)
    model.failing = True
    with pytest.raises(RuntimeError, match="broken"):
        wrapped.forward(sample, {})
    model.failing = False
    assert torch.equal(model.forward(sample, {}).logits, before)
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())
    assert [type(layer) for layer in model.layers] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU]
    assert torch.equal(functional.relu(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]))


def test_the_predicted_class_is_the_models_not_the_smoothed_ones():
    # The model: relu(0) = 0 against .01. Smoothed: log(2) / 10 = .069 against .01.
    model = toys.Toy(lambda a, b: torch.stack([(a + b).sum((1, 2)).relu(), 0 * a.sum((1, 2)) + 0.01], dim=1))
    sample = {m: torch.zeros(1, 1, 1, dtype=torch.float64) for m in "ab"}
    smoothed = crossmodal.smooth(model)
    assert int(smoothed.forward(sample, {}).logits.argmax()) == 0
    found = crossmodal.second_order(smoothed, sample, PredictedLogit(), source="a", to="b")
    assert found.target == {"kind": "Logit", "k": 1}
    assert found.quality["value_unsmoothed"] == 0.01


def test_a_smoothed_model_still_answers_for_the_model_and_can_be_copied():
    model = fused(torch.relu)
    model.labels = ("yes", "no")
    smoothed = copy.deepcopy(crossmodal.smooth(model, beta=3))
    assert (smoothed.labels, smoothed.beta, smoothed.modalities) == (("yes", "no"), 3, ("a", "b"))
    assert unimodal.gradient(smoothed, SCALARS, Logit(0)).values["a"].numel() == 1
    with pytest.raises(AttributeError, match="nothing"):
        smoothed.nothing  # noqa: B018


@pytest.mark.parametrize("beta", [0, -1.0, float("nan"), float("inf")])
def test_a_beta_that_is_no_positive_number_is_refused(beta):
    with pytest.raises(BadInput, match="beta"):
        crossmodal.smooth(fused(torch.relu), beta=beta)
