"""Shapley interactions between two modalities: known games, three modalities, many atoms, what is refused."""

import pytest
import torch

from analysis_core import Feature, Logit, Margin, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import crossmodal
from tests.analysis_core import toys, toys_games, toys_kinds, toys_trilinear

BOTH = pytest.mark.parametrize("options", [{}, {"exact_up_to": 0, "evaluations": 70}], ids=["exact", "sampled"])


def errors_of(result):
    return torch.tensor(result.quality["standard_error"], dtype=torch.float64)


@BOTH
def test_a_bilinear_model_gives_the_products(options):
    # Absent is 0: f(i and j) - f(i) - f(j) + f(neither) = a_i' W_ij b_j whatever else is there.
    W, sample = toys.random(6, 20), toys.sample()
    expected = torch.einsum("ip,ipjq,jq->ij", sample["a"][0], W.reshape(3, 2, 4, 5), sample["b"][0])
    result = crossmodal.shap(toys.bilinear(W), sample, Logit(0), source="a", to="b", **options)
    torch.testing.assert_close(result.pairs, expected, rtol=0, atol=1e-9)
    torch.testing.assert_close(result.values["b"], expected.abs().sum(0), rtol=0, atol=1e-9)
    assert result.quality["pairs_sum"] == pytest.approx(result.quality["between"], abs=1e-9)
    swapped = crossmodal.shap(toys.bilinear(W), sample, Logit(0), source="b", to="a", **options)
    torch.testing.assert_close(swapped.pairs, expected.T, rtol=0, atol=1e-9)


@BOTH
def test_an_additive_model_has_no_interaction(options):
    result = crossmodal.shap(toys.additive(), toys.sample(), Logit(0), source="a", to="b", **options)
    assert result.pairs.abs().max() < 1e-12
    assert result.quality["between"] == pytest.approx(0, abs=1e-12)


def test_twelve_atoms_are_exact():
    f = toys_games.table(9, seed=2)
    result = crossmodal.shap(toys_games.Game(f, 4, 5), {}, Logit(0), source="a", to="b", evaluations=100)
    assert (result.pairs - toys_games.interactions_by_definition(f, 9)[:4, 4:]).abs().max() < 1e-10
    assert result.quality["evaluations"] == result.quality["forwards"] == 2**9
    assert result.config["exact"] is True
    assert not errors_of(result).any()


def test_interactions_within_a_modality_are_told_apart_from_those_between():
    # f = 3 z0 z1 (both of a) + 2 z0 z2 (between) - z2 z3 (both of b).
    def f(Z):
        return 3 * Z[:, 0] * Z[:, 1] + 2 * Z[:, 0] * Z[:, 2] - Z[:, 2] * Z[:, 3]

    for options in ({}, {"exact_up_to": 0, "evaluations": 60}):
        result = crossmodal.shap(toys_games.Game(f, 2, 4), {}, Logit(0), source="a", to="b", **options)
        expected = torch.zeros(2, 4, dtype=torch.float64)
        expected[0, 0] = 2
        torch.testing.assert_close(result.pairs, expected, rtol=0, atol=1e-10)


def test_interactions_of_more_than_two_atoms_are_shared_among_their_pairs():
    # In an "and" of t atoms a pair of them has 1 / (t - 1) (Grabisch & Roubens 1999). Two atoms of a and one of b: two
    # cross pairs of 1/2. Two on each side: four pairs of 1/3, while both modalities together give 1 beyond each alone.
    def and_of(*members):
        return lambda Z: Z[:, list(members)].prod(1)

    three = crossmodal.shap(toys_games.Game(and_of(0, 1, 2), 2, 3), {}, Logit(0), source="a", to="b")
    torch.testing.assert_close(three.pairs[:, 0], torch.full((2,), 0.5, dtype=torch.float64))
    four = crossmodal.shap(toys_games.Game(and_of(0, 1, 2, 3), 2, 3), {}, Logit(0), source="a", to="b")
    assert four.quality["pairs_sum"] == pytest.approx(4 / 3)
    assert four.quality["between"] == pytest.approx(1)


def test_sampled_indices_are_as_close_as_they_say():
    f = toys_games.network(12, seed=6)
    model, inside, errors = toys_games.Game(f, 5, 7), [], []
    exact = crossmodal.shap(model, {}, Logit(0), source="a", to="b").pairs
    for seed in range(10):
        found = crossmodal.shap(
            model, {}, Logit(0), source="a", to="b", exact_up_to=0, evaluations=800, seed=seed, preselect=None
        )
        inside.append(((found.pairs - exact).abs() < 1.96 * errors_of(found)).double().mean())
        errors.append((found.pairs - exact).norm() / exact.norm())
    assert 0.85 < torch.stack(inside).mean() < 1
    assert torch.stack(errors).median() < 0.2


