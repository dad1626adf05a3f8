"""DIME against the definition by brute force, closed forms of additive and bilinear models, and LIME."""

import itertools

import pytest
import torch

from analysis_core import AllLogits, Feature, Logit, Margin, PredictedLogit, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import unimodal
from analysis_core.stages.dime import Dime, dime
from analysis_core.stages.dime_background import Background
from analysis_core.stages.dime_contributions import contributions
from analysis_core.stages.masking import Masking
from tests.analysis_core import toys, toys_towers

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
TWO, THREE = ("a", "b"), ("a", "b", "c")
ROWS = torch.tensor(list(itertools.product([False, True], repeat=6)))


def brute_force(model, sample, background, Z, value):
    """f and its additive part per row of Z: the whole grid of logits is copied, and the row's slices replaced."""
    names, n = model.modalities, len(background)
    encoded = [model.encode(s) for s in background]

    def ask(x, aux):
        return value(model.forward(x, aux))[0]

    grid = torch.zeros(*[n + 1] * len(names), dtype=torch.float64)
    inside = list(itertools.product(range(n), repeat=len(names)))
    for at in inside:
        of = dict(zip(names, at, strict=True))
        grid[at] = ask({m: encoded[i].x[m] for m, i in of.items()}, {m: encoded[i].aux[m] for m, i in of.items()})
    own = model.encode(sample)
    full, additive = [], []
    for z in Z:
        x, start = {}, 0
        for m in names:
            size = len(own.atoms[m])
            x[m] = torch.where(z[start : start + size][None, :, None], own.x[m], 0)
            start += size
        members = [*encoded, type(own)(x, own.aux, own.atoms)]
        copy = grid.clone()
        for at in itertools.product(range(n + 1), repeat=len(names)):
            if n in at:
                of = dict(zip(names, at, strict=True))
                copy[at] = ask(
                    {m: members[i].x[m] for m, i in of.items()}, {m: members[i].aux[m] for m, i in of.items()}
                )
        everything = tuple(range(len(names)))
        means = [copy.mean([d for d in everything if d != k])[n] for k in everything]
        full.append(copy[(n,) * len(names)])
        additive.append(sum(means) - (len(names) - 1) * copy.mean())
    return torch.stack(full), torch.stack(additive)


@pytest.mark.parametrize("kind", [toys_towers.Products, toys_towers.Whole])
def test_contributions_equal_the_definition_with_a_matrix_copied_per_row(kind):
    sample, *background = toys_towers.samples(5)
    model = kind()
    full, additive = contributions(Masking(model, sample), Background(model, background), ROWS, [Logit(0), Feature(4)])
    for k, value in enumerate((lambda o: o.logits[:, 0], lambda o: o.features[:, 4])):
        f, uc = brute_force(model, sample, background, ROWS, value)
        torch.testing.assert_close(full[:, k], f, **CLOSE)
        torch.testing.assert_close(additive[:, k], uc, **CLOSE)


def test_three_modalities_equal_the_definition_as_well():
    sample, *background = toys_towers.samples(4, THREE)
    model = toys_towers.Products(THREE)
    Z = torch.rand(20, 9, generator=torch.Generator().manual_seed(0)) < 0.5
    full, additive = contributions(Masking(model, sample), Background(model, background), Z, [Logit(2)])
    f, uc = brute_force(model, sample, background, Z, lambda o: o.logits[:, 2])
    torch.testing.assert_close(full[:, 0], f, **CLOSE)
    torch.testing.assert_close(additive[:, 0], uc, **CLOSE)


@pytest.mark.parametrize(("names", "partners"), [(TWO, None), (TWO, 3), (THREE, None), (THREE, 4)])
def test_full_is_the_sum_of_both_parts_atom_by_atom(names, partners):
    sample, *background = toys_towers.samples(7, names)
    model = toys_towers.Products(names)
    behind = Background(model, background, partners=partners)
    for found in dime(model, sample, behind, [Logit(0), Logit(2), Feature(1)]):
        for m in names:
            total = found.unimodal.values[m] + found.interaction.values[m]
            torch.testing.assert_close(found.full.values[m], total, rtol=0, atol=1e-9)
            assert found.full.values[m].dtype == torch.float64
        assert found.interaction.values["a"].abs().max() > 1e-3


