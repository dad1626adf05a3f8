"""The masking engine: what is replaced, what stays, and how many forwards are really made."""

import itertools

import pytest
import torch

from analysis_core import Atoms
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages.masking import Masking
from tests.analysis_core import toys, toys_towers


def linear():
    """Logit 0 = sum of all entries: 3 atoms of a, 4 of b."""
    return toys.linear(torch.ones(3, 2), torch.ones(4, 5))


def test_rows_of_zeros_put_the_baseline_in_place_of_their_atoms():
    # f = sum of the entries and the baseline is 0, so f(Z) = sum of the kept atoms' entries.
    game, sample = Masking(linear(), toys.sample()), toys.sample()
    per_atom = torch.cat([sample["a"].sum(2), sample["b"].sum(2)], dim=1)[0]
    Z = torch.tensor(list(itertools.product([0, 1], repeat=7)))
    torch.testing.assert_close(game.predict_masks(Z).logits[:, 0], Z.double() @ per_atom)


def test_equal_rows_and_the_whole_sample_are_computed_once():
    model = linear()
    game = Masking(model, toys.sample())
    Z = torch.tensor([[1] * 7, [0] * 7, [1] * 7, [0] * 7, [1, 0, 1, 0, 1, 0, 1]])
    output = game.predict_masks(Z)
    assert game.forwards == model.rows == 1 + 2
    assert torch.equal(output.logits[0], output.logits[2])
    assert torch.equal(output.logits[0], game.unperturbed.logits[0])


def test_unchosen_modalities_stay_present():
    game, sample = Masking(linear(), toys.sample(), modalities=["b"]), toys.sample()
    assert game.n_atoms == 4
    output = game.predict_masks(torch.zeros(1, 4))
    torch.testing.assert_close(output.logits[0, 0], sample["a"].sum())


def test_leaves_of_no_atom_are_never_masked():
    model = linear()
    model.atoms = {"a": Atoms(("word",), "word", groups=torch.tensor([-1, 0, 0]))}
    game, sample = Masking(model, toys.sample(), modalities=["a"]), toys.sample()
    output = game.predict_masks(torch.zeros(1, 1))
    torch.testing.assert_close(output.logits[0, 0], sample["a"][0, 0].sum() + sample["b"].sum())


def test_a_picture_is_masked_by_superpixel_and_a_series_by_entry():
    groups = torch.tensor([0, 0, 1, 2])
    sample = {"image": toys.random(1, 3, 2, 2, seed=1), "text": toys.random(1, 2, 3, seed=2)}
    game = Masking(toys.Picture(groups), sample, modalities=["image"])
    kept = sample["image"].clone()
    kept[0, :, 0, :] = 0
    expected = torch.einsum("bnc,bchw->bnhw", sample["text"], kept).square().sum() / 2
    torch.testing.assert_close(game.predict_masks(torch.tensor([[0, 1, 1]])).logits[0, 0], expected)

    series = linear()
    series.atoms = {"a": toys.named(6, "step_channel")}
    game, x = Masking(series, toys.sample(), modalities=["a"]), toys.sample()
    output = game.predict_masks(torch.tensor([[0, 1, 0, 0, 0, 0]]))
    torch.testing.assert_close(output.logits[0, 0], x["a"][0, 0, 1] + x["b"].sum())


def test_running_out_of_memory_halves_the_batch_and_goes_on():
    model = linear()
    plain = model.function

    def greedy(a, b):
        if len(a) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(a, b)

    game = Masking(model, toys.sample())
    Z = torch.tensor(list(itertools.product([0, 1], repeat=7)))
    expected = game.predict_masks(Z).logits
    model.function = greedy
    assert torch.equal(game.predict_masks(Z).logits, expected)
    assert game.batches.size <= 3
    assert game.batches.halvings > 0


def test_another_error_of_the_model_is_not_swallowed():
    model = linear()
    game = Masking(model, toys.sample())
    model.function = lambda a, b: torch.ones(2) @ torch.ones(3)
    with pytest.raises(RuntimeError, match="size"):
        game.predict_masks(torch.zeros(2, 7))


