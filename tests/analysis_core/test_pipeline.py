"""explain() puts the stages together and adds nothing of its own."""

import pytest
import torch

from analysis_core import Feature, Logit, Margin, PredictedLogit, explain, results, stages
from analysis_core.errors import BadInput, MissingCapability, NotDifferentiableTwice, UnknownName
from analysis_core.pipeline import strongest_atoms
from analysis_core.stages import crossmodal, representation, unimodal
from tests.analysis_core import toys


def model():
    return toys.bilinear(toys.random(6, 20))


def test_the_default_is_u_and_c_of_the_predicted_class():
    result, sample = explain(model(), toys.sample()), toys.sample()
    expected = unimodal.gradient(model(), sample, PredictedLogit())
    assert torch.equal(result["U"].values["a"], expected.values["a"])
    # Both modalities are words: the first is the source; its three atoms are fewer than ten.
    pairs = crossmodal.second_order(model(), sample, PredictedLogit(), source="a", to="b").pairs
    assert torch.equal(result["C"]["b"].pairs, pairs)
    assert set(result) == {"U", "C"}


def test_c_takes_the_atoms_with_the_largest_gradient_in_their_order():
    scores = unimodal.gradient(model(), toys.sample(), Logit(0)).values["b"]
    chosen = strongest_atoms(model(), toys.sample(), Logit(0), "b", 2)
    assert chosen == sorted(scores.topk(2).indices.tolist())
    result = explain(model(), toys.sample(), Logit(0), stages=["C"], source="b", atoms=2)
    assert "U" not in result
    assert result["C"]["a"].config["atoms"] == chosen


def test_local_representation_and_lime():
    result = explain(model(), toys.sample(), stages=["U", "Rl"], method="lime", features=[3], samples=50, seed=4)
    local = representation.local(model(), toys.sample(), 3, method="lime", samples=50, seed=4)
    assert torch.equal(result["Rl"][3].values["b"], local.values["b"])
    assert result["U"].method == "lime"


@pytest.mark.parametrize("method", stages.names())
def test_every_method_serves_u_and_rl(method):
    result = explain(model(), toys.sample(), stages=["U", "Rl"], method=method, features=[3, 0], options=few(method))
    alone = stages.method(method)(model(), toys.sample(), [Feature(0)], **few(method))[0]
    assert list(result["Rl"]) == [3, 0]
    torch.testing.assert_close(result["Rl"][0].values["a"], alone.values["a"], rtol=1e-12, atol=1e-12)
    assert result["U"].target == {"kind": "Logit", "k": result["U"].target["k"]}
    assert result["Rl"][3].target == {"kind": "Feature", "j": 3, "layer": "penultimate"}


def few(method):
    """Few rows where a method draws any; shap takes all 128 of seven atoms."""
    return {"samples": 30} if method in ("lime", "smoothgrad") else {}


def test_samples_are_shaps_evaluations():
    sample = toys.sample(n=10, m=6)
    result = explain(toys.bilinear(toys.random(20, 30)), sample, stages=["U"], method="shap", samples=200)["U"]
    assert result.config["evaluations"] == 200
    assert result.method == "shap"


def test_gradient_is_saliency():
    one, two = (explain(model(), toys.sample(), stages=["U"], method=m)["U"] for m in ("gradient", "saliency"))
    assert torch.equal(one.values["b"], two.values["b"])
    assert one.config == two.config


def test_u_and_rl_share_their_rows():
    watched = model()
    result = explain(watched, toys.sample(), stages=["U", "Rl"], method="lime", features=range(5), samples=40)
    # At most the 39 perturbed rows and the whole sample, not six times as many.
    assert watched.rows <= 40
    assert len(result["Rl"]) == 5


def test_features_of_another_layer_and_options_of_the_method_pass_through():
    result = explain(
        model(),
        toys.sample(),
        stages=["U", "Rl"],
        method="gradient_x_input",
        features=[1],
        layer="doubled",
        options={"origin": "baseline"},
    )
    assert result["Rl"][1].target["layer"] == "doubled"
    assert result["U"].config["origin"] == "baseline"
    seeded = explain(model(), toys.sample(), stages=["U"], method="smoothgrad", samples=7, seed=5)["U"]
    assert (seeded.config["samples"], seeded.config["seed"]) == (7, 5)


def test_no_features_are_no_rl():
    assert explain(model(), toys.sample(), stages=["Rl"]) == {"Rl": {}}
    with pytest.raises(BadInput, match="draws nothing"):
        explain(model(), toys.sample(), method="saliency", samples=5)
    with pytest.raises(UnknownName, match="option of lime"):
        explain(model(), toys.sample(), method="lime", options={"sampels": 5})


