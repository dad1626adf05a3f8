"""Removal and finite-step interactions of pairs, against differences worked out by hand."""

import math

import pytest
import torch

from analysis_core import Atoms, Feature, Logit, Margin, PredictedLogit
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import crossmodal, removal
from tests.analysis_core import toys, toys_towers
from tests.analysis_core.toys_trilinear import mixed, trilinear

SAMPLE = {"a": torch.tensor([[[1.0], [2.0]]]).double(), "b": torch.tensor([[[1.0], [3.0], [-2.0]]]).double()}
AB = {"source": "a", "to": "b"}


def planted():
    """f = a0 b1 - 2 a1 b2 + a0 + b0^2, logit 1 = -f; baseline 0."""

    def function(a, b):
        f = a[:, 0, 0] * b[:, 1, 0] - 2 * a[:, 1, 0] * b[:, 2, 0] + a[:, 0, 0] + b[:, 0, 0] ** 2
        return torch.stack([f, -f], dim=1)

    return toys.Toy(function)


def test_removal_is_what_two_atoms_give_together():
    # a = (1, 2), b = (1, 3, -2): a0 b1 = 3 and -2 a1 b2 = 8, signed; everything else adds up.
    found = crossmodal.removal(planted(), SAMPLE, Logit(0), **AB)
    assert found.pairs.tolist() == [[0, 3, 0], [0, 0, 8]]
    assert found.pairs.dtype == torch.float64
    assert found.values["b"].tolist() == [0, 3, 8]
    assert found.quality["value"] == 1 * 3 + 8 + 1 + 1
    assert crossmodal.removal(planted(), SAMPLE, Logit(1), **AB).pairs.tolist() == [[0, -3, 0], [0, 0, -8]]


def test_every_combination_goes_through_the_model_once():
    # (2 + 1)(3 + 1) = 12 rows; the whole sample, computed first, is one of them.
    model = planted()
    found = crossmodal.removal(model, SAMPLE, Logit(0), **AB)
    assert (found.quality["evaluations"], found.quality["forwards"], model.rows) == (12, 12, 12)


def test_chosen_atoms_are_rows_in_their_order_and_either_side_can_be_the_source():
    found = crossmodal.removal(planted(), SAMPLE, Logit(0), **AB, atoms=[1, 0])
    assert found.pairs.tolist() == [[0, 0, 8], [0, 3, 0]]
    assert found.config == {"source": "a", "to": "b", "atoms": [1, 0]}
    back = crossmodal.removal(planted(), SAMPLE, Logit(0), source="b", to="a")
    assert back.pairs.tolist() == [[0, 0], [3, 0], [0, 8]]


def test_rows_are_made_in_parts_that_change_nothing(monkeypatch):
    whole = crossmodal.removal(planted(), SAMPLE, Logit(0), **AB).pairs
    monkeypatch.setattr(removal, "_AT_ONCE", 5)
    assert torch.equal(crossmodal.removal(planted(), SAMPLE, Logit(0), **AB).pairs, whole)


def test_an_additive_model_has_no_interaction_by_removal_or_finite_steps():
    # 2^-50 of values near 10 is what float64 leaves of a difference of four.
    for readout in (crossmodal.removal, crossmodal.finite_step):
        found = readout(toys.additive(), toys.sample(), Logit(0), **AB)
        assert float(found.pairs.abs().max()) < 1e-13
        assert float(found.pairs.abs().max()) <= found.quality["round_off"]


@pytest.mark.parametrize(("source", "to"), [("a", "b"), ("a", "c"), ("c", "b")])
def test_the_third_modality_stays_present(source, to):
    # f is bilinear in any two: removal of (i, j) is x_i y_j d2f / dx_i dy_j with the third as it is.
    model, sample = trilinear()
    known = mixed(model, sample, source, to) * sample[source][0] * sample[to][0].T
    for readout in (crossmodal.removal, crossmodal.finite_step):
        found = readout(model, sample, Logit(0), source=source, to=to)
        torch.testing.assert_close(found.pairs, known, rtol=1e-10, atol=1e-12)


def test_a_bilinear_model_is_the_same_at_every_step_and_a_whole_step_is_removal():
    for step in (0.1, 0.5, 1.0):
        found = crossmodal.finite_step(planted(), SAMPLE, Logit(0), **AB, step=step)
        torch.testing.assert_close(found.pairs, torch.tensor([[0, 3, 0], [0, 0, 8.0]]).double(), rtol=0, atol=1e-12)
        assert found.config["step"] == step
    curved = toys.relu_late_fusion(torch.tanh)
    whole = crossmodal.finite_step(curved, toys.sample(), Logit(0), **AB, step=1)
    assert torch.equal(whole.pairs, crossmodal.removal(curved, toys.sample(), Logit(0), **AB).pairs)


def test_small_steps_approach_the_mixed_derivative_on_the_way_to_the_baseline():
    # f = exp(a b): d2f / da db = (1 + ab) exp(ab), times a and b; the one-sided step errs by O(step).
    model = toys.Toy(lambda a, b: (a * b).sum((1, 2)).exp().unsqueeze(1).repeat(1, 2))
    sample = {"a": torch.full((1, 1, 1), 0.5).double(), "b": torch.full((1, 1, 1), 0.4).double()}
    found = crossmodal.finite_step(model, sample, Logit(0), **AB, step=1e-4)
    assert float(found.pairs) == pytest.approx(0.2 * 1.2 * math.exp(0.2), rel=1e-3)


