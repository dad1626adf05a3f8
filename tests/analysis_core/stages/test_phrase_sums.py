"""Phrases as sums of their words' rows."""

import pytest
import torch

from analysis_core import Logit, results
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

W = toys.random(3, 4, seed=9)


def words(**options):
    return crossmodal.second_order(toys.bilinear(W), toys.sample(p=1, q=1), Logit(0), source="a", to="b", **options)


def test_a_phrase_is_the_sum_of_its_words_after_the_norm():
    # Scalar atoms: a word's row is |W_i|, so words 0 and 2 make |W_0| + |W_2|, not |W_0 + W_2|.
    found = crossmodal.phrases(words(), [[0, 2], [1]])
    torch.testing.assert_close(found.pairs, torch.stack([W[0].abs() + W[2].abs(), W[1].abs()]), rtol=1e-12, atol=0)
    torch.testing.assert_close(found.values["b"], W.abs().sum(0))
    assert found.method == "second_order/phrases"
    assert found.config["phrases"] == [[0, 2], [1]]


def test_phrases_are_told_by_the_samples_atoms_not_by_the_results_rows():
    found = crossmodal.phrases(words(atoms=[2, 0]), [[0]])
    torch.testing.assert_close(found.pairs, W[:1].abs(), rtol=1e-12, atol=0)


def test_maps_are_added_up_as_well():
    groups = torch.tensor([0, 0, 1, 1])
    sample = {"image": toys.random(1, 3, 2, 2, seed=1), "text": toys.random(1, 3, 3, seed=2)}
    found = crossmodal.second_order(toys.Picture(groups), sample, Logit(0), source="text", to="image", pixels=True)
    both = crossmodal.phrases(found, [[0, 1]])
    torch.testing.assert_close(both.pixels[0], found.pixels[0] + found.pixels[1])


def test_a_signed_readout_keeps_its_signs_and_adds_sizes_in_its_values():
    found = crossmodal.removal(toys.bilinear(W), toys.sample(p=1, q=1), Logit(0), source="a", to="b")
    summed = crossmodal.phrases(found, [[0, 1], [2]])
    torch.testing.assert_close(summed.pairs[0], found.pairs[0] + found.pairs[1])
    torch.testing.assert_close(summed.values["b"], summed.pairs.abs().sum(0))


def test_phrases_are_saved_and_loaded_without_loss():
    found = crossmodal.phrases(words(), [[0, 2], [1]])
    again = results.loads(results.dumps(found))
    assert torch.equal(again.pairs, found.pairs)
    assert again.config == found.config


def test_phrases_of_words_that_are_not_there_are_refused():
    for groups, sentence in (([], "at least one"), ([[]], "at least one"), ([[0, 0]], "twice"), ([[1, 7]], r"\[7\]")):
        with pytest.raises(BadInput, match=sentence):
            crossmodal.phrases(words(), groups)
    plain = unimodal.gradient(toys.bilinear(W), toys.sample(p=1, q=1), Logit(0))
    with pytest.raises(BadInput, match="pairs"):
        crossmodal.phrases(plain, [[0]])


def test_phrases_of_phrases_and_words_that_are_no_whole_numbers_are_refused():
    found = crossmodal.phrases(words(), [[0, 2], [1]])
    with pytest.raises(BadInput, match="phrases already"):
        crossmodal.phrases(found, [[0]])
    for groups in ([[0.5]], [[0, 1.0]], [["0"]], ["01"], [0, 1], 3, None):
        with pytest.raises(BadInput, match="whole numbers"):
            crossmodal.phrases(words(), groups)
    tensors = crossmodal.phrases(words(), torch.tensor([[0, 2], [1, 2]]))
    assert tensors.config["phrases"] == [[0, 2], [1, 2]]