@pytest.mark.parametrize(("names", "partners"), [(TWO, None), (TWO, 3), (THREE, None), (THREE, 2), (THREE, 4)])
def test_an_additive_model_has_no_interaction(names, partners):
    sample, *background = toys_towers.samples(7, names)
    model = toys_towers.Products(names)
    # Logit 1 is the sum of the encodings.
    (found,) = dime(model, sample, Background(model, background, partners=partners), [Logit(1)])
    assert all(v.abs().max() < 1e-6 for v in found.interaction.values.values())
    assert found.interaction.quality["r2"] is None
    assert found.unimodal.quality["r2"] > 0.5
    for m in names:
        torch.testing.assert_close(found.unimodal.values[m], found.full.values[m], rtol=0, atol=1e-9)


def test_a_model_in_float32_has_no_interaction_to_1e_6_of_its_size():
    sample, *background = ({m: t.float() for m, t in s.items() if m in TWO} for s in toys_towers.samples(7))
    (found,) = dime(toys_towers.Products(), sample, background, [Logit(1)])
    assert all(v.abs().max() < 1e-6 for v in found.interaction.values.values())
    assert found.interaction.quality["r2"] is None


def test_bilinear_interaction_is_the_product_of_deviations_from_the_members_means():
    # f = a'Wb, members: the background and the row itself. UC = a'W mean(b) + mean(a)'W b - mean(a)'W mean(b),
    # so f - UC = (a - mean a)' W (b - mean b).
    W, sample = toys.random(6, 20), toys.sample()
    background = [{"a": toys.random(1, 3, 2, seed=10 + i), "b": toys.random(1, 4, 5, seed=60 + i)} for i in range(4)]
    model = toys.bilinear(W)
    Z = torch.tensor(list(itertools.product([False, True], repeat=7)))
    full, additive = contributions(Masking(model, sample), Background(model, background), Z, [Logit(0)])
    a = (Z[:, :3, None] * sample["a"]).flatten(1)
    b = (Z[:, 3:, None] * sample["b"]).flatten(1)
    away_a, away_b = (
        4 / 5 * (own - torch.cat([s[m].flatten(1) for s in background]).mean(0)) for m, own in (("a", a), ("b", b))
    )
    # The mean of five members is 4/5 of the background's and 1/5 of the row: what is left is 4/5 of the difference.
    torch.testing.assert_close(full - additive, torch.einsum("ni,ij,nj->n", away_a, W, away_b)[:, None], **CLOSE)


def test_the_full_part_is_lime_with_the_same_seed():
    sample, *background = toys_towers.samples(4)
    model = toys_towers.Products()
    (found,) = dime(model, sample, background, [Logit(2)], samples=100, seed=5)
    (plain,) = unimodal.lime(model, sample, [Logit(2)], samples=100, seed=5)
    for m in TWO:
        torch.testing.assert_close(found.full.values[m], plain.values[m], **CLOSE)
    assert found.full.quality["r2"] == pytest.approx(plain.quality["r2"], rel=1e-9)


def test_a_row_costs_two_fusions_per_partner_and_one_and_each_state_one_encoding():
    sample, *background = toys_towers.samples(6)
    model = toys_towers.Products()
    behind = Background(model, background)
    # The five background samples among themselves, and the first one before them, to measure memory.
    assert model.fused == 26
    assert model.towers == {"a": 5, "b": 5}
    (found,) = dime(model, sample, behind, [Logit(0)], samples=2000)
    # 2,000 rows hold all 64; 8 states of each modality meet 5 others; the sample once to begin with.
    assert found.full.quality["forwards"] == model.fused - 26 == 8 * 5 * 2 + 64 + 1
    assert found.full.quality["encodings"] == {"a": 9, "b": 9}
    assert model.towers == {"a": 5 + 9, "b": 5 + 9}
    (again,) = dime(model, sample, behind, [Logit(0)], samples=2000)
    assert results.dumps(again) == results.dumps(found)
    (anew,) = dime(model, sample, background, [Logit(0)], samples=2000)
    assert anew.full.quality["forwards"] == found.full.quality["forwards"] + 26


def test_drawn_partners_of_three_modalities_are_means_over_draws_and_the_row_itself():
    sample, *background = toys_towers.samples(6, THREE)
    model = toys_towers.Products(THREE)
    behind, own = Background(model, background, partners=4, seed=1), model.encode(sample)
    encoded = [model.encode(s) for s in background]
    # Draw s is a tuple of one sample per modality; the explained row is one more tuple.
    draws = [{m: encoded[int(behind.numbers[m][s])] for m in THREE} for s in range(4)] + [dict.fromkeys(THREE, own)]

    def ask(one, member, draw):
        of = {m: member[m] if m == one else draw[m] for m in THREE}
        return model.forward({m: e.x[m] for m, e in of.items()}, {m: e.aux[m] for m, e in of.items()}).logits[0, 0]

    tables = {m: torch.stack([torch.stack([ask(m, i, s) for s in draws]) for i in draws]) for m in THREE}
    expected = sum(t[-1].mean() for t in tables.values()) - 2 * sum(t.mean() for t in tables.values()) / 3
    whole = torch.ones(1, 9, dtype=torch.bool)
    _, additive = contributions(Masking(model, sample), behind, whole, [Logit(0)])
    torch.testing.assert_close(additive[0, 0], expected, **CLOSE)


