"""Comprehensiveness, sufficiency, deletion and insertion against models where they can be worked out by hand."""

import pytest
import torch

from analysis_core import Attribution, Feature, Logit, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation import faithfulness
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

#: Scalar atoms of 1: the target is the sum of the weights of the atoms that are present.
WEIGHTS = {"a": [4.0, 1.0], "b": [2.0, -1.0]}
SAMPLE = {m: torch.ones(1, 2, 1, dtype=torch.float64) for m in "ab"}


def linear():
    return toys.linear(*(torch.tensor(WEIGHTS[m])[:, None] for m in "ab"))


def attribution(values, k=0, method="planted"):
    figures = {m: torch.tensor(v, dtype=torch.float64) for m, v in values.items()}
    return Attribution(figures, {"kind": "Logit", "k": k}, method, {}, {})


def test_the_true_order_of_a_linear_model_gives_its_weights():
    # f = 6; in the order 4, 2, 1, -1: f is 6 2 0 -1 0 without the first, 0 4 6 7 6 with only the first.
    found = faithfulness.curves(linear(), SAMPLE, [attribution(WEIGHTS)], fractions=(0.25, 0.5))[0]
    assert found.share.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.deletion.tolist() == [6, 2, 0, -1, 0]
    assert found.insertion.tolist() == [0, 4, 6, 7, 6]
    # Comprehensiveness of the top atom is its weight, of the top two 4 + 2; sufficiency is what the others are worth.
    assert found.comprehensiveness.tolist() == [4, 6]
    assert found.sufficiency.tolist() == [2, 0]
    # Trapezoids of width 1/4: (6/2 + 2 + 0 - 1 + 0/2) / 4 = 1 and (0/2 + 4 + 6 + 7 + 6/2) / 4 = 5.
    # AOPC over bins 0, 1, 2: (0 + 4 + 6) / 3, and with nothing kept in bin 0 (6 + 2 + 0) / 3 (DeYoung et al. 2020).
    assert found.figures == {
        "comprehensiveness": pytest.approx(10 / 3),
        "sufficiency": pytest.approx(8 / 3),
        "deletion_auc": 1,
        "insertion_auc": 5,
    }
    assert found.quality["value"] == 6


def test_a_random_and_a_reversed_attribution_score_worse_than_the_true_one():
    gone = torch.randperm(4, generator=torch.Generator().manual_seed(3)).double()
    other = {"a": gone[:2].tolist(), "b": gone[2:].tolist()}
    back = {m: [-w for w in ws] for m, ws in WEIGHTS.items()}
    true, drawn, reversed_ = faithfulness.curves(
        linear(), SAMPLE, [attribution(v) for v in (WEIGHTS, other, back)], random=200
    )
    for name, high in {
        "comprehensiveness": True,
        "sufficiency": False,
        "deletion_auc": False,
        "insertion_auc": True,
    }.items():
        sign = 1 if high else -1
        assert sign * true.figures[name] >= sign * drawn.figures[name]
        assert sign * drawn.figures[name] >= sign * reversed_.figures[name]
        assert sign * true.figures[name] > sign * reversed_.figures[name]
        # 4 atoms have 24 orders: the true one beats nearly all and ties with its like, the reversed one none.
        assert true.better_than_random[name] > 0.75
        assert reversed_.better_than_random[name] < 0.25


def test_random_orders_are_the_control_whose_mean_is_known():
    # E comprehensiveness of one atom of four is the mean weight, 6 / 4; its standard deviation over orders is 1.80.
    # With bin 0 beside it, AOPC is half of both.
    found = faithfulness.curves(linear(), SAMPLE, [attribution(WEIGHTS)], fractions=(0.25,), random=400)[0]
    assert found.random.shape == (400, 4)
    assert float(found.random[:, 0].mean()) == pytest.approx(0.75, abs=4 * 0.90 / 20)


