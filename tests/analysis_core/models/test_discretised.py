"""A regression model as a classifier over bins: logits by hand, invertible, additive where the model is."""

import numpy as np
import pytest
import torch

from analysis_core import Feature, Logit, PredictedLogit, capabilities, check_model
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.discretised import Discretised, quantile_edges
from analysis_core.stages import crossmodal, prediction, unimodal
from tests.analysis_core import toys


def regression(function=None):
    """y = sum a + sum b as the only output."""
    return toys.Toy(function or (lambda a, b: (a.sum((1, 2)) + b.sum((1, 2))).unsqueeze(1)))


def at(y):
    """A sample whose y is this."""
    return {"a": torch.tensor([[[float(y)]]], dtype=torch.float64), "b": torch.zeros(1, 1, 1, dtype=torch.float64)}


def forward(model, y):
    return model.forward(model.encode(at(y)).x, {"a": {}, "b": {}})


def test_the_logits_by_hand():
    # Edges 0, 1, 3: bins 0 to 3, the middle edge e_2 = 1, softness 1.5 (the median of 1 and 2). At y = 2:
    # l_2 = .5 (2 - 1) / 1.5 = 1/3 = -l_1; l_3 = l_2 + (2 - 3) / 1.5 = -1/3; l_0 = l_1 - (2 - 0) / 1.5 = -5/3.
    model = Discretised(regression(), (0, 1, 3))
    assert model.softness == 1.5
    assert forward(model, 2.0).logits.tolist() == [pytest.approx([-5 / 3, -1 / 3, 1 / 3, -1 / 3])]
    assert model.labels == ("below 0.0", "[0.0, 1.0)", "[1.0, 3.0)", "3.0 or more")


@pytest.mark.parametrize("edges", [(0.5,), (-1.0, 1.0), (0.0, 1.0, 3.0), (-2.0, -1.0, 0.0, 1.0, 2.5, 2.75)])
def test_the_largest_logit_is_that_of_the_bin_and_y_comes_back(edges):
    model = Discretised(regression(), edges)
    ys = np.linspace(-4.013, 4.017, 200)
    logits = torch.cat([forward(model, y).logits for y in ys])
    assert logits.argmax(dim=1).tolist() == model.bin_of(ys).tolist()
    np.testing.assert_allclose(model.regression(logits).numpy(), ys, rtol=1e-12, atol=1e-12)
    # A soft assignment: neighbouring bins are equally likely exactly on the edge between them.
    for k, edge in enumerate(edges):
        p = forward(model, edge).logits.softmax(dim=1)[0]
        assert p[k].item() == pytest.approx(p[k + 1].item())


def test_a_value_on_an_edge_belongs_to_the_upper_bin():
    model = Discretised(regression(), (0.5, 1.0))
    assert model.bin_of([0.4999, 0.5, 0.75, 1.0, 7.0]).tolist() == [0, 1, 1, 2, 2]
    assert model.labels[1] == "[0.5, 1.0)"
    with pytest.raises(BadInput, match="value 1 is NaN"):
        model.bin_of([0.0, float("nan")])


@pytest.mark.parametrize("y", [-2.0, 0.1, 3.0])
def test_every_bin_has_a_gradient_with_the_sign_of_its_side(y):
    # Three bins: slopes -1/2, 1/2, 3/2 over the softness, which is 2 here: times dy/da = 1.
    model = Discretised(regression(), (-1.0, 1.0))
    result = unimodal.gradient(model, at(y), PredictedLogit(), method="gradient_x_input")
    slope = {-2.0: -0.25, 0.1: 0.25, 3.0: 0.75}[y]
    assert result.values["a"].item() == pytest.approx(slope * y)


def test_an_additive_regression_stays_additive_and_a_product_keeps_its_interaction():
    W = toys.random(6, 20)
    additive = regression(lambda a, b: toys.additive().function(a, b)[:, :1])
    product = regression(lambda a, b: toys.bilinear(W).function(a, b)[:, :1])
    options = {"source": "a", "to": "b"}
    binned = Discretised(additive, (0.0, 1.0))
    assert not crossmodal.second_order(binned, toys.sample(), Logit(2), **options).pairs.any()
    pairs = crossmodal.second_order(product, toys.sample(), Logit(0), **options).pairs
    binned = crossmodal.second_order(Discretised(product, (0.0, 1.0)), toys.sample(), Logit(2), **options).pairs
    # l_2 = (3/2 y + b) / 1.
    torch.testing.assert_close(binned, 1.5 * pairs)


def test_the_number_itself_can_be_explained_as_a_layer():
    model = Discretised(regression(), (-1.0, 1.0))
    result = unimodal.gradient(model, toys.sample(), Feature(0, layer="regression"))
    torch.testing.assert_close(result.values["b"], torch.full((4,), 5**0.5, dtype=torch.float64))
    with pytest.raises(UnknownName, match="did you mean regression"):
        unimodal.gradient(model, toys.sample(), Feature(0, layer="regresion"))
    assert forward(model, 0.3).layers.keys() == {"doubled", "regression"}


