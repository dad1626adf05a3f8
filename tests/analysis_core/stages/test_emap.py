"""EMAP against its published definition, closed forms, and itself: order, partners, counts."""

import itertools
import math

import pytest
import torch

from analysis_core import results
from analysis_core.errors import BadInput
from analysis_core.stages.emap import Emap, emap
from tests.analysis_core import toys, toys_towers

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
TWO, THREE = ("a", "b"), ("a", "b", "c")


def literal(model, samples):
    """Logits of every combination, one forward pass each: float64 [n, ..., n, K] with one axis per modality."""
    n, encoded = len(samples), [model.encode(s) for s in samples]
    found = []
    for chosen in itertools.product(range(n), repeat=len(model.modalities)):
        of = dict(zip(model.modalities, chosen, strict=True))
        x = {m: encoded[i].x[m] for m, i in of.items()}
        aux = {m: encoded[i].aux[m] for m, i in of.items()}
        found.append(model.forward(x, aux).logits[0])
    return torch.stack(found).reshape(*[n] * len(model.modalities), -1)


def pairs(n):
    return [{"a": toys.random(1, 3, 2, seed=i), "b": toys.random(1, 4, 5, seed=50 + i)} for i in range(n)]


def test_two_modalities_equal_the_published_definition():
    # Hessel & Lee 2020: additive_i = mean_j f(a_i, b_j) + mean_j f(a_j, b_i) - mean_jk f(a_j, b_k).
    model, samples = toys_towers.Products(), toys_towers.samples(7)
    found, f = emap(model, samples), literal(model, samples)
    additive = f.mean(1) + f.mean(0) - f.mean((0, 1))
    torch.testing.assert_close(found.logits, f[range(7), range(7)], **CLOSE)
    torch.testing.assert_close(found.additive, additive, **CLOSE)
    assert torch.equal(found.interaction, found.logits - found.additive)
    everywhere = f - f.mean(1, keepdim=True) - f.mean(0, keepdim=True) + f.mean((0, 1))
    beyond, total = everywhere.square().sum((0, 1)), (f - f.mean((0, 1))).square().sum((0, 1))
    torch.testing.assert_close(found.class_shares, beyond / total, **CLOSE)
    assert found.share == pytest.approx(float(beyond.sum() / total.sum()), rel=1e-12)
    assert not found.standard_error.any()


def test_three_modalities_equal_the_projection_on_sums_of_three():
    model, samples = toys_towers.Products(THREE), toys_towers.samples(5, THREE)
    found, f = emap(model, samples), literal(model, samples)
    of_each = (f.mean((1, 2)), f.mean((0, 2)), f.mean((0, 1)))
    torch.testing.assert_close(found.additive, sum(of_each) - 2 * f.mean((0, 1, 2)), **CLOSE)
    a, b, c = of_each
    predicted = a[:, None, None] + b[None, :, None] + c[None, None, :] - 2 * f.mean((0, 1, 2))
    total = (f - f.mean((0, 1, 2))).square().sum((0, 1, 2))
    torch.testing.assert_close(found.class_shares, (f - predicted).square().sum((0, 1, 2)) / total, **CLOSE)
    assert found.quality["combinations"] == 125


@pytest.mark.parametrize("partners", [None, 2, 5, 6])
@pytest.mark.parametrize("names", [TWO, THREE])
def test_an_additive_model_has_no_interaction(names, partners):
    found = emap(toys_towers.Products(names), toys_towers.samples(6, names), partners=partners)
    # Logit 1 is the sum of the encodings; drawn partners cancel as well.
    assert found.interaction[:, 1].abs().max() < 1e-12
    assert found.class_shares[1] < 1e-12
    assert found.interaction[:, 0].abs().max() > 0.01


def test_a_large_common_offset_is_not_mistaken_for_interaction():
    found = emap(toys.Toy(lambda a, b: (1e6 + a.sum((1, 2)) + b.sum((1, 2)))[:, None]), pairs(6))
    assert found.share < 1e-12