def test_all_attributions_share_one_set_of_rows():
    # Orders of 4 atoms on 2 x 5 points: their rows are among the 16 subsets, each computed once.
    model = linear()
    found = faithfulness.curves(model, SAMPLE, [attribution(WEIGHTS), attribution(WEIGHTS, k=1)], random=50)
    assert found[0].quality["forwards"] <= 16
    assert model.rows <= 16
    # Logit 1 is the double of logit 0.
    torch.testing.assert_close(found[1].deletion, 2 * found[0].deletion)
    assert torch.equal(found[0].share, found[1].share)


def test_modalities_that_are_not_asked_for_stay_present():
    # Only b is removed: f = 6 - 2 = 4 without its first, and 6 - (-1) = 7 with only its first.
    found = faithfulness.curves(linear(), SAMPLE, [attribution(WEIGHTS)], modalities=["b"], fractions=(0.5,))[0]
    assert found.deletion.tolist() == [6, 4, 5]
    assert found.insertion.tolist() == [5, 7, 6]
    assert found.config["modalities"] == ["b"]
    one = Attribution({"b": torch.tensor([1.0, 0.0])}, {"kind": "Logit", "k": 0}, "planted", {}, {})
    assert torch.equal(faithfulness.curves(linear(), SAMPLE, [one], fractions=(0.5,))[0].deletion, found.deletion)


def test_a_modality_named_twice_is_removed_once_and_a_string_is_one_name():
    # Two atoms of b, weights 2 and -1, of f = 6; named twice they would be four.
    for modalities in (["b", "b"], "b"):
        found = faithfulness.curves(linear(), SAMPLE, [attribution(WEIGHTS)], modalities=modalities, fractions=(0.5,))
        assert found[0].deletion.tolist() == [6, 4, 5]
        assert found[0].config["modalities"] == ["b"]
    longer = {"image": WEIGHTS["a"]}
    with pytest.raises(UnknownName, match="image"):
        faithfulness.curves(linear(), SAMPLE, [attribution(longer)], modalities="image")


def test_one_attribution_alone_is_a_list_of_one():
    # f = 6; without the first of 4, 2, 1, -1: 6 2 0 -1 0.
    (found,) = faithfulness.curves(linear(), SAMPLE, attribution(WEIGHTS), fractions=(0.5,))
    assert found.deletion.tolist() == [6, 2, 0, -1, 0]


def test_few_points_still_hold_the_fractions():
    sample = {m: torch.ones(1, 50, 1, dtype=torch.float64) for m in "ab"}
    model = toys.linear(torch.ones(50, 1), torch.ones(50, 1))
    values = {m: torch.arange(50.0).tolist() for m in "ab"}
    found = faithfulness.curves(model, sample, [attribution(values)], points=4, random=0, fractions=(0.01, 0.1))[0]
    # 100 atoms: 0 25 50 75 100 and the fractions' 1 and 10.
    assert found.config["counts"] == [0, 1, 10, 25, 50, 75, 100]
    assert found.comprehensiveness.tolist() == [1, 10]
    assert found.better_than_random["comprehensiveness"] is None
    assert found.random.shape == (0, 4)


def test_what_stages_compute_can_be_judged_towards_any_target():
    model, sample = toys.linear(toys.random(3, 2, seed=7), toys.random(4, 5, seed=8)), toys.sample()
    shown = [
        unimodal.gradient(model, sample, Logit(0)),
        *unimodal.lime(model, sample, [Logit(1), Feature(3, layer="penultimate"), Feature(1, layer="doubled")]),
        crossmodal.second_order(toys.bilinear(toys.random(6, 20)), sample, Logit(0), source="a", to="b"),
    ]
    found = faithfulness.curves(model, sample, shown, random=0)
    assert [f.method for f in found] == ["gradient/saliency", "lime", "lime", "lime", "second_order"]
    assert found[4].config["modalities"] == ["b"]
    # LIME of a linear model is exact, so no order of 7 atoms removes more of the target with the first.
    assert float(found[1].comprehensiveness[0]) == pytest.approx(
        max(float(v.max()) for v in shown[1].values.values()), rel=1e-3
    )


