"""explain() puts the stages together and adds nothing of its own."""

import pytest
import torch

from analysis_core import Feature, Logit, PredictedLogit, explain, stages
from analysis_core.errors import BadInput, UnknownName
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
