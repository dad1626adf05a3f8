"""How many rows go at once is measured once per model and form of its samples."""

import pytest
import torch

from analysis_core.stages import towers
from analysis_core.stages.towers import Fusion
from tests.analysis_core import toys, toys_towers


@pytest.fixture
def measured(monkeypatch):
    """The bytes per row that were asked about, one entry per measurement of towers or fusion."""
    asked = []

    def rows_at_once(nbytes, device):
        asked.append(nbytes)
        return 16

    monkeypatch.setattr(towers, "rows_at_once", rows_at_once)
    return asked


def begun(model, sample):
    fusion = Fusion(model)
    parts, output = fusion.begin(model.encode(sample))
    return fusion, parts, output


def test_memory_is_measured_once_for_samples_of_one_form(measured):
    model, (one, two) = toys_towers.Products(), toys_towers.samples(2)
    first, _, _ = begun(model, one)
    second, parts, output = begun(model, two)
    assert len(measured) == 2
    assert (second.encode_batches.size, second.fuse_batches.size, second.forwards) == (16, 16, 1)
    assert first.row_bytes == second.row_bytes == {m: part.nbytes for m, part in parts.items()}
    # What is known of the sizes changes no output.
    torch.testing.assert_close(output.logits, begun(toys_towers.Products(), two)[2].logits, rtol=0, atol=0)


def test_another_form_another_type_and_another_model_are_measured_anew(measured):
    model, sample = toys.linear(toys.random(3, 2), toys.random(4, 5)), toys.sample()
    begun(model, sample)
    begun(model, {m: t.float() for m, t in sample.items()})
    begun(toys.linear(toys.random(3, 2), toys.random(4, 5)), sample)
    assert len(measured) == 6
    begun(model, sample)
    assert len(measured) == 6


class Padded(toys.Toy):
    """Takes a length or a mask along with a."""

    def __init__(self):
        super().__init__(lambda a, b: a.sum((1, 2))[:, None] + b.sum((1, 2))[:, None])

    def encode(self, sample):
        encoded = super().encode(sample)
        encoded.aux["a"]["told"] = sample["told"]
        return encoded


MASKS = [torch.arange(40) < n for n in (2, 3, 2)]


@pytest.mark.parametrize(
    "told",
    [[torch.tensor([n]) for n in (2, 3, 2)], [m[None] for m in MASKS], [m[None].float() for m in MASKS]],
    ids=["length", "mask", "mask of numbers"],
)
def test_lengths_and_masks_that_come_with_a_sample_belong_to_its_form(measured, told):
    model = Padded()
    for each in told:
        begun(model, {**toys.sample(), "told": each})
    assert len(measured) == 4


def test_boxes_that_come_with_a_sample_do_not(measured):
    model = Padded()
    for seed in range(3):
        begun(model, {**toys.sample(), "told": toys.random(1, 4, seed=seed)})
    assert len(measured) == 2


def test_forms_do_not_pile_up(measured, monkeypatch):
    monkeypatch.setattr(towers, "FORMS", 2)
    model = Padded()
    for n in (0, 1, 2, 1, 2, 0):
        begun(model, {**toys.sample(), "told": torch.tensor([n])})
    assert len(measured) == 2 * 4


def test_a_model_that_cannot_be_a_key_is_measured_each_time(measured):
    class Unhashable(toys_towers.Products):
        __hash__ = None

    model, (sample,) = Unhashable(), toys_towers.samples(1)
    begun(model, sample)
    begun(model, sample)
    assert len(measured) == 4
