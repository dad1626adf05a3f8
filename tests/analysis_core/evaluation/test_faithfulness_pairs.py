"""The two pair metrics against bilinear models, where removal is the interaction itself."""

import math

import pytest
import torch
from scipy.stats import spearmanr

from analysis_core import Attribution, Logit, results
from analysis_core.errors import BadInput
from analysis_core.evaluation import faithfulness
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

W = toys.random(5, 6, seed=9)
#: Inputs of +-1: removing atom i and atom j takes a_i W_ij b_j away, of size |W_ij|.
SIGNS = {m: t.sign() for m, t in toys.sample(n=5, p=1, m=6, q=1).items()}


def reported(pairs, **config):
    config = {"source": "a", "to": "b", "atoms": list(range(len(pairs))), **config}
    return Attribution({}, {"kind": "Logit", "k": 0}, "planted", config, {}, pairs)


def test_a_bilinear_models_interactions_are_what_removal_finds():
    found = crossmodal.second_order(toys.bilinear(W), SIGNS, Logit(0), source="a", to="b")
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, found, top=3)
    torch.testing.assert_close(judged.comprehensiveness, SIGNS["a"][0] * W * SIGNS["b"][0].T)
    assert judged.correlation == pytest.approx(1)
    # Of 5! x 6! = 86,400 relabellings only one is as good; 1000 draws meet it about once in 86 seeds.
    assert judged.p <= 3 / 1001
    sizes = W.abs().flatten().sort(descending=True).values
    assert judged.top_mean == pytest.approx(float(sizes[:3].mean()))
    assert judged.mean == pytest.approx(float(sizes.mean()))
    assert [float(W.abs()[i, j]) for i, j in judged.top] == pytest.approx(sizes[:3].tolist())


def test_random_interactions_score_worse_and_lie_where_relabellings_lie():
    other = toys.random(5, 6, seed=31).abs()
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, reported(other), top=3)
    known = spearmanr(other.flatten(), W.abs().flatten()).statistic
    assert judged.correlation == pytest.approx(known, abs=1e-12)
    low, high = judged.null
    assert low < 0 < high
    assert low <= judged.correlation <= high
    assert judged.p > 0.05
    # Under relabelling the correlation of 30 pairs varies about as that of 30 numbers, with 1 / sqrt(29).
    assert (high - low) / (2 * 1.96) == pytest.approx(1 / math.sqrt(29), rel=0.25)


def test_signs_are_not_compared():
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, reported(-W))
    assert judged.correlation == pytest.approx(1)


def test_chosen_source_atoms_are_judged_as_the_result_has_them():
    found = crossmodal.second_order(toys.bilinear(W), SIGNS, Logit(0), source="a", to="b", atoms=[4, 1])
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, found)
    torch.testing.assert_close(judged.comprehensiveness.abs(), W[[4, 1]].abs())


def test_pairs_that_were_never_looked_at_are_not_judged_as_zeros():
    # Of 5 x 6 pairs only those of atoms 4, 2 of a and 0, 3, 5 of b are known: in the order of |W|, so a correlation of
    # 1; with 24 zeros among the ranks it would be lower, and the top 10 would hold pairs nobody looked at.
    rows, columns = torch.tensor([2, 4]), torch.tensor([0, 3, 5])
    some = torch.zeros(5, 6, dtype=torch.float64)
    some[rows[:, None], columns] = W[rows][:, columns]
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, reported(some, selected={"a": [2, 4], "b": [0, 3, 5]}))
    assert judged.correlation == pytest.approx(1)
    assert judged.top_mean == pytest.approx(float(W.abs()[rows][:, columns].mean()))
    assert judged.mean == pytest.approx(float(W.abs().mean()))
    assert sorted(judged.top.tolist()) == [[2, 0], [2, 3], [2, 5], [4, 0], [4, 3], [4, 5]]
    assert faithfulness.pairs(toys.bilinear(W), SIGNS, reported(some)).correlation < 0.9


def test_a_pre_selecting_method_is_judged_on_its_selection():
    # A bilinear model's Shapley interactions are its terms, whatever the other atoms do.
    found = crossmodal.shap(toys.bilinear(W), SIGNS, Logit(0), source="a", to="b", preselect=2)
    judged = faithfulness.pairs(toys.bilinear(W), SIGNS, found)
    assert len(judged.top) == 4
    assert judged.correlation == pytest.approx(1)
    chosen = found.config["selected"]
    assert {i for i, _ in judged.top.tolist()} == set(chosen["a"])
    assert {j for _, j in judged.top.tolist()} == set(chosen["b"])


def test_an_additive_model_has_nothing_to_correlate_with():
    judged = faithfulness.pairs(toys.additive(), toys.sample(), reported(toys.random(3, 4)))
    assert (judged.correlation, judged.null, judged.p) == (None, None, None)
    assert judged.mean <= judged.quality["round_off"]
    assert results.loads(results.dumps(judged)).null is None


def test_the_same_seed_gives_the_same_bytes_and_results_are_saved_without_loss():
    one, two, three = (
        faithfulness.pairs(toys.bilinear(W), SIGNS, reported(toys.random(5, 6, seed=31)), seed=s) for s in (1, 1, 2)
    )
    assert results.dumps(one) == results.dumps(two)
    assert one.null != three.null
    again = results.loads(results.dumps(one))
    assert torch.equal(again.top, one.top)
    assert torch.equal(again.comprehensiveness, one.comprehensiveness)
    assert (again.null, again.p, again.config) == (one.null, one.p, one.config)


def test_results_without_pairs_of_single_atoms_are_refused():
    model = toys.bilinear(W)
    found = crossmodal.second_order(model, SIGNS, Logit(0), source="a", to="b")
    with pytest.raises(BadInput, match="no pairs"):
        faithfulness.pairs(model, SIGNS, unimodal.gradient(model, SIGNS, Logit(0)))
    with pytest.raises(BadInput, match="atom by atom"):
        faithfulness.pairs(model, SIGNS, crossmodal.phrases(found, [[0, 1]]))
    with pytest.raises(BadInput, match="planted has pairs that are not finite"):
        faithfulness.pairs(model, SIGNS, reported(W * float("nan")))
    with pytest.raises(BadInput, match="5, 5"):
        faithfulness.pairs(model, SIGNS, reported(torch.ones(5, 5)))
    with pytest.raises(BadInput, match="at least 1"):
        faithfulness.pairs(model, SIGNS, found, top=0)