def test_bilinear_interaction_is_the_product_of_deviations_from_the_means():
    # f = a'Wb: f - mean_b f - mean_a f + mean f = (a - mean a)' W (b - mean b).
    W, samples = toys.random(6, 20), pairs(8)
    found = emap(toys.bilinear(W), samples)
    a, b = (torch.cat([s[m].flatten(1) for s in samples]) for m in TWO)
    expected = torch.einsum("ni,ij,nj->n", a - a.mean(0), W, b - b.mean(0))
    torch.testing.assert_close(found.interaction[:, 0], expected, **CLOSE)
    # Logit 1 is constantly 0: nothing varies.
    assert (found.class_shares[1], found.interaction[:, 1].abs().max()) == (0, 0)
    # Only logit 0 counts: share of (a - mean)'W(b - mean) in all that varies over the pairs.
    f = torch.einsum("ni,ij,mj->nm", a, W, b)
    beyond = torch.einsum("ni,ij,mj->nm", a - a.mean(0), W, b - b.mean(0)).square().sum()
    assert found.share == pytest.approx(float(beyond / (f - f.mean()).square().sum()), rel=1e-12)


@pytest.mark.parametrize("names", [TWO, THREE])
def test_permuting_the_samples_permutes_the_rows(names):
    samples, order = toys_towers.samples(5, names), [3, 0, 4, 2, 1]
    one = emap(toys_towers.Products(names), samples)
    two = emap(toys_towers.Products(names), [samples[i] for i in order])
    torch.testing.assert_close(two.interaction, one.interaction[order], **CLOSE)
    torch.testing.assert_close(two.logits, one.logits[order], **CLOSE)
    assert two.share == pytest.approx(one.share, rel=1e-12)


def test_towers_change_no_figure_and_each_sample_is_encoded_once():
    samples, model, whole = toys_towers.samples(6), toys_towers.Products(), toys_towers.Whole()
    one, two = emap(model, samples), emap(whole, samples)
    torch.testing.assert_close(one.additive, two.additive, **CLOSE)
    assert model.towers == one.quality["encodings"] == {"a": 6, "b": 6}
    # All pairs, and the first sample once before them, to measure memory.
    assert model.fused == one.quality["forwards"] == whole.rows == two.quality["forwards"] == 37
    assert two.quality["encodings"] == {}


def test_the_samples_stay_the_callers_and_may_come_from_anywhere():
    samples = toys_towers.samples(4)
    before = list(samples)
    one = emap(toys_towers.Products(), samples)
    assert all(a is b for a, b in zip(samples, before, strict=True))
    two = emap(toys_towers.Products(), iter(samples))
    assert torch.equal(one.interaction, two.interaction)


def test_drawn_partners_are_the_projection_for_the_drawn_samples():
    # Of six samples five are drawn: for these, figures are those of EMAP on the five as the dataset.
    samples = toys_towers.samples(6)
    found = emap(toys_towers.Products(), samples, partners=5)
    matches = []
    for left_out in range(6):
        rest = [i for i in range(6) if i != left_out]
        alone = emap(toys_towers.Products(), [samples[i] for i in rest])
        if torch.allclose(found.additive[rest], alone.additive, **CLOSE):
            matches.append(left_out)
            torch.testing.assert_close(found.class_shares, alone.class_shares, **CLOSE)
    assert len(matches) == 1
    assert found.quality["combinations"] == 5 * 5 + 2 * 5 + 6


@pytest.mark.parametrize(("names", "n", "partners"), [(TWO, 40, 12), (TWO, 12, 11), (THREE, 16, 12)])
def test_the_standard_error_of_drawn_partners_is_how_far_they_are_off(names, n, partners):
    model, samples = toys_towers.Products(names), toys_towers.samples(n, names)
    exact = emap(model, samples).additive
    drawn = [emap(model, samples, partners=partners, seed=seed) for seed in range(30)]
    error = torch.stack([d.additive - exact for d in drawn]).square().mean((0, 1)).sqrt()
    stated = torch.stack([d.standard_error for d in drawn]).square().mean((0, 1)).sqrt()
    # Logit 1 is additive: no error. Of 30 draws a root mean square is known to about 10-20 %.
    assert error[1] < 1e-12
    assert stated[1] < 1e-12
    assert 0.65 < float(error[0] / stated[0]) < 1.5


