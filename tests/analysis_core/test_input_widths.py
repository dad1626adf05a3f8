"""Inputs of a width that a model does not take: the modality, the width found and the one wanted are named."""

import pytest
import torch
import toys
from torch import nn

from analysis_core import Encoded, Logit, Output, leaves
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys_towers

OPERATIONS = {
    "linear": nn.Linear(2, 4),
    "layer norm": nn.LayerNorm(2),
    "lstm": nn.LSTM(2, 4, batch_first=True),
    "gru": nn.GRU(2, 4, batch_first=True),
    "attention": nn.MultiheadAttention(2, 1, batch_first=True),
    "matmul": lambda a: a @ torch.ones(2, 4),
}


class Reader(toys.Toy):
    """a [1, n, 2] through an operation of width 2, times b."""

    def __init__(self, operation):
        super().__init__(lambda a, b: self._logits(a, b))
        self.operation = operation

    def _logits(self, a, b):
        found = self.operation(*([a] * (3 if isinstance(self.operation, nn.MultiheadAttention) else 1)))
        found = found[0] if isinstance(found, tuple) else found
        return found.sum((1, 2))[:, None] * b.sum((1, 2))[:, None].repeat(1, 2)


def sample(width):
    return toys.sample(p=width, dtype=torch.float32)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_modality_and_both_widths_are_named(name):
    model = Reader(OPERATIONS[name])
    assert unimodal.gradient(model, sample(2), Logit(0)).values["a"].shape == (3,)
    with pytest.raises(BadInput, match=r"^'a' has 7 numbers per row, the model takes 2: ") as caught:
        unimodal.gradient(model, sample(7), Logit(0))
    assert isinstance(caught.value.__cause__, RuntimeError | AssertionError)


def test_second_order_says_the_same():
    with pytest.raises(BadInput, match="'a' has 7 numbers per row, the model takes 2"):
        crossmodal.second_order(Reader(OPERATIONS["linear"]), sample(7), Logit(0), source="a", to="b")


@pytest.mark.parametrize(
    "method",
    [
        lambda model, x: unimodal.lime(model, x, [Logit(0)], samples=30),
        lambda model, x: unimodal.shap(model, x, [Logit(0)]),
        lambda model, x: crossmodal.removal(model, x, Logit(0), source="a", to="b"),
    ],
)
def test_methods_that_perturb_say_the_same(method):
    with pytest.raises(BadInput, match="'a' has 7 numbers per row, the model takes 2"):
        method(Reader(OPERATIONS["linear"]), sample(7))


class Towers(toys_towers.Products):
    """Towers that take a width of 3, and a fusion that may forget to return an Output."""

    weights, forgets = nn.Linear(3, 3, dtype=torch.float64), False

    def tower(self, modality, x, aux):
        return super().tower(modality, self.weights(x), aux)

    def forward(self, x, aux):
        return super().forward({m: self.weights(t) for m, t in x.items()}, aux)

    def fuse(self, encodings, aux):
        found = super().fuse(encodings, aux)
        return found.logits if self.forgets else found


def test_towers_tell_widths_and_a_fusion_that_is_no_output():
    (wide,), (right,) = toys_towers.samples(1, width=4), toys_towers.samples(1)
    model = Towers()
    assert len(unimodal.lime(model, right, [Logit(0)], samples=30)) == 1
    with pytest.raises(BadInput, match=r"takes 3 numbers and finds 4"):
        unimodal.lime(model, wide, [Logit(0)], samples=30)
    model.forgets = True
    with pytest.raises(BadInput, match=r"must return Output\(logits \[B, K\], features \[B, d\]\), not Tensor"):
        unimodal.lime(model, right, [Logit(0)], samples=30)


def test_where_no_weight_tells_the_shapes_are_named():
    W = torch.ones(2)
    with pytest.raises(BadInput, match=r"failed on inputs 'a' \(1, 3, 7\), 'b' \(1, 4, 5\): .*a sample of its own"):
        unimodal.gradient(Reader(lambda a: a * W), sample(7), Logit(0))


def test_a_width_that_two_modalities_share_names_both_shapes():
    x = {"a": torch.ones(1, 3, 5), "b": torch.ones(1, 4, 5)}
    with pytest.raises(BadInput, match=r"takes 2 numbers and finds 5 \(inputs: 'a' \(1, 3, 5\), 'b' \(1, 4, 5\)\)"):
        leaves.forward(Reader(OPERATIONS["linear"]), x, {"a": {}, "b": {}})


def test_a_picture_of_other_channels_is_told_per_pixel():
    class Seer(toys.Picture):
        convolution = nn.Conv2d(3, 2, 3)

        def encode(self, sample):
            found = super().encode(sample)
            return Encoded(found.x, found.aux, found.atoms)

        def forward(self, x, aux):
            seen = self.convolution(x["image"]).mean((2, 3))
            return Output(seen, seen)

    given = {"image": torch.ones(1, 4, 6, 6), "text": torch.ones(1, 2, 3)}
    with pytest.raises(BadInput, match="'image' has 4 numbers per pixel, the model takes 3"):
        unimodal.gradient(Seer(torch.arange(36) // 9), given, Logit(0))


def test_other_errors_of_a_model_and_lack_of_memory_stay_as_they_are():
    for error in (RuntimeError("a device-side assert"), torch.OutOfMemoryError("CUDA out of memory")):

        def fail(a, error=error):
            raise error

        with pytest.raises(type(error)) as caught:
            leaves.forward(Reader(fail), sample(2), {"a": {}, "b": {}})
        assert caught.value is error
