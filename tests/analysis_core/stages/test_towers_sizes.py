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


def test_the_length_that_comes_with_a_sample_belongs_to_its_form(measured):
    class Padded(toys.Toy):
        def encode(self, sample):
            encoded = super().encode(sample)
            encoded.aux["a"]["length"] = sample["length"]
            return encoded

    model = Padded(lambda a, b: a.sum((1, 2))[:, None] + b.sum((1, 2))[:, None])
    for length in (2, 3, 2):
        begun(model, {**toys.sample(), "length": torch.tensor([length])})
    assert len(measured) == 4


def test_a_model_that_cannot_be_a_key_is_measured_each_time(measured):
    class Unhashable(toys_towers.Products):
        __hash__ = None

    model, (sample,) = Unhashable(), toys_towers.samples(1)
    begun(model, sample)
    begun(model, sample)
    assert len(measured) == 4