def test_all_partners_drawn_are_all_pairs():
    samples = toys_towers.samples(5)
    one, two = (emap(toys_towers.Products(), samples, partners=p) for p in (None, 5))
    assert torch.equal(one.additive, two.additive)


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_partners():
    samples = toys_towers.samples(12)
    one, two, three = (emap(toys_towers.Products(), samples, partners=4, seed=seed) for seed in (3, 3, 4))
    assert results.dumps(one) == results.dumps(two) != results.dumps(three)
    again = results.loads(results.dumps(one))
    assert isinstance(again, Emap)
    for name in ("logits", "additive", "interaction", "class_shares", "standard_error"):
        assert torch.equal(getattr(again, name), getattr(one, name))
        assert getattr(again, name).dtype == torch.float64
    assert (again.share, again.config, again.quality) == (one.share, one.config, one.quality)


def test_the_score_is_what_interactions_add_to_a_metric():
    # Rows right in full: 0, 1, 2; in the additive part: 1 only. Accuracy 3/4 and 1/4.
    logits = torch.tensor([[2.0, 1], [0, 1], [1, 0], [0, 1]], dtype=torch.float64)
    additive = torch.tensor([[0.0, 1], [0, 2], [0, 1], [0, 1]], dtype=torch.float64)
    found = Emap(logits, additive, logits - additive, 0.5, torch.zeros(2), 0 * logits, {}, {})
    assert vars(found.score([0, 1, 0, 0])) == {"full": 0.75, "additive": 0.25, "difference": 0.5}
    mean = found.score(torch.tensor([0, 1, 0, 0]), metric=lambda y, k: y[range(4), k].mean())
    assert (mean.full, mean.additive) == ((2 + 1 + 1 + 0) / 4, (0 + 2 + 0 + 0) / 4)
    with pytest.raises(BadInput, match=r"\[4\], not \[3\]"):
        found.score([0, 1, 0])


@pytest.mark.parametrize(("names", "partners"), [(TWO, None), (TWO, 3), (THREE, None), (THREE, 3)])
def test_progress_counts_up_to_all_combinations(names, partners):
    told = []
    found = emap(
        toys_towers.Products(names),
        toys_towers.samples(5, names),
        partners=partners,
        progress=lambda done, of: told.append((done, of)),
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (found.quality["combinations"], found.quality["combinations"])
    assert len({of for _, of in told}) == 1


def test_impossible_datasets_are_refused():
    samples = toys_towers.samples(4)
    with pytest.raises(BadInput, match="two samples"):
        emap(toys_towers.Products(), samples[:1])
    with pytest.raises(BadInput, match="from 2 to 4"):
        emap(toys_towers.Products(), samples, partners=5)
    with pytest.raises(BadInput, match="from 2 to 4"):
        emap(toys_towers.Products(), samples, partners=1)
    with pytest.raises(BadInput, match="sample 3 and sample 0 differ in modality 'a'"):
        emap(toys_towers.Products(), [*samples[:3], {**samples[3], "a": toys.random(1, 4, 3)}])
    root = toys.Toy(lambda a, b: (a.sum((1, 2)) + b.sum((1, 2)) - 100 * (b[:, 0, 0] > 2)).sqrt()[:, None])
    made = [{"a": torch.ones(1, 1, 1) * i, "b": torch.ones(1, 1, 1) * i} for i in range(4)]
    with pytest.raises(BadInput, match="NaN or infinite logits for 'a' of sample 0, 'b' of sample 3"):
        emap(root, made)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (None, "labels must be numbers"),
        (["cat", "dog"], "labels must be numbers"),
        ([0, 2], "label 1 is 2; the model has classes 0 to 1"),
        ([math.nan, 0.0], "label 0 is nan"),
        ([0.0, 0.5], "label 1 is 0.5"),
    ],
)
def test_labels_that_are_no_classes_are_named(labels, sentence):
    found = emap(toys.bilinear(toys.random(6, 20)), [toys.sample(), toys.sample()])
    with pytest.raises(BadInput, match=sentence):
        found.score(labels)


def test_a_metric_of_its_own_takes_labels_of_any_kind():
    found = emap(toys.bilinear(toys.random(6, 20)), [toys.sample(), toys.sample()])
    score = found.score([0.5, -3.0], lambda logits, labels: -float((logits[:, 0] - labels).abs().mean()))
    assert score.full == pytest.approx(-float((found.logits[:, 0] - torch.tensor([0.5, -3.0])).abs().mean()))
