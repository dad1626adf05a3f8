"""Second derivatives through layer_norm, fused attention and transformers' own classes, against plain operations."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from analysis_core import Logit, stages
from analysis_core.stages import crossmodal
from analysis_core.types import Encoded, Output
from tests.analysis_core import toys


def fused(x):
    return nn.functional.layer_norm(x, x.shape[-1:])


def plain(x):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt()


def joint(norm):
    """Both modalities pass one LayerNorm together, after a mean that mixes them."""

    def function(a, b):
        rows = torch.cat([a, b @ toys.random(5, 8, seed=3).to(a)], dim=1)
        mixed = norm(rows + rows.mean(1, keepdim=True)).tanh()
        return torch.logsumexp(mixed.flatten(1), dim=1, keepdim=True).repeat(1, 2)

    return toys.Toy(function)


def test_fused_layer_norm_gives_the_second_derivative_of_its_plain_form():
    # The case where reverse over forward is wrong in torch 2.13, by .8 to 1.6 of the norm: both inputs go through it.
    sample = toys.sample(p=8)
    for direction in ("norm", "hutchinson", "l1", "grad_x_input"):
        options = {"source": "a", "to": "b", "direction": direction}
        one = crossmodal.second_order(joint(fused), sample, Logit(0), **options)
        two = crossmodal.second_order(joint(plain), sample, Logit(0), **options)
        torch.testing.assert_close(one.pairs, two.pairs, rtol=1e-9, atol=1e-12)
        assert one.quality["engine"] == "double_backward"


def test_no_stage_differentiates_forward():
    # torch.func.jvp, jacfwd and hessian, and forward_ad's dual tensors, are forward mode.
    forward_mode = re.compile(r"\b(jvp|jacfwd|hessian|forward_ad|make_dual|linearize)\b")
    for folder in stages.__path__:
        for file in Path(folder).glob("*.py"):
            assert not forward_mode.search(file.read_text(encoding="utf-8")), file.name


class Fusion(nn.Module):
    """Words and regions side by side through transformers' BertModel, which shares its attention with many others."""

    modalities = ("text", "image")

    def __init__(self, attention):
        from transformers import BertConfig, BertModel

        super().__init__()
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=10, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.3,
            attn_implementation=attention,
        )  # fmt: skip
        self.bert, self.out = BertModel(config), nn.Linear(16, 3)

    def encode(self, sample):
        return Encoded({m: sample[m] for m in self.modalities}, {}, {m: toys.named(sample[m].shape[1]) for m in sample})

    def forward(self, x, aux):
        rows = torch.cat([x["text"], x["image"]], dim=1)
        features = self.bert(inputs_embeds=rows).pooler_output
        return Output(self.out(features), features)

    def baseline(self, encoded):
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


@pytest.mark.parametrize("direction", ["norm", "hutchinson"])
def test_a_transformers_model_with_fused_attention_works_and_equals_the_eager_one(direction):
    sample = {"text": toys.random(1, 5, 16, seed=1), "image": toys.random(1, 4, 16, seed=2)}
    options = {"source": "text", "to": "image", "direction": direction}
    found = {}
    for attention in ("sdpa", "eager"):
        model = Fusion(attention).double().eval()
        assert model.bert.config._attn_implementation == attention
        found[attention] = crossmodal.second_order(model, sample, Logit(0), **options)
        assert found[attention].quality["engine"] == "double_backward"
    torch.testing.assert_close(found["sdpa"].pairs, found["eager"].pairs, rtol=1e-8, atol=1e-12)
    assert bool((found["sdpa"].pairs > 1e-6).all())
