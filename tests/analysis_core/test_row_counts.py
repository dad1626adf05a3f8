"""A batch answered with another number of rows is refused by name: broadcast, it would change figures in silence."""

import pytest
import torch

from analysis_core import Feature, Logit, Output, check_model
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys, toys_towers

SAMPLE, TARGET, AB = toys.sample(), Logit(0), {"source": "a", "to": "b"}
METHODS = {
    "lime": lambda model, target: unimodal.lime(model, SAMPLE, [target]),
    "shap": lambda model, target: unimodal.shap(model, SAMPLE, [target]),
    "smoothgrad": lambda model, target: unimodal.smoothgrad(model, SAMPLE, [target]),
    "perturbation": lambda model, target: unimodal.perturbation(model, SAMPLE, [target]),
    "integrated_gradients": lambda model, target: unimodal.integrated_gradients(model, SAMPLE, [target]),
    "removal": lambda model, target: crossmodal.removal(model, SAMPLE, target, **AB),
    "emap": lambda model, target: crossmodal.emap(model, [SAMPLE] * 3),
    "dime": lambda model, target: crossmodal.dime(model, SAMPLE, [SAMPLE] * 3, [target]),
}


class Changed(toys.Toy):
    """A product of sums, its answer to a batch passed through `change`."""

    def __init__(self, change):
        super().__init__(lambda a, b: torch.stack([(2 * a).sum((1, 2)) * b.sum((1, 2)), b.sum((1, 2))], dim=1))
        self.change = change

    def forward(self, x, aux):
        return self.change(super().forward(x, aux))


def mean(t):
    return t.mean(0, keepdim=True)


POOLED = {
    "logits": lambda o: Output(mean(o.logits), o.features, o.layers),
    "features": lambda o: Output(o.logits, mean(o.features), o.layers),
    "doubled": lambda o: Output(o.logits, o.features, {"doubled": mean(o.layers["doubled"])}),
}


@pytest.mark.parametrize("pooled", POOLED)
@pytest.mark.parametrize("method", METHODS)
def test_an_average_over_the_batch_in_place_of_its_rows(method, pooled):
    with pytest.raises(BadInput, match=rf"forward\(\) must return {pooled} of (\d+) rows for \1 samples, not shape"):
        METHODS[method](Changed(POOLED[pooled]), TARGET)


def test_second_order_by_differences_meets_the_same_sentence():
    # Its gradients have no graph of their own, so that rows with small steps go through the model.
    model = toys.once_differentiable(toys.random(6, 20))
    whole = model.forward
    model.forward = lambda x, aux: POOLED["logits"](whole(x, aux))
    with pytest.raises(BadInput, match=r"forward\(\) must return logits of (\d+) rows for \1 samples"):
        crossmodal.second_order(model, SAMPLE, TARGET, **AB)


@pytest.mark.parametrize("rows", [0, 2])
def test_one_sample_answered_with_other_rows(rows):
    model = Changed(lambda o: Output(o.logits[:1].repeat(rows, 1), o.features))
    with pytest.raises(BadInput, match=r"logits of 1 row for 1 sample, not shape \(" + str(rows)):
        unimodal.gradient(model, SAMPLE, TARGET)
    with pytest.raises(BadInput, match="logits of 1 row for 1 sample"):
        crossmodal.second_order(model, SAMPLE, TARGET, **AB)


@pytest.mark.parametrize("pooled", POOLED)
def test_check_model_says_it_too(pooled):
    found = check_model(Changed(POOLED[pooled]), SAMPLE)["batch invariance"]
    assert found.state == "failed"
    assert f"forward() must return {pooled} of 2 rows for 2 samples" in found.sentence


def test_a_layer_with_its_rows_is_a_target_and_one_logit_is_enough():
    model = Changed(lambda o: Output(o.logits[:, :1], o.features, o.layers))
    # doubled[1] = twice the sum of b: a gradient of 2 in each of 5 components.
    norms = unimodal.smoothgrad(model, SAMPLE, [Feature(1, layer="doubled")])[0].values
    torch.testing.assert_close(norms["b"], torch.full((4,), 20**0.5, dtype=torch.float64))
    for method in METHODS.values():
        method(model, TARGET)


@pytest.mark.parametrize("method", ["lime", "shap", "emap", "dime"])
@pytest.mark.parametrize("shape", ["one row", "none", "nothing"])
def test_a_tower_that_encodes_another_number_of_rows(method, shape):
    class Pooled(toys_towers.Products):
        def tower(self, modality, x, aux):
            encoding = super().tower(modality, x, aux)
            if modality == "a" or len(x) == 1:
                return encoding
            return {"one row": {"read": mean(encoding["read"])}, "none": None, "nothing": {}}[shape]

    told = {"one row": r"shape \(1, ", "none": "NoneType", "nothing": "dict"}[shape]
    one, *others = toys_towers.samples(4)
    asked = {
        "lime": lambda: unimodal.lime(Pooled(), one, [TARGET]),
        "shap": lambda: unimodal.shap(Pooled(), one, [TARGET]),
        "emap": lambda: crossmodal.emap(Pooled(), [one, *others]),
        "dime": lambda: crossmodal.dime(Pooled(), one, others, [TARGET]),
    }
    wanted = r"tower\(\) must return tensors \[(\d+), \.\.\.\] for a batch of \1 of 'b', not "
    with pytest.raises(BadInput, match=wanted + told):
        asked[method]()


def test_a_fusion_that_returns_another_number_of_rows():
    class Pooled(toys_towers.Products):
        def fuse(self, encodings, aux):
            o = super().fuse(encodings, aux)
            return Output(o.logits, mean(o.features), o.layers)

    model = Pooled()
    with pytest.raises(BadInput, match=r"fuse\(\) must return features of (\d+) rows for \1 samples"):
        unimodal.lime(model, toys_towers.samples(1)[0], [TARGET])
