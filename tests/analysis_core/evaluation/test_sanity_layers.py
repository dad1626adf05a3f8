"""Copies of models: which modules are found, in which order they lie, and how their weights are drawn."""

import torch
from torch import nn

from analysis_core.evaluation.sanity_layers import RandomisedCopy, networks
from analysis_core.types import Encoded, Output
from tests.analysis_core import toys


class Attending:
    """Holds a list and a dict of modules: attention over words, then a norm and a head; batch statistics on the way."""

    modalities = ("a", "b")

    def __init__(self):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.parts = [nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)]
            self.named = {"head": nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 3))}
        self.named["head"].eval()
        self.labels = ("x", "y", "z")
        self.self = self

    def encode(self, sample):
        return Encoded({m: sample[m] for m in "ab"}, {}, {m: toys.named(sample[m].shape[1]) for m in "ab"})

    def forward(self, x, aux):
        mixed, _ = self.parts[0](x["a"], x["b"], x["b"])
        features = self.parts[1](mixed).mean(1)
        return Output(self.named["head"](features), features)

    def baseline(self, encoded):
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


SAMPLE = toys.sample(p=8, q=8, dtype=torch.float32)


def test_modules_in_lists_and_dicts_are_found_once():
    model = Attending()
    assert list(networks(model)) == ["parts.0", "parts.1", "named.head"]
    assert networks(object()) == {}


def test_weights_that_are_read_without_a_call_take_the_place_of_the_module_around_them():
    # The output projection of torch's attention is never called; the order of the rest is that of the forward pass.
    copied = RandomisedCopy(Attending(), SAMPLE)
    assert copied.layers == ("named.head.1", "named.head.0", "parts.1", "parts.0.out_proj", "parts.0")


def test_every_layer_is_drawn_anew_and_restored_to_the_last_bit():
    model = Attending()
    whole = [t for net in networks(model).values() for t in net.state_dict().values()]
    before = [t.clone() for t in whole]
    copied = RandomisedCopy(model, SAMPLE)
    out = copied.model.forward(SAMPLE, {}).logits
    copied.randomise(copied.layers, 0)
    weights = [p for net in networks(copied.model).values() for p in net.parameters() if p.dim() > 1]
    originals = [p for net in networks(model).values() for p in net.parameters() if p.dim() > 1]
    assert len(weights) == 3
    assert not any(torch.equal(p, q) for p, q in zip(weights, originals, strict=True))
    assert not torch.equal(copied.model.forward(SAMPLE, {}).logits, out)
    copied.restore()
    assert torch.equal(copied.model.forward(SAMPLE, {}).logits, out)
    assert all(torch.equal(t, b) for t, b in zip(whole, before, strict=True))


class Bare(nn.Module):
    """A parameter without a way to draw it, and a buffer."""

    modalities = ("a", "b")

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(3 + 0.5 * toys.random(200, 200))
        self.fixed = nn.Parameter(torch.full((7,), 2.0))

    encode, baseline = Attending.encode, Attending.baseline

    def forward(self, x, aux):
        f = self.W.sum() + x["a"].sum((1, 2)) * self.fixed.sum()
        return Output(f[:, None], f[:, None])


def test_where_a_layer_says_nothing_its_mean_and_spread_are_kept():
    # 40,000 numbers: the mean is known to .5 / 200 = .0025, the spread to .0018. Constants have no spread to draw from.
    copied = RandomisedCopy(Bare(), SAMPLE)
    copied.randomise(copied.layers, 1)
    drawn, own = copied.model.W.detach(), Bare().W.detach()
    assert not torch.equal(drawn, own)
    assert abs(float(drawn.mean() - own.mean())) < 0.013
    assert abs(float(drawn.std() - own.std())) < 0.009
    assert torch.equal(copied.model.fixed, Bare().fixed)


def test_the_same_seed_draws_the_same_weights():
    copies = [RandomisedCopy(Bare(), SAMPLE) for _ in range(3)]
    for copied, seed in zip(copies, (1, 1, 2), strict=True):
        copied.randomise(copied.layers, seed)
    assert torch.equal(copies[0].model.W, copies[1].model.W)
    assert not torch.equal(copies[0].model.W, copies[2].model.W)
