"""Rows that switch all modalities at once and rows that switch one at a time, and answers kept for later targets."""

import math

import pytest
import torch

from analysis_core import Feature, Logit, PredictedLogit, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import crossmodal, unimodal
from analysis_core.stages.designs import Design
from analysis_core.stages.lime import Answers
from analysis_core.stages.masking import Columns
from analysis_core.targets import AllLogits, Margin
from tests.analysis_core import toys, toys_towers

CLOSE = {"rtol": 1e-9, "atol": 1e-9}
COLUMNS = (Columns("a", 0, 3), Columns("b", 3, 8))


def test_each_row_apart_switches_one_modality_and_shares_are_equal():
    design = Design(COLUMNS, samples=200, seed=3, design="apart")
    touched = torch.stack([~design.Z[:, c.start : c.stop].all(1) for c in COLUMNS], dim=1)
    assert design.Z.shape == (200, 8)
    assert bool(design.Z[0].all())
    assert not touched.all(1).any()
    # 199 rows beside the whole sample: 100 for the first modality, 99 for the second; each starts from the whole.
    assert [len(block.rows) for block in design.blocks] == [101, 100]
    assert [block.rows[0].item() for block in design.blocks] == [0, 0]
    assert not set(design.blocks[0].rows[1:].tolist()) & set(design.blocks[1].rows[1:].tolist())


def test_a_surrogate_apart_is_lime_of_its_modality_with_the_others_present():
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    (apart,) = unimodal.lime(model, sample, [Logit(0)], samples=121, seed=4, design="apart")
    for m in "ab":
        (alone,) = unimodal.lime(model, sample, [Logit(0)], samples=61, seed=4, modalities=m)
        torch.testing.assert_close(apart.values[m], alone.values[m], **CLOSE)
        for figure in ("r2", "stability", "intercept"):
            assert apart.quality[figure][m] == pytest.approx(alone.quality[figure], rel=1e-9)
        assert apart.quality["standard_error"][m] == pytest.approx(alone.quality["standard_error"][m], rel=1e-9)


def test_apart_an_atom_is_worth_what_it_gives_beside_the_whole_other_modality():
    # f = sum(a) * sum(b): with b whole, atom i of a adds sum(a_i) * sum(b), and the surrogate is exact.
    sample = toys.sample()
    (found,) = unimodal.lime(toys.bilinear(torch.ones(6, 20)), sample, [Logit(0)], design="apart")
    expected = sample["a"][0].sum(1) * sample["b"].sum()
    torch.testing.assert_close(found.values["a"], expected, rtol=1e-4, atol=1e-4)
    assert min(found.quality["r2"].values()) > 0.999999


def test_apart_each_tower_encodes_its_own_rows_only():
    sample, model = toys_towers.samples(1)[0], toys_towers.Products()
    (found,) = unimodal.lime(model, sample, [Logit(0)], samples=400, design="apart")
    # Of three atoms each 8 states; the whole one is encoded with the sample. 15 different rows, the whole one known.
    assert model.towers == {"a": 8, "b": 8}
    assert found.quality["forwards"] == model.fused == 15
    assert found.quality["evaluations"] == 400


def test_a_modality_of_one_atom_has_a_surrogate_of_its_own_but_no_stability():
    model, sample = toys.linear(toys.random(1, 2), toys.random(4, 5)), toys.sample(n=1)
    (found,) = unimodal.lime(model, sample, [Logit(0)], samples=41, design="apart")
    assert found.values["a"].shape == (1,)
    assert found.quality["stability"]["a"] is None


def test_a_design_of_another_name_or_of_too_few_rows_is_refused():
    with pytest.raises(UnknownName, match="joint"):
        Design(COLUMNS, samples=10, seed=0, design="jont")
    with pytest.raises(BadInput, match="3 rows, not 2"):
        Design(COLUMNS, samples=2, seed=0, design="apart")
    with pytest.raises(BadInput, match="GiB"):
        Design((Columns("a", 0, 20_000), Columns("b", 20_000, 20_003)), samples=None, seed=0, design="apart")


def test_dime_apart_takes_its_parts_from_rows_of_one_modality():
    sample, *background = toys_towers.samples(6)
    model = toys_towers.Products()
    behind = crossmodal.Background(model, background)
    before = model.fused
    (found,) = crossmodal.dime(model, sample, behind, [Logit(0)], samples=2000, design="apart")
    # 8 states of each modality meet 5 others; 15 different rows in place of 64, and the sample once to begin with.
    assert model.fused - before == 8 * 5 * 2 + 15 + 1
    (plain,) = unimodal.lime(model, sample, [Logit(0)], samples=2000, design="apart")
    for m in "ab":
        torch.testing.assert_close(found.full.values[m], plain.values[m], **CLOSE)
        sums = found.unimodal.values[m] + found.interaction.values[m]
        torch.testing.assert_close(sums, found.full.values[m], **CLOSE)
    assert set(found.interaction.quality["r2"]) == {"a", "b"}


@pytest.mark.parametrize("design", ["joint", "apart"])
def test_answers_that_are_kept_explain_any_target_as_lime_does_and_forward_nothing(design):
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    targets = [PredictedLogit(), Feature(3), Feature(0, layer="doubled"), Margin(1, 0), AllLogits()]
    expected = [unimodal.lime(model, sample, [t], samples=80, seed=2, design=design)[0] for t in targets]
    answers = Answers(model, sample, samples=80, seed=2, design=design, layers=("doubled",))
    assert answers.forwards == expected[0].quality["forwards"]
    before = model.rows
    for target, wanted in zip(targets, expected, strict=True):
        (found,) = answers.explain([target])
        assert results.dumps(found) == results.dumps(wanted)
    assert [results.dumps(a) for a in answers.explain(targets)] == [results.dumps(a) for a in expected]
    assert model.rows == before
    assert answers.nbytes >= 80 * 4


def test_answers_that_are_not_finite_are_refused_when_their_target_is_asked_for():
    def broken(a, b):
        # Logit 1 cannot bear an absent atom (the toys' baseline is 0).
        return torch.stack([a.sum((1, 2)), torch.where((a == 0).any(2).any(1), math.nan, 1.0)], dim=1)

    answers = Answers(toys.Toy(broken), toys.sample(), samples=40)
    answers.explain([Logit(0)])
    with pytest.raises(BadInput, match="perturbed inputs"):
        answers.explain([Logit(1)])
    with pytest.raises(BadInput, match="one target"):
        answers.explain([])


def test_answers_to_more_rows_than_are_held_at_once_are_refused():
    with pytest.raises(BadInput, match=r"answers to 8193 rows are too many to keep \(8192\): call lime\(\)"):
        Answers(toys.additive(), toys.sample(), samples=8193)