def test_unknown_names_are_refused():
    with pytest.raises(UnknownName, match="Rl"):
        explain(model(), toys.sample(), stages=["R"])
    with pytest.raises(UnknownName, match="lime"):
        explain(model(), toys.sample(), method="lie")
    with pytest.raises(UnknownName):
        explain(model(), toys.sample(), source="image")


class BlackBox(toys.Toy):
    """A bilinear model whose forward pass goes through numpy, as models of other libraries do."""

    def forward(self, x, aux):
        return super().forward({m: torch.from_numpy(t.numpy()) for m, t in x.items()}, aux)


def black_box():
    return BlackBox(model().function)


@pytest.mark.parametrize("method", ["perturbation", "lime", "shap"])
def test_a_model_without_gradients_gets_all_stages(method):
    result = explain(black_box(), toys.sample(), stages=["U", "C", "Rl"], method=method, features=[0], atoms=2)
    assert list(result) == ["U", "C", "Rl"]
    found = result["C"]["b"]
    strongest = result["U"].values["a"].abs().topk(2).indices.tolist()
    expected = crossmodal.removal(
        black_box(), toys.sample(), PredictedLogit(), source="a", to="b", atoms=sorted(strongest)
    )
    assert found.method == "removal"
    assert torch.equal(found.pairs, expected.pairs)
    assert "no gradient" in found.quality["reason"]
    back = results.loads(results.dumps(found))
    assert back.quality == found.quality
    assert list(explain(black_box(), toys.sample(), stages=["C"], method=method)["C"]) == ["b"]


def test_a_relu_network_gets_removal_and_is_told_that_second_order_is_not_applicable():
    late = toys.relu_late_fusion()
    result = explain(late, toys.sample(), source="a", atoms=2)
    found = result["C"]["b"]
    strongest = sorted(result["U"].values["a"].abs().topk(2).indices.tolist())
    expected = crossmodal.removal(late, toys.sample(), PredictedLogit(), source="a", to="b", atoms=strongest)
    assert torch.equal(found.pairs, expected.pairs)
    assert float(found.pairs.abs().max()) > 0
    assert found.quality["reason"].startswith("not applicable: the second derivative")
    with pytest.raises(NotDifferentiableTwice, match="finite_step"):
        explain(late, toys.sample(), source="a", direction="hutchinson")


def test_where_only_a_gradient_would_do_a_model_without_one_is_told_so():
    with pytest.raises(MissingCapability, match="perturbation"):
        explain(black_box(), toys.sample())
    with pytest.raises(MissingCapability, match="removal"):
        explain(black_box(), toys.sample(), method="perturbation", direction="l1")


def test_c_takes_the_atoms_that_the_method_finds_strongest_of_either_sign():
    # Saliency is 3, 1, 2; gradient x input .3, 1, -4.
    weights, x = torch.tensor([[3.0], [1.0], [-2.0]]), torch.tensor([[[0.1], [1.0], [2.0]]], dtype=torch.float64)
    linear, sample = toys.linear(weights, weights), {"a": x, "b": x}
    for method, expected in {"gradient": [0, 2], "gradient_x_input": [1, 2], "lime": [1, 2]}.items():
        for asked in (["U", "C"], ["C"]):
            found = explain(linear, sample, Logit(0), stages=asked, method=method, source="b", atoms=2)["C"]["a"]
            assert found.config["atoms"] == expected
            assert found.method == "second_order"
    # U of the other modality alone says nothing about the source, whose atoms are then ranked by themselves.
    alone = explain(model(), toys.sample(), method="lime", source="b", atoms=2, options={"modalities": ["a"]})
    assert list(alone["U"].values) == ["a"]
    assert len(alone["C"]["a"].config["atoms"]) == 2


def labelled():
    found = model()
    found.labels = ("gray+blue", "yes")
    return found


@pytest.mark.parametrize("target", ["yes", Logit("yes")])
def test_a_class_may_be_given_by_its_label(target):
    result = explain(labelled(), toys.sample(), target)
    assert result["U"].target == result["C"]["b"].target == {"kind": "Logit", "k": 1, "label": "yes"}
    number = explain(labelled(), toys.sample(), Logit(1))
    assert torch.equal(result["U"].values["a"], number["U"].values["a"])
    assert number["U"].target == {"kind": "Logit", "k": 1}
    assert results.loads(results.dumps(result["U"])).target == result["U"].target
    with pytest.raises(UnknownName, match=r"unknown class 'gray\+bleu'; did you mean gray\+blue"):
        explain(labelled(), toys.sample(), "gray+bleu")


def test_a_margin_of_labels():
    result = explain(labelled(), toys.sample(), Margin("gray+blue", 1), stages="U")["U"]
    assert result.target == {"kind": "Margin", "k": 0, "l": 1, "k_label": "gray+blue"}
