"""Shares of modalities in the absolute Shapley values, by hand."""

import math

import pytest
import torch

from analysis_core import Attribution, Logit, results
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys, toys_trilinear


def shapley(quality=(1.0, 0.0), method="shap", **values):
    """A result of one joint game."""
    found = {m: torch.tensor(v, dtype=torch.float64) for m, v in values.items()}
    return Attribution(found, {}, method, {}, dict(zip(("value", "absent"), quality, strict=True)))


def test_a_share_is_that_of_the_absolute_values():
    # |1| + |-2| + |3| = 6 of 6 + |-2| = 8. The signed sums, 2 and -2, would give something else.
    assert unimodal.modality_shares(shapley(image=[1.0, -2, 3], text=[-2.0, 0])) == {"image": 0.75, "text": 0.25}
    three = unimodal.modality_shares(shapley(a=[1.0], b=[-1.0], c=[2.0]))
    assert three == {"a": 0.25, "b": 0.25, "c": 0.5}


def test_of_several_results_each_counts_alike_whatever_its_size():
    one, two = shapley(image=[3.0], text=[1.0]), shapley(image=[-0.1], text=[0.3])
    assert unimodal.modality_shares([one, two]) == pytest.approx({"image": 0.5, "text": 0.5})
    assert unimodal.modality_shares(iter([one, one, two])) == pytest.approx({"image": 1.75 / 3, "text": 1.25 / 3})


def test_shapley_values_of_a_linear_model_give_the_shares_of_its_terms():
    # phi of atom i is <w_i, x_i>, by which the shares are known.
    sample, wa, wb = toys.sample(), toys.random(3, 2, seed=8), toys.random(4, 5, seed=9)
    a, b = (float((w * sample[m][0]).sum(1).abs().sum()) for m, w in (("a", wa), ("b", wb)))
    found = unimodal.shap(toys.linear(wa, wb), sample, [Logit(0), Logit(1)])
    for each in (*found, results.loads(results.dumps(found[0]))):
        assert unimodal.modality_shares(each) == pytest.approx({"a": a / (a + b), "b": b / (a + b)}, rel=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-15])
def test_values_of_round_off_have_no_shares(size):
    still, moving = shapley(image=[size], text=[-size]), shapley(image=[3.0], text=[1.0])
    assert all(math.isnan(share) for share in unimodal.modality_shares(still).values())
    assert unimodal.modality_shares([still, moving]) == {"image": 0.75, "text": 0.25}
    assert all(math.isnan(share) for share in unimodal.modality_shares([still, still]).values())


def test_small_targets_have_shares_all_the_same():
    assert unimodal.modality_shares(shapley((4e-20, 0.0), image=[3e-20], text=[1e-20]))["image"] == pytest.approx(0.75)


def test_games_in_which_a_modality_stayed_whole_are_refused():
    model, sample = toys_trilinear.trilinear()
    (part,) = unimodal.shap(model, sample, [Logit(0)], modalities=model.modalities[:2])
    assert part.config["present"] == [model.modalities[2]]
    with pytest.raises(BadInput, match=f"{model.modalities[2]} stayed whole"):
        unimodal.modality_shares(part)
    (whole,) = unimodal.shap(model, sample, [Logit(0)])
    assert "present" not in whole.config
    assert sum(unimodal.modality_shares(whole).values()) == pytest.approx(1)


def test_what_is_no_joint_game_is_refused():
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    with pytest.raises(BadInput, match="at least two modalities"):
        unimodal.modality_shares(shapley(text=[1.0, 2.0]))
    with pytest.raises(BadInput, match="not of 'lime'"):
        unimodal.modality_shares(unimodal.lime(model, sample, [Logit(0)]))
    with pytest.raises(BadInput, match="Shapley values"):
        unimodal.modality_shares(crossmodal.shap(model, sample, Logit(0), source="a", to="b"))
    with pytest.raises(BadInput, match="different modalities: image, text and a, b"):
        unimodal.modality_shares([shapley(image=[1.0], text=[1.0]), shapley(a=[1.0], b=[1.0])])
    with pytest.raises(BadInput, match="no result"):
        unimodal.modality_shares([])
    with pytest.raises(BadInput, match="must be a list"):
        unimodal.modality_shares(None)