def test_partners_cost_three_modalities_no_square_of_the_background():
    sample, *background = toys_towers.samples(6, THREE)
    model = toys_towers.Products(THREE)
    behind, before = Background(model, background, partners=5), model.fused
    dime(model, sample, behind, [Logit(0)], samples=8000)
    # 8,000 rows hold all 512. One modality from the row: 8 states, three times; two from it: 64, three times.
    assert model.fused - before == (3 * 8 + 3 * 64) * 5 + 512 + 1


def test_targets_share_rows_and_do_not_disturb_each_other():
    sample, *background = toys_towers.samples(4)
    model = toys_towers.Products()
    targets = [Logit(0), Margin(2, 1), AllLogits(), Feature(0), Feature(2, layer="total"), PredictedLogit()]
    together = dime(model, sample, background, targets)
    for target, found in zip(targets, together, strict=True):
        (alone,) = dime(model, sample, background, [target])
        assert results.dumps(alone) == results.dumps(found)
    # Targets are linear in the outputs, and so are the fits: margin = logit 2 - logit 1.
    one, two = dime(model, sample, background, [Logit(2), Logit(1)])
    for part in ("unimodal", "interaction"):
        difference = getattr(one, part).values["a"] - getattr(two, part).values["a"]
        torch.testing.assert_close(getattr(together[1], part).values["a"], difference, **CLOSE)


def test_a_dime_comes_back_equal_and_says_what_it_is_worth():
    sample, *background = toys_towers.samples(4)
    (found,) = dime(toys_towers.Products(), sample, background, [Logit(2)])
    again = results.loads(results.dumps(found))
    assert isinstance(again, Dime)
    for part in ("full", "unimodal", "interaction"):
        one, two = getattr(found, part), getattr(again, part)
        assert (one.target, one.method, one.config, one.quality) == (two.target, two.method, two.config, two.quality)
        assert one.config["part"] == part
        assert all(torch.equal(one.values[m], two.values[m]) for m in TWO)
        assert 0 < one.quality["r2"] <= 1
    parts = [getattr(found, part).quality["value"] for part in ("full", "unimodal", "interaction")]
    assert parts[0] == pytest.approx(parts[1] + parts[2], abs=1e-12)


def test_progress_counts_up_to_all_combinations():
    told = []
    sample, *background = toys_towers.samples(4)
    dime(toys_towers.Products(), sample, background, [Logit(0)], progress=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_impossible_requests_are_refused():
    sample, *background = toys_towers.samples(4)
    model = toys_towers.Products()
    with pytest.raises(BadInput, match="two background samples"):
        dime(model, sample, background[:1], [Logit(0)])
    with pytest.raises(BadInput, match="at least one target"):
        dime(model, sample, background, [])
    with pytest.raises(BadInput, match="two rows"):
        dime(model, sample, background, [Logit(0)], samples=1)
    with pytest.raises(BadInput, match="class 3"):
        dime(model, sample, background, [Logit(3)])
    with pytest.raises(UnknownName, match="total"):
        dime(model, sample, background, [Feature(0, layer="totl")])
    with pytest.raises(BadInput, match="the explained sample and sample 0 differ in modality 'b'"):
        dime(model, {**sample, "b": toys.random(1, 4, 3)}, background, [Logit(0)])
    with pytest.raises(BadInput, match="another model"):
        dime(toys_towers.Products(), sample, Background(model, background), [Logit(0)])
    with pytest.raises(BadInput, match="from 2 to 3"):
        Background(model, background, partners=4)
    root = toys.Toy(lambda a, b: (a.sum((1, 2)) + b.sum((1, 2)) - 0.5).sqrt()[:, None])
    made = [{"a": torch.ones(1, 2, 1), "b": torch.ones(1, 2, 1)} for _ in range(3)]
    with pytest.raises(BadInput, match="NaN or infinite"):
        dime(root, made[0], made[1:], [Logit(0)])
