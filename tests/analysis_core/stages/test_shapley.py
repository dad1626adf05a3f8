"""Shapley values of models: exact for few atoms, close and honest for many, additive to the last digit."""

import pytest
import torch

from analysis_core import AllLogits, Feature, Logit, Margin, PredictedLogit, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import unimodal
from tests.analysis_core import toys, toys_games, toys_kinds

BOTH = pytest.mark.parametrize("options", [{}, {"exact_up_to": 0, "evaluations": 40}], ids=["exact", "sampled"])


def joined(result):
    return torch.cat(list(result.values.values()))


@BOTH
def test_an_additive_model_gives_each_atom_its_own_term(options):
    # Curved but additive: atom i of a adds tanh(a_i) - tanh(0), summed over its components; of b with sin.
    sample = toys.sample()
    result = unimodal.shap(toys.additive(), sample, [Logit(0)], **options)[0]
    torch.testing.assert_close(result.values["a"], sample["a"][0].tanh().sum(1), rtol=0, atol=1e-12)
    torch.testing.assert_close(result.values["b"], sample["b"][0].sin().sum(1), rtol=0, atol=1e-12)


@BOTH
def test_a_bilinear_model_gives_each_side_half_of_what_they_give_together(options):
    W, sample = toys.random(6, 20), toys.sample()
    terms = torch.einsum("ip,ipjq,jq->ij", sample["a"][0], W.reshape(3, 2, 4, 5), sample["b"][0])
    result = unimodal.shap(toys.bilinear(W), sample, [Logit(0)], **options)[0]
    torch.testing.assert_close(result.values["a"], terms.sum(1) / 2, rtol=0, atol=1e-9)
    torch.testing.assert_close(result.values["b"], terms.sum(0) / 2, rtol=0, atol=1e-9)


def test_twelve_atoms_are_exact():
    f = toys_games.table(12, seed=8)
    result = unimodal.shap(toys_games.Game(f, 5, 7), {}, [Logit(0), Logit(1)], evaluations=100)
    expected = toys_games.shapley_by_definition(f, 12)
    assert (joined(result[0]) - expected).abs().max() < 1e-10
    assert (joined(result[1]) + expected / 2).abs().max() < 1e-10
    quality = result[0].quality
    assert quality["evaluations"] == quality["forwards"] == 4096
    assert result[0].config["exact"] is True
    assert quality["standard_error"] == {"a": [0.0] * 5, "b": [0.0] * 7}