def test_named_layers_come_back_where_asked_for():
    game = Masking(linear(), toys.sample())
    output = game.predict_masks(torch.zeros(1, 7), layers=["doubled"])
    assert set(output.layers) == {"doubled"}
    with pytest.raises(UnknownName, match="doubled"):
        game.predict_masks(torch.zeros(1, 7), layers=["dubled"])


def test_impossible_games_are_refused():
    with pytest.raises(BadInput, match="7"):
        Masking(linear(), toys.sample()).predict_masks(torch.zeros(2, 6))
    with pytest.raises(UnknownName):
        Masking(linear(), toys.sample(), modalities=["image"])
    with pytest.raises(BadInput, match="no modality"):
        Masking(linear(), toys.sample(), modalities=[])
    with pytest.raises(BadInput, match="empty"):
        Masking(toys.linear(torch.ones(0, 2), torch.ones(4, 5)), toys.sample(n=0))


def test_results_are_float64_on_the_cpu_and_carry_no_gradient():
    game = Masking(linear(), toys.sample(dtype=torch.float32))
    output = game.predict_masks(torch.ones(2, 7))
    assert output.logits.dtype == output.features.dtype == torch.float64
    assert not output.logits.requires_grad


def test_towers_change_no_figure():
    sample = toys_towers.samples(1)[0]
    Z = torch.tensor(list(itertools.product([0, 1], repeat=6)))
    apart = Masking(toys_towers.Products(), sample).predict_masks(Z, layers=["total"])
    whole = Masking(toys_towers.Whole(), sample).predict_masks(Z, layers=["total"])
    close = {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(apart.logits, whole.logits, **close)
    torch.testing.assert_close(apart.features, whole.features, **close)
    torch.testing.assert_close(apart.layers["total"], whole.layers["total"], **close)


def test_each_state_of_a_modality_is_encoded_once_and_each_row_is_fused():
    model = toys_towers.Products()
    game = Masking(model, toys_towers.samples(1)[0])
    game.predict_masks(torch.tensor(list(itertools.product([0, 1], repeat=6))))
    # 2^6 rows, the whole sample among them; 2^3 states of each modality, the untouched one among them.
    assert game.forwards == model.fused == 64
    assert game.encodings == model.towers == {"a": 8, "b": 8}
    assert model.rows == 0


def test_a_modality_that_no_row_touches_is_encoded_once():
    model = toys_towers.Products()
    game = Masking(model, toys_towers.samples(1)[0], modalities=["b"])
    game.predict_masks(torch.tensor(list(itertools.product([0, 1], repeat=3))))
    assert game.encodings == model.towers == {"a": 1, "b": 8}
    joint = Masking(model, toys_towers.samples(1)[0])
    joint.predict_masks(torch.tensor([[1, 1, 1, 0, 0, 1], [1, 1, 1, 0, 1, 0], [1, 1, 1, 1, 0, 0]]))
    assert joint.encodings == {"a": 1, "b": 4}


def test_a_model_without_towers_has_no_encodings_to_count():
    model = toys_towers.Whole()
    game = Masking(model, toys_towers.samples(1)[0])
    game.predict_masks(torch.zeros(1, 6))
    assert (game.encodings, game.forwards, model.rows) == ({}, 2, 2)


def test_running_out_of_memory_in_a_fusion_halves_the_batch_and_changes_nothing():
    class Greedy(toys_towers.Products):
        limit = 1000

        def fuse(self, encodings, aux):
            if len(encodings["a"]["read"]) > self.limit:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().fuse(encodings, aux)

    model = Greedy()
    game = Masking(model, toys_towers.samples(1)[0])
    Z = torch.tensor(list(itertools.product([0, 1], repeat=6)))
    expected = game.predict_masks(Z).logits
    model.limit = 5
    torch.testing.assert_close(game.predict_masks(Z).logits, expected, rtol=1e-12, atol=1e-12)
    assert game.batches.size == 4