def test_a_baseline_that_is_not_zero_is_where_atoms_are_removed_to():
    # Baseline 1 for a, 2 for b: f = a b gives (3 - 1)(5 - 2) = 6.
    model = toys.Toy(lambda a, b: (a * b).sum((1, 2)).unsqueeze(1).repeat(1, 2))
    model.baseline = lambda encoded: {"a": torch.ones(1, 1, 1).double(), "b": torch.full((1, 1, 1), 2.0).double()}
    sample = {"a": torch.full((1, 1, 1), 3.0).double(), "b": torch.full((1, 1, 1), 5.0).double()}
    assert crossmodal.removal(model, sample, Logit(0), **AB).pairs.tolist() == [[6]]
    assert crossmodal.finite_step(model, sample, Logit(0), **AB).pairs.tolist() == [[6]]
    model.baseline = lambda encoded: {"a": torch.ones(1, 1), "b": torch.ones(1, 1, 1)}
    with pytest.raises(BadInput, match=r"baseline\(\) must return 'a'"):
        crossmodal.finite_step(model, sample, Logit(0), **AB)


def test_any_target_can_be_read_and_the_predicted_class_is_that_of_the_whole_sample():
    options = {**AB, "atoms": [0]}
    assert crossmodal.removal(planted(), SAMPLE, PredictedLogit(), **options).target == {"kind": "Logit", "k": 0}
    assert crossmodal.removal(planted(), SAMPLE, Margin(0, 1), **options).pairs.tolist() == [[0, 6, 0]]
    assert crossmodal.removal(planted(), SAMPLE, Feature(1, layer="doubled"), **options).pairs.tolist() == [[0, -6, 0]]


def test_leaves_of_an_atom_are_removed_together():
    # a: leaves 0 and 1 are one word; f = a0 b0 + a1 b0 gives (1 + 2) 1.
    model = toys.Toy(
        lambda a, b: (a[:, :, 0].sum(1) * b[:, 0, 0]).unsqueeze(1).repeat(1, 2),
        a=Atoms(("red cube",), "word", groups=torch.tensor([0, 0])),
    )
    assert crossmodal.removal(model, SAMPLE, Logit(0), **AB).pairs.tolist() == [[3, 0, 0]]


def test_running_out_of_memory_halves_the_batch_and_is_told():
    model = planted()
    function = model.function

    def small_batches_only(a, b):
        if len(a) > 4:
            raise MemoryError
        return function(a, b)

    model.function = small_batches_only
    found = crossmodal.removal(model, SAMPLE, Logit(0), **AB)
    assert found.pairs.tolist() == [[0, 3, 0], [0, 0, 8]]
    assert found.quality["halvings"] > 0


def test_impossible_requests_are_refused_with_a_sentence(monkeypatch):
    model = planted()
    with pytest.raises(UnknownName, match="modality"):
        crossmodal.removal(model, SAMPLE, Logit(0), source="a", to="c")
    with pytest.raises(BadInput, match="both 'a'"):
        crossmodal.removal(model, SAMPLE, Logit(0), source="a", to="a")
    with pytest.raises(BadInput, match="0 to 1"):
        crossmodal.removal(model, SAMPLE, Logit(0), **AB, atoms=[2])
    with pytest.raises(BadInput, match="empty"):
        crossmodal.removal(model, {**SAMPLE, "b": torch.zeros(1, 0, 1).double()}, Logit(0), **AB)
    with pytest.raises(BadInput, match="finite"):
        crossmodal.removal(model, {**SAMPLE, "b": SAMPLE["b"] * float("nan")}, Logit(0), **AB)
    with pytest.raises(BadInput, match="NaN"):
        crossmodal.second_order(model, {**SAMPLE, "b": SAMPLE["b"] * float("nan")}, Logit(0), **AB)
    for step in (0, 1.5, float("nan")):
        with pytest.raises(BadInput, match="step"):
            crossmodal.finite_step(model, SAMPLE, Logit(0), **AB, step=step)
    monkeypatch.setattr(removal, "MOST_ROWS", 11)
    with pytest.raises(BadInput, match="12 rows"):
        crossmodal.removal(model, SAMPLE, Logit(0), **AB)


@pytest.mark.parametrize("readout", [crossmodal.removal, crossmodal.finite_step])
def test_towers_encode_each_state_of_a_modality_once(readout):
    # 3 atoms of a and 4 of b: 4 states of a, 5 of b, 20 combinations to fuse, and no forward pass.
    model, plain = toys_towers.Products(), toys_towers.Whole()
    sample = {"a": toys.random(1, 3, 2, seed=1), "b": toys.random(1, 4, 2, seed=2)}
    found = readout(model, sample, Logit(0), **AB)
    assert found.quality["encodings"] == {"a": 4, "b": 5}
    assert (model.rows, model.fused, model.towers) == (0, 20, {"a": 4, "b": 5})
    expected = readout(plain, sample, Logit(0), **AB)
    assert plain.rows == 20
    torch.testing.assert_close(found.pairs, expected.pairs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("method", [crossmodal.removal, crossmodal.finite_step])
def test_an_atom_that_is_named_twice_is_refused(method):
    with pytest.raises(BadInput, match=r"each atom of 'a' once, not \[1, 1\]"):
        method(planted(), SAMPLE, Logit(0), **AB, atoms=[1, 1])