@pytest.mark.parametrize("f", [toys_games.table(14), toys_games.network(14)])
@pytest.mark.parametrize("evaluations", [33, 200, 1000])
def test_sampled_values_add_up_to_what_all_atoms_give(f, evaluations):
    result = unimodal.shap(toys_games.Game(f, 6, 8), {}, [Logit(0)], evaluations=evaluations)[0]
    assert result.quality["evaluations"] == 2 * (evaluations // 2) == result.config["evaluations"]
    gap = toys_games.of(f, 14, tuple(range(14))) - toys_games.of(f, 14, ())
    assert float(joined(result).sum()) == pytest.approx(gap, abs=1e-9)
    assert result.quality["value"] - result.quality["absent"] == pytest.approx(gap, abs=1e-12)


def test_standard_errors_hold_over_seeds():
    # 400 rows, 30 seeds: errors within 1.96 standard errors in about 95 % of 30 x 12 figures that are not independent.
    f = toys_games.network(12, seed=2)
    model, inside = toys_games.Game(f, 5, 7), []
    exact = joined(unimodal.shap(model, {}, [Logit(0)])[0])
    for seed in range(30):
        result = unimodal.shap(model, {}, [Logit(0)], evaluations=400, exact_up_to=0, seed=seed)[0]
        error = torch.tensor([*result.quality["standard_error"]["a"], *result.quality["standard_error"]["b"]])
        inside.append((joined(result) - exact).abs() < 1.96 * error)
    assert 0.85 < torch.stack(inside).double().mean() < 1


def test_more_rows_bring_the_values_closer_and_the_errors_down():
    model = toys_games.Game(toys_games.network(12, seed=3), 6, 6)
    exact = joined(unimodal.shap(model, {}, [Logit(0)])[0])
    found = [unimodal.shap(model, {}, [Logit(0)], evaluations=e, exact_up_to=0)[0] for e in (60, 400, 2000)]
    errors = [float((joined(r) - exact).norm()) for r in found]
    stated = [sum(r.quality["standard_error"]["a"]) for r in found]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert stated[0] > 2 * stated[1] > 4 * stated[2]


def test_one_set_of_rows_serves_all_targets():
    model = toys_games.Game(toys_games.network(13), 6, 7)
    targets = [Logit(0), Logit(1), Margin(0, 1), AllLogits(), Feature(3)]
    found = unimodal.shap(model, {}, targets, evaluations=300)
    # All atoms present are known before: one forward less, and one to know it.
    assert model.rows == found[0].quality["forwards"] == 300
    torch.testing.assert_close(joined(found[1]), -joined(found[0]) / 2, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(joined(found[2]), 3 * joined(found[0]) / 2, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(joined(found[3]), joined(found[0]) / 2, rtol=1e-9, atol=1e-9)
    # Feature 3 is atom 3 itself.
    torch.testing.assert_close(joined(found[4]), torch.eye(13, dtype=torch.float64)[3], rtol=0, atol=1e-9)
    alone = unimodal.shap(model, {}, [Margin(0, 1)], evaluations=300)[0]
    assert joined(alone).numpy().tobytes() == joined(found[2]).numpy().tobytes()


def test_the_same_seed_gives_the_same_bytes():
    model = toys_games.Game(toys_games.network(13), 6, 7)
    one, again, other = (unimodal.shap(model, {}, [Logit(0)], evaluations=200, seed=s)[0] for s in (5, 5, 6))
    assert joined(one).numpy().tobytes() == joined(again).numpy().tobytes()
    assert one.quality == again.quality
    assert not torch.equal(joined(one), joined(other))


def test_every_kind_of_atom_is_divided_among():
    # 14 atoms: halves of a picture, words of sub-words, steps x channels, fields. Absent is 0.5 everywhere.
    model, sample = toys_kinds.Kinds(), toys_kinds.sample()
    squares, product = unimodal.shap(model, sample, [Logit(0), Logit(1)])
    for m in model.modalities:
        own = model.per_atom(m, model.weights[m] * (sample[m][0].square() - 0.25))
        torch.testing.assert_close(squares.values[m], own, rtol=0, atol=1e-9)
    # T S with T = T0 + sum t_i and S = S0 + sum s_j: an atom of the text gets t_i (S0 + sum s / 2), and so on.
    t, s = (model.per_atom(m, sample[m][0] - 0.5) for m in ("text", "series"))
    T0, S0 = sample["text"].sum() - t.sum(), sample["series"].sum() - s.sum()
    torch.testing.assert_close(product.values["text"], t * (S0 + s.sum() / 2), rtol=0, atol=1e-9)
    torch.testing.assert_close(product.values["series"], s * (T0 + t.sum() / 2), rtol=0, atol=1e-9)
    assert product.values["image"].abs().max() < 1e-12
    assert product.config["exact"] is False


def test_other_modalities_stay_present():
    model, sample = toys_kinds.Kinds("patch"), toys_kinds.sample()
    result = unimodal.shap(model, sample, [Logit(1)], modalities=["series"])[0]
    t = sample["text"].sum()
    own = (sample["series"][0] - 0.5).flatten() * t
    assert set(result.values) == {"series"}
    torch.testing.assert_close(result.values["series"], own, rtol=0, atol=1e-9)


def test_a_model_in_single_precision_adds_up_too():
    sample = toys.sample(n=8, m=8, dtype=torch.float32)
    result = unimodal.shap(toys.layer_norm_text(), sample, [Logit(0)], evaluations=300)[0]
    gap = result.quality["value"] - result.quality["absent"]
    assert float(joined(result).sum()) == pytest.approx(gap, abs=1e-9)


def test_a_target_that_never_changes_gives_nobody_anything():
    constant = toys.Toy(lambda a, b: torch.ones(len(a), 2, dtype=a.dtype))
    result = unimodal.shap(constant, toys.sample(n=8, m=8), [Logit(0)], evaluations=100)[0]
    assert joined(result).abs().max() < 1e-15
    assert max(result.quality["standard_error"]["a"]) < 1e-15


@BOTH
def test_results_are_saved_and_loaded_without_loss(options):
    result = unimodal.shap(toys.layer_norm_text(), toys.sample(), [PredictedLogit()], **options)[0]
    again = results.loads(results.dumps(result))
    assert all(torch.equal(result.values[m], again.values[m]) for m in "ab")
    assert (again.quality, again.config, again.target) == (result.quality, result.config, result.target)


def test_impossible_requests_say_what_to_do():
    model, sample = toys.additive(), toys.sample(n=7, m=7)
    with pytest.raises(BadInput, match="two atoms"):
        unimodal.shap(model, toys.sample(n=1), [Logit(0)], modalities=["a"])
    with pytest.raises(BadInput, match="one target"):
        unimodal.shap(model, sample, [])
    with pytest.raises(BadInput, match="take at least 32"):
        unimodal.shap(model, sample, [Logit(0)], evaluations=31)
    with pytest.raises(BadInput, match="take at most 8192"):
        unimodal.shap(model, sample, [Logit(0)], evaluations=10_000)
    with pytest.raises(BadInput, match="at most 20"):
        unimodal.shap(model, sample, [Logit(0)], exact_up_to=21)
    with pytest.raises(UnknownName, match="modality"):
        unimodal.shap(model, sample, [Logit(0)], modalities=["image"])
