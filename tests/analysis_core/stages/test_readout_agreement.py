"""Agreement of second order and removal: rank correlation and the strongest atom, row by row."""

import math
from dataclasses import replace

import pytest
import torch
from scipy.stats import spearmanr

from analysis_core import Attribution, Logit, results
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys


def readout(pairs, method="second_order", **quality):
    config = {"source": "a", "to": "b", "atoms": list(range(len(pairs)))}
    return Attribution({}, {"kind": "Logit", "k": 0}, method, config, quality, torch.tensor(pairs, dtype=torch.float64))


def test_rows_are_compared_by_rank_and_by_their_strongest_atom():
    # Row 0: ranks 1 2 3 4 against 1 2 4 3: 1 - 6 (1 + 1) / (4 x 15) = .8, another strongest. Row 1: -4 is the largest
    # in size; the same order. Row 2: removal sees nothing.
    second = readout([[1, 2, 3, 4], [1, 2, 3, 9], [1, 2, 3, 4]])
    removal = readout([[1, 2, 4, 3], [1, -2, 3, -4], [0, 0, 0, 0]], "removal")
    found = crossmodal.agreement(second, removal)
    assert found.correlations[:2].tolist() == pytest.approx([0.8, 1.0])
    assert math.isnan(found.correlations[2])
    assert found.same_top.tolist() == [False, True, False]
    assert (found.compared, found.mean_correlation, found.top1) == (2, pytest.approx(0.9), 0.5)
    assert str(found) == (
        "second_order and removal order b with a rank correlation of 0.90 (mean over 2 of 3 atoms of a); "
        "the strongest atom is the same for 1 of 2"
    )


def test_rank_correlations_are_scipys_also_with_ties():
    x, y = toys.random(6, 9, seed=1).round(), toys.random(6, 9, seed=2).round()
    found = crossmodal.agreement(readout(x.tolist()), readout(y.tolist()))
    known = [spearmanr(a, b).statistic for a, b in zip(x.abs(), y.abs(), strict=True)]
    assert found.correlations.tolist() == pytest.approx(known, abs=1e-12)


def test_what_is_round_off_of_a_difference_is_no_preference():
    found = crossmodal.agreement(readout([[1, 2, 3]]), readout([[1e-9, 3e-9, 2e-9]], "removal", round_off=1e-8))
    assert found.compared == 0
    assert (found.mean_correlation, found.top1) == (None, None)
    assert "cannot be compared" in str(found)


def test_a_bilinear_model_with_unit_inputs_has_one_answer():
    # a, b = +-1: second order gives |W_ij|, removal a_i W_ij b_j: the same sizes.
    W = toys.random(3, 4, seed=9)
    sample = {m: t.sign() for m, t in toys.sample(p=1, q=1).items()}
    options = {"source": "a", "to": "b"}
    one = crossmodal.second_order(toys.bilinear(W), sample, Logit(0), **options)
    two = crossmodal.removal(toys.bilinear(W), sample, Logit(0), **options)
    found = crossmodal.agreement(one, two)
    assert found.correlations.tolist() == pytest.approx([1, 1, 1])
    assert found.top1 == 1
    three = crossmodal.agreement(crossmodal.phrases(one, [[0, 1]]), crossmodal.phrases(two, [[0, 1]]))
    assert len(three.correlations) == 1


def test_an_agreement_is_saved_and_loaded_without_loss():
    found = crossmodal.agreement(readout([[1, 2, 3], [1, 1, 1]]), readout([[3, 2, 1], [1, 2, 3]], "removal"))
    again = results.loads(results.dumps(found))
    torch.testing.assert_close(again.correlations, found.correlations, equal_nan=True, rtol=0, atol=0)
    assert torch.equal(again.same_top, found.same_top)
    assert (again.config, str(again)) == (found.config, str(found))


def test_results_on_different_things_are_not_compared():
    one = readout([[1, 2, 3]])
    with pytest.raises(BadInput, match="'atoms'"):
        crossmodal.agreement(one, readout([[1, 2, 3], [1, 2, 3]]))
    with pytest.raises(BadInput, match="target"):
        crossmodal.agreement(one, replace(one, target={"kind": "Logit", "k": 1}))
    with pytest.raises(BadInput, match="'phrases'"):
        crossmodal.agreement(one, crossmodal.phrases(one, [[0]]))
    plain = unimodal.gradient(toys.additive(), toys.sample(), Logit(0))
    with pytest.raises(BadInput, match="no pairs"):
        crossmodal.agreement(one, plain)


def test_pairs_that_a_pre_selection_never_looked_at_are_left_out():
    # Rows 0 and 2 and columns 0, 1 and 3 were looked at. Row 0 without column 2: 1 2 4 against 1 2 3, the same order;
    # with it, ranks 1 2 3 4 against 2 3 1 4 would make .4. Row 2: 3 2 1 against 1 2 3, the reverse.
    second = readout([[1, 2, 3, 4], [1, 2, 3, 4], [3, 2, 9, 1]])
    lime = readout([[1, 2, 0, 3], [0, 0, 0, 0], [1, 2, 0, 3]], "crossmodal_lime")
    lime = replace(lime, config={**lime.config, "selected": {"a": [0, 2], "b": [0, 1, 3]}})
    for found in (crossmodal.agreement(second, lime), crossmodal.agreement(lime, second)):
        assert found.correlations[[0, 2]].tolist() == pytest.approx([1, -1])
        assert math.isnan(found.correlations[1])
        assert found.same_top.tolist() == [True, False, False]
        assert found.config["selected"] == {"rows": [0, 2], "columns": [0, 1, 3]}


def test_a_phrase_is_compared_where_every_word_of_it_was_looked_at():
    second, lime = readout([[1, 2, 3], [1, 2, 3], [1, 2, 3]]), readout([[1, 2, 3], [0, 0, 0], [1, 2, 3]], "lime")
    lime = replace(lime, config={**lime.config, "selected": {"a": [0, 2], "b": [0, 1, 2]}})
    pair = [crossmodal.phrases(each, [[0, 1], [0, 2]]) for each in (second, lime)]
    found = crossmodal.agreement(*pair)
    assert math.isnan(found.correlations[0])
    assert float(found.correlations[1]) == pytest.approx(1)


def test_two_pre_selections_without_a_common_atom_cannot_be_compared():
    one = readout([[1, 2], [3, 4]])
    first, second = (replace(one, config={**one.config, "selected": {"a": [0, 1], "b": [j]}}) for j in (0, 1))
    found = crossmodal.agreement(first, second)
    assert found.compared == 0
    assert "none was looked at by both" in str(found)


def test_means_in_boxes_are_not_compared_with_pairs_of_atoms_or_other_boxes():
    atoms = readout([[1, 2]])
    one, other = (
        replace(atoms, config={**atoms.config, "boxes": [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, side, 2.0]]})
        for side in (1.0, 2.0)
    )
    for pair in ((one, atoms), (atoms, one), (one, other)):
        with pytest.raises(BadInput, match="'boxes'"):
            crossmodal.agreement(*pair)
    assert crossmodal.agreement(one, one).compared == 1


def test_a_class_asked_for_by_its_label_is_the_class():
    one, two = readout([[1, 2, 3]]), readout([[1, 2, 3]], "removal")
    assert crossmodal.agreement(one, replace(two, target={**two.target, "label": "red"})).top1 == 1
    with pytest.raises(BadInput, match="different targets"):
        crossmodal.agreement(one, replace(two, target={"kind": "Logit", "k": 1, "label": "red"}))
