"""Cross-modal LIME: known models, scikit-learn on the same rows, what sampling changes, what is refused."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from analysis_core import Logit, results
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal
from analysis_core.stages.coalitions import every
from analysis_core.stages.surrogate import cosine_kernel
from tests.analysis_core import toys, toys_games, toys_kinds, toys_trilinear

BOTH = pytest.mark.parametrize("options", [{}, {"samples": 90}], ids=["enumerated", "sampled"])


@BOTH
def test_a_bilinear_model_gives_the_products(options):
    W, sample = toys.random(6, 20), toys.sample()
    expected = torch.einsum("ip,ipjq,jq->ij", sample["a"][0], W.reshape(3, 2, 4, 5), sample["b"][0])
    result = crossmodal.lime(toys.bilinear(W), sample, Logit(0), source="a", to="b", **options)
    torch.testing.assert_close(result.pairs, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(result.values["b"], result.pairs.abs().sum(0))
    assert result.quality["r2"] > 0.999999
    assert result.quality["pairs_sum"] == pytest.approx(result.quality["between"], abs=1e-5)
    swapped = crossmodal.lime(toys.bilinear(W), sample, Logit(0), source="b", to="a", **options)
    torch.testing.assert_close(swapped.pairs, expected.T, rtol=1e-6, atol=1e-6)


@BOTH
def test_an_additive_model_has_no_interaction(options):
    result = crossmodal.lime(toys.additive(), toys.sample(), Logit(0), source="a", to="b", **options)
    assert result.pairs.abs().max() < 1e-6


def test_few_atoms_equal_scikit_learns_regression_on_all_rows():
    f, Z = toys_games.table(6, seed=3), every(6).double()
    result = crossmodal.lime(toys_games.Game(f, 2, 4), {}, Logit(0), source="a", to="b")
    products = (Z[:, :2, None] * Z[:, None, 2:]).flatten(1)
    theirs = LinearRegression().fit(
        torch.cat([Z, products], 1).numpy(), f(Z).numpy(), sample_weight=cosine_kernel(Z).numpy()
    )
    # Ours shrinks by a ridge of 1e-11.
    np.testing.assert_allclose(result.pairs.flatten(), theirs.coef_[6:], rtol=1e-6, atol=1e-8)
    assert result.config["enumerated"] is True
    assert result.quality["evaluations"] == result.quality["forwards"] == 64
    assert not np.any(result.quality["standard_error"])


def test_sampled_coefficients_are_as_far_from_each_other_as_they_say():
    # Two seeds differ by sqrt(2) standard errors; 15 pairs, 12 seeds.
    model = toys_games.Game(toys_games.network(9), 3, 6)
    found = [crossmodal.lime(model, {}, Logit(0), source="a", to="b", samples=250, seed=s) for s in range(12)]
    spread = torch.stack([r.pairs for r in found]).var(0).mean().sqrt()
    stated = torch.tensor([r.quality["standard_error"] for r in found]).square().mean().sqrt()
    assert 0.7 < float(spread / stated) < 1.3
    between = np.corrcoef([r.pairs.flatten().numpy() for r in found])
    assert np.mean([r.quality["stability"] for r in found]) == pytest.approx(
        between[np.triu_indices(12, 1)].mean(), abs=0.1
    )


def test_the_third_modality_stays_present():
    model, sample = toys_trilinear.trilinear()
    for source, to in ("ab", "ac", "cb"):
        mixed = toys_trilinear.mixed(model, sample, source, to)
        expected = mixed * sample[source].reshape(-1, 1) * sample[to].reshape(1, -1)
        result = crossmodal.lime(model, sample, Logit(0), source=source, to=to)
        torch.testing.assert_close(result.pairs, expected, rtol=1e-5, atol=1e-6)


def test_every_kind_of_atom_interacts():
    model, sample = toys_kinds.Kinds(), toys_kinds.sample()
    t, s = (model.per_atom(m, sample[m][0] - 0.5) for m in ("text", "series"))
    result = crossmodal.lime(model, sample, Logit(1), source="text", to="series")
    torch.testing.assert_close(result.pairs, t[:, None] * s, rtol=1e-5, atol=1e-6)
    for source, to in (("image", "static"), ("static", "text"), ("series", "image")):
        result = crossmodal.lime(model, sample, Logit(0), source=source, to=to)
        assert result.pairs.shape == (len(model.atoms[source]), len(model.atoms[to]))
        assert result.pairs.abs().max() < 1e-6


def test_the_number_of_rows_grows_with_the_unknowns():
    # 1 + 6 + 7 + 42 = 56 unknowns.
    result = crossmodal.lime(toys_games.Game(toys_games.network(13), 6, 7), {}, Logit(0), source="a", to="b")
    assert result.config["samples"] == 560


def test_the_same_seed_gives_the_same_bytes():
    model = toys_games.Game(toys_games.network(13), 6, 7)
    one, again, other = (crossmodal.lime(model, {}, Logit(0), source="a", to="b", seed=s) for s in (5, 5, 6))
    assert one.pairs.numpy().tobytes() == again.pairs.numpy().tobytes()
    assert one.quality == again.quality
    assert not torch.equal(one.pairs, other.pairs)


def test_impossible_requests_say_what_to_do():
    model, sample = toys.additive(), toys.sample(n=6, m=6)
    # 1 + 6 + 6 + 36 = 49 unknowns.
    with pytest.raises(BadInput, match="48 samples do not determine 49 unknowns"):
        crossmodal.lime(model, sample, Logit(0), source="a", to="b", samples=48)
    # 1 + 500 + 50 + 25,000 unknowns and ten times as many rows.
    with pytest.raises(BadInput, match=r"would take \d+ GiB.*preselect fewer"):
        crossmodal.lime(model, toys.sample(n=500, m=50), Logit(0), source="a", to="b", preselect=None)
    with pytest.raises(BadInput, match="two modalities"):
        crossmodal.lime(model, sample, Logit(0), source="a", to="a")
    with pytest.raises(BadInput, match="empty"):
        crossmodal.lime(model, toys.sample(m=0), Logit(0), source="a", to="b")


@BOTH
def test_results_are_saved_and_loaded_without_loss(options):
    result = crossmodal.lime(toys.layer_norm_text(), toys.sample(), Logit(0), source="a", to="b", **options)
    again = results.loads(results.dumps(result))
    assert torch.equal(result.pairs, again.pairs)
    assert (again.quality, again.config, again.target) == (result.quality, result.config, result.target)