def test_the_third_modality_stays_present():
    model, sample = toys_trilinear.trilinear()
    for source, to in ("ab", "ba", "ac", "bc"):
        # Absent is 0, and f is linear in every atom: the second difference is the mixed derivative times both atoms.
        mixed = toys_trilinear.mixed(model, sample, source, to)
        expected = mixed * sample[source].reshape(-1, 1) * sample[to].reshape(1, -1)
        result = crossmodal.shap(model, sample, Logit(0), source=source, to=to)
        torch.testing.assert_close(result.pairs, expected, rtol=0, atol=1e-12)


def test_every_kind_of_atom_interacts():
    # logit 1 = sum of the text x sum of the series; logit 0 is additive. Absent is 0.5, words are two sub-words.
    model, sample = toys_kinds.Kinds(), toys_kinds.sample()
    t, s = (model.per_atom(m, sample[m][0] - 0.5) for m in ("text", "series"))
    result = crossmodal.shap(model, sample, Logit(1), source="text", to="series")
    torch.testing.assert_close(result.pairs, t[:, None] * s, rtol=0, atol=1e-12)
    for source, to in (("image", "static"), ("static", "text"), ("series", "image")):
        result = crossmodal.shap(model, sample, Logit(0), source=source, to=to)
        assert result.pairs.shape == (len(model.atoms[source]), len(model.atoms[to]))
        assert result.pairs.abs().max() < 1e-12


def test_towards_features_layers_and_margins():
    W, sample = toys.random(6, 20), toys.sample()
    model = toys.bilinear(W)
    logit = crossmodal.shap(model, sample, Logit(0), source="a", to="b").pairs
    doubled = crossmodal.shap(model, sample, Feature(0, layer="doubled"), source="a", to="b").pairs
    torch.testing.assert_close(doubled, 2 * logit, rtol=0, atol=1e-12)
    margin = crossmodal.shap(model, sample, Margin(1, 0), source="a", to="b").pairs
    torch.testing.assert_close(margin, -logit, rtol=0, atol=1e-12)


def test_it_can_be_set_beside_removal():
    # In a bilinear model both readouts are the products, so they agree entirely.
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    found = crossmodal.shap(model, sample, Logit(0), source="a", to="b")
    removed = crossmodal.removal(model, sample, Logit(0), source="a", to="b")
    torch.testing.assert_close(found.pairs, removed.pairs, rtol=0, atol=1e-12)
    crossmodal.agreement(found, removed)


def test_the_same_seed_gives_the_same_bytes():
    model = toys_games.Game(toys_games.network(13), 6, 7)
    one, again, other = (
        crossmodal.shap(model, {}, Logit(0), source="a", to="b", evaluations=400, seed=s) for s in (5, 5, 6)
    )
    assert one.pairs.numpy().tobytes() == again.pairs.numpy().tobytes()
    assert one.quality == again.quality
    assert not torch.equal(one.pairs, other.pairs)


def test_impossible_requests_say_what_to_do():
    model, sample = toys.additive(), toys.sample(n=8, m=8)
    # 1 + 16 * 15 / 2 = 121 unknowns.
    with pytest.raises(BadInput, match="take at least 246"):
        crossmodal.shap(model, sample, Logit(0), source="a", to="b", evaluations=200)
    with pytest.raises(BadInput, match="take at most 8192"):
        crossmodal.shap(model, sample, Logit(0), source="a", to="b", evaluations=20_000)
    with pytest.raises(BadInput, match="group atoms into larger ones, or preselect fewer"):
        crossmodal.shap(model, toys.sample(n=50, m=50), Logit(0), source="a", to="b", preselect=None)
    with pytest.raises(BadInput, match="two modalities"):
        crossmodal.shap(model, sample, Logit(0), source="a", to="a")
    with pytest.raises(UnknownName, match="modality"):
        crossmodal.shap(model, sample, Logit(0), source="a", to="image")
    with pytest.raises(BadInput, match="empty"):
        crossmodal.shap(model, toys.sample(n=0), Logit(0), source="a", to="b")


def test_one_atom_on_each_side_is_a_pair():
    sample = toys.sample(n=1, p=1, m=1, q=1)
    result = crossmodal.shap(toys.bilinear(torch.ones(1, 1)), sample, Logit(0), source="a", to="b")
    assert float(result.pairs) == pytest.approx(float(sample["a"] * sample["b"]))


@BOTH
def test_results_are_saved_and_loaded_without_loss(options):
    result = crossmodal.shap(toys.layer_norm_text(), toys.sample(), Logit(0), source="a", to="b", **options)
    again = results.loads(results.dumps(result))
    assert torch.equal(result.pairs, again.pairs)
    assert (again.quality, again.config, again.target) == (result.quality, result.config, result.target)
