"""The same figures on CPU and CUDA, to 1e-4: curvature, masking, and what is built on them."""

import pytest
import torch

from analysis_core import Feature, Logit
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: CPU against CUDA not run")

DEVICE = "cuda"
PAIR = {"source": "a", "to": "b"}
TARGETS = [Logit(0), Feature(1)]


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """cuDNN's networks round products to ten bits (TF32) where they may: no comparison to 1e-4."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def sample(i=0):
    """Floats of the shapes of `toys.sample`, other figures for each i."""
    return {"a": toys.random(1, 3, 4, seed=2 * i + 1).float(), "b": toys.random(1, 4, 5, seed=2 * i + 2).float()}


def moved(x):
    return {m: t.to(DEVICE) for m, t in x.items()}


def close(one, two):
    assert two.device.type == "cpu"
    torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-4)


def both(make, call):
    """What `call(model, move)` gives on the CPU and on CUDA; `move` puts a sample there."""
    model = make()
    model = model.eval() if isinstance(model, torch.nn.Module) else model
    cpu = call(model, lambda x: x)
    return cpu, call(model.to(DEVICE) if isinstance(model, torch.nn.Module) else model, moved)


def same(found):
    for one, two in zip(*found, strict=True):
        assert one.values.keys() == two.values.keys()
        for m in one.values:
            close(one.values[m], two.values[m])
        if one.pairs is not None:
            close(one.pairs, two.pairs)


networks = pytest.mark.parametrize("make", [toys.Lstm, toys.Attention])


@networks
@pytest.mark.parametrize("direction", ["norm", "hutchinson"])
def test_second_order_agrees(make, direction):
    def call(model, move):
        return [crossmodal.second_order(model, move(sample()), Logit(0), direction=direction, **PAIR)]

    same(both(make, call))


@networks
def test_removal_and_finite_steps_agree(make):
    def call(model, move):
        x = move(sample())
        return [crossmodal.removal(model, x, t, **PAIR) for t in TARGETS] + [
            crossmodal.finite_step(model, x, Logit(0), **PAIR)
        ]

    same(both(make, call))


@networks
@pytest.mark.parametrize("design", ["joint", "apart"])
def test_lime_agrees(make, design):
    same(both(make, lambda model, move: unimodal.lime(model, move(sample()), TARGETS, design=design)))


@networks
@pytest.mark.parametrize("options", [{}, {"exact_up_to": 0, "evaluations": 60}], ids=["exact", "sampled"])
def test_shapley_values_agree(make, options):
    same(both(make, lambda model, move: unimodal.shap(model, move(sample()), TARGETS, **options)))


@networks
@pytest.mark.parametrize("method", [crossmodal.lime, crossmodal.shap])
def test_games_of_pairs_agree(make, method):
    same(both(make, lambda model, move: [method(model, move(sample()), t, **PAIR) for t in TARGETS]))


@networks
def test_dime_agrees(make):
    def call(model, move):
        behind = [move(sample(i)) for i in range(1, 4)]
        found = crossmodal.dime(model, move(sample()), behind, TARGETS)
        return [part for d in found for part in (d.full, d.unimodal, d.interaction)]

    same(both(make, call))


@networks
def test_emap_agrees(make):
    one, two = both(make, lambda model, move: crossmodal.emap(model, [move(sample(i)) for i in range(4)]))
    close(one.additive, two.additive)
    close(one.logits, two.logits)


@networks
def test_saliency_and_integrated_gradients_agree(make):
    def call(model, move):
        x = move(sample())
        return [*unimodal.saliency(model, x, TARGETS), *unimodal.integrated_gradients(model, x, TARGETS)]

    same(both(make, call))


def test_softplus_in_place_of_relu_agrees():
    def call(model, move):
        return [crossmodal.second_order(crossmodal.smooth(model, beta=4.0), move(sample()), Logit(0), **PAIR)]

    found = both(toys.relu_late_fusion, call)
    same(found)
    assert found[0][0].pairs.any()