def test_the_same_seed_gives_the_same_bytes_and_results_are_saved_without_loss():
    one, two = (faithfulness.curves(linear(), SAMPLE, [attribution(WEIGHTS)], seed=4)[0] for _ in range(2))
    assert results.dumps(one) == results.dumps(two)
    again = results.loads(results.dumps(one))
    assert again.figures == one.figures
    assert torch.equal(again.random, one.random)
    assert (again.config, again.quality, again.target) == (one.config, one.quality, one.target)


def test_impossible_requests_are_refused_with_a_sentence():
    right = attribution(WEIGHTS)
    with pytest.raises(BadInput, match="at least one attribution"):
        faithfulness.curves(linear(), SAMPLE, [])
    with pytest.raises(BadInput, match="fractions"):
        faithfulness.curves(linear(), SAMPLE, [right], fractions=(0, 0.5))
    with pytest.raises(BadInput, match="points"):
        faithfulness.curves(linear(), SAMPLE, [right], points=0)
    with pytest.raises(BadInput, match="another sample"):
        faithfulness.curves(linear(), SAMPLE, [attribution({"a": [1.0]})])
    with pytest.raises(BadInput, match="not finite"):
        faithfulness.curves(linear(), SAMPLE, [attribution({"a": [1.0, float("nan")]})])
    with pytest.raises(UnknownName, match="did you mean a"):
        faithfulness.curves(linear(), SAMPLE, [right], modalities=["aa"])
    with pytest.raises(BadInput, match="no modality"):
        faithfulness.curves(linear(), SAMPLE, [attribution({})])
    with pytest.raises(UnknownName, match="target"):
        faithfulness.curves(linear(), SAMPLE, [Attribution(right.values, {"kind": "Logits"}, "planted", {}, {})])
    with pytest.raises(BadInput, match="NaN"):
        faithfulness.curves(linear(), {m: x * float("nan") for m, x in SAMPLE.items()}, [right])


def test_coefficients_of_rows_apart_are_not_put_into_one_order_without_saying_so():
    apart, joint = (
        unimodal.lime(linear(), SAMPLE, [Logit(0)], design=design, samples=30)[0] for design in ("apart", "joint")
    )
    both, other = faithfulness.curves(linear(), SAMPLE, [apart, joint])
    (note,) = both.quality["notes"]
    assert "a and b are judged together, but design='apart'" in note
    assert "notes" not in other.quality
    assert results.loads(results.dumps(both)).quality == both.quality
    (one,) = faithfulness.curves(linear(), SAMPLE, apart, modalities="a")
    assert "notes" not in one.quality
    assert faithfulness.infidelity(linear(), SAMPLE, apart).quality["notes"] == [note]
    assert "notes" not in faithfulness.infidelity(linear(), SAMPLE, apart, modalities="b").quality


def test_an_attribution_without_an_order_says_so():
    flat, other = faithfulness.curves(linear(), SAMPLE, [attribution({"a": [0, 0], "b": [0, 0]}), attribution(WEIGHTS)])
    # Atom 0 of a, the first in the list, is the best one: without the note this would look like a good explanation.
    assert flat.better_than_random["comprehensiveness"] > 0.5
    (note,) = flat.quality["notes"]
    assert "all 4 values are equal" in note
    assert "notes" not in other.quality
    (one,) = faithfulness.curves(linear(), SAMPLE, attribution({"a": [1, 1], "b": [1, 2]}), modalities="b")
    assert "notes" not in one.quality
    assert "notes" not in faithfulness.infidelity(linear(), SAMPLE, attribution({"a": [0, 0], "b": [0, 0]})).quality