def test_it_is_a_sound_model_with_readable_classes():
    model = Discretised(regression(lambda a, b: torch.tanh(a.sum((1, 2)) * b.sum((1, 2))).unsqueeze(1)), (-0.5, 0.5))
    report = check_model(model, toys.sample())
    assert report.ok, str(report)
    assert capabilities(model).labels == ("below -0.5", "[-0.5, 0.5)", "0.5 or more")


def test_a_sparse_path_finds_the_features_that_raise_and_lower_the_number():
    # y = 2 z_0 - z_2 of four features: the top bin goes with z_0 and against z_2, the lowest the other way round.
    z = np.random.default_rng(0).normal(size=(600, 4))
    y = 2 * z[:, 0] - z[:, 2]
    model = Discretised(regression(), quantile_edges(y, 3))
    path = prediction.sparse_path(z, model.bin_of(y)).select(tolerance=0.01)
    tops = [path.top(k) for k in (0, 2)]
    lowest, highest = (dict(zip(t.indices.tolist(), t.weights.tolist(), strict=True)) for t in tops)
    assert highest[0] > 0 > highest[2]
    assert lowest[0] < 0 < lowest[2]


def test_quantile_edges_are_short_numbers_between_neighbouring_values():
    # Six values in three bins. Halfway between .213 and .489 lies .351, one decimal: .4. Halfway between 1.04 and 1.08
    # lies 1.06; 1.1 is beyond 1.08.
    values = [0.1, 0.213, 0.489, 1.04, 1.08, 9.0]
    edges = quantile_edges(values, 3)
    assert edges == (0.4, 1.06)
    assert np.bincount(Discretised(regression(), edges).bin_of(values)).tolist() == [2, 2, 2]


def test_quantile_edges_never_cut_ties():
    # 0 makes up 60 %: the cuts nearest to the thirds of ten lie beside it, after one and after seven values.
    values = [-1.0, *[0.0] * 6, 1.0, 2.0, 3.0]
    assert len(quantile_edges(values, 3)) == 2
    assert np.bincount(Discretised(regression(), quantile_edges(values, 3)).bin_of(values)).tolist() == [1, 6, 3]
    # Two different values leave one edge whatever is asked for.
    assert quantile_edges([0, 0, 1, 1], 4) == (0.5,)
    with pytest.raises(BadInput, match="two different"):
        quantile_edges([1.0, 1.0], 2)


@pytest.mark.parametrize("edges", [(), (1.0, 1.0), (2.0, 1.0), (0.0, float("inf"))])
def test_edges_that_are_no_edges_are_refused(edges):
    with pytest.raises(BadInput, match=r"ascending|an edge must be a finite number"):
        Discretised(regression(), edges)


def test_other_bad_input_is_refused():
    with pytest.raises(BadInput, match="softness"):
        Discretised(regression(), (0.0,), softness=0.0)
    with pytest.raises(BadInput, match="output 3 does not exist"):
        forward(Discretised(regression(), (0.0,), output=3), 1.0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("edges", [(0.5,), (0.1, 0.2, 0.3), (-7.7, -1.1, 0.3, 2.9), (1e-3, 1e3, 1e6)])
def test_on_an_edge_and_next_to_it_the_largest_logit_is_that_of_the_bin(edges, dtype):
    model = Discretised(regression(), edges, softness=0.7)
    here = torch.tensor(edges, dtype=dtype)
    ys = torch.cat([here, *(torch.nextafter(here, torch.full_like(here, side)) for side in (-torch.inf, torch.inf))])
    leaf = {"a": ys[:, None, None], "b": torch.zeros(len(ys), 1, 1, dtype=dtype)}
    logits = model.forward(leaf, {"a": {}, "b": {}}).logits
    bins = torch.from_numpy(model.bin_of(ys.double().tolist()))
    assert logits.argmax(dim=1).tolist() == bins.tolist()
    # No other logit is as large: whoever breaks ties otherwise sees the same class.
    assert ((logits >= logits.amax(dim=1, keepdim=True)).sum(dim=1) == 1).all()


def test_an_edge_leaves_gradients_as_they_are():
    model = Discretised(regression(lambda a, b: (a.sum((1, 2)) * (1 + b.sum((1, 2)))).unsqueeze(1)), (0.5, 1.0))
    result = unimodal.gradient(model, at(0.5), PredictedLogit(), method="gradient_x_input")
    assert result.target["k"] == 1
    # The slope of the bin over the softness: 1/2 over 1/2, times y.
    assert result.values["a"].item() == pytest.approx(0.5)
    pairs = crossmodal.second_order(model, at(0.5), Logit(1), source="a", to="b").pairs
    assert pairs.item() == pytest.approx(1.0)
