"""explain() puts the stages together and adds nothing of its own."""

import pytest
import torch

from analysis_core import Logit, PredictedLogit, explain
from analysis_core.errors import UnknownName
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


def test_unknown_names_are_refused():
    with pytest.raises(UnknownName, match="Rl"):
        explain(model(), toys.sample(), stages=["R"])
    with pytest.raises(UnknownName, match="lime"):
        explain(model(), toys.sample(), method="lie")
    with pytest.raises(UnknownName):
        explain(model(), toys.sample(), source="image")
