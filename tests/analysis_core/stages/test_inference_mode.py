"""Explanations asked for inside torch.inference_mode(), as notebooks and servers do, are those given outside of it."""

import pytest
import torch

from analysis_core import Logit, check_model
from analysis_core.errors import MissingCapability
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

AB = {"source": "a", "to": "b"}
MODELS = {
    "bilinear": toys.bilinear(toys.random(6, 20)),
    "layer norm": toys.layer_norm_text(),
    "without a second derivative": toys.once_differentiable(toys.random(6, 20)),
}


@pytest.mark.parametrize("direction", ["norm", "hutchinson", "l1", "grad_x_input"])
@pytest.mark.parametrize("name", MODELS)
def test_second_order_is_the_same_inside(name, direction):
    outside = crossmodal.second_order(MODELS[name], toys.sample(), Logit(0), **AB, direction=direction)
    with torch.inference_mode():
        inside = crossmodal.second_order(MODELS[name], toys.sample(), Logit(0), **AB, direction=direction)
    assert torch.equal(inside.pairs, outside.pairs)
    assert inside.quality["engine"] == outside.quality["engine"]


@pytest.mark.parametrize("method", ["saliency", "gradient_x_input", "smoothgrad", "integrated_gradients"])
def test_gradients_are_the_same_inside(method):
    outside = unimodal.gradient(MODELS["bilinear"], toys.sample(), Logit(0), method=method)
    with torch.inference_mode():
        inside = unimodal.gradient(MODELS["bilinear"], toys.sample(), Logit(0), method=method)
    assert torch.equal(inside.values["a"], outside.values["a"])


def test_a_model_is_checked_inside_as_outside():
    with torch.inference_mode():
        inside = check_model(MODELS["bilinear"], toys.sample())
    assert str(inside) == str(check_model(MODELS["bilinear"], toys.sample()))


def test_weights_made_inside_have_no_gradient_and_that_is_said():
    with torch.inference_mode():
        model = toys.Lstm()
        given = {"a": torch.randn(1, 3, 4), "b": torch.randn(1, 2, 5)}
        for ask in (
            lambda: crossmodal.second_order(model, given, Logit(0), **AB),
            lambda: unimodal.gradient(model, given, Logit(0)),
        ):
            with pytest.raises(MissingCapability, match="build or load the model outside of it"):
                ask()


class Numpy(toys.Toy):
    """The product of both sums, by numpy: no gradient passes."""

    def __init__(self, detached):
        super().__init__(self._product)
        self.detached = detached

    def _product(self, a, b):
        a, b = (t.detach() if self.detached else t for t in (a, b))
        f = torch.from_numpy(a.numpy().sum((1, 2)) * b.numpy().sum((1, 2)))
        return torch.stack([f, -f], dim=1)


@pytest.mark.parametrize("detached", [True, False])
def test_a_model_without_gradients_is_sent_to_the_methods_that_need_none(detached):
    model = Numpy(detached)
    with pytest.raises(MissingCapability, match=r"crossmodal\.removal and crossmodal\.finite_step"):
        crossmodal.second_order(model, toys.sample(), Logit(0), **AB)
    pairs = crossmodal.removal(model, toys.sample(), Logit(0), **AB).pairs
    products = toys.sample()["a"][0].sum(1)[:, None] * toys.sample()["b"][0].sum(1)
    torch.testing.assert_close(pairs, products)
