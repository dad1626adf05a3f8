"""A small LXMERT with random weights, 20 words x 36 regions: the size that speed goals for stage C are stated at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from analysis_core.types import Atoms, Encoded, Output

WORDS, REGIONS = 20, 36
_VISUAL = 64


class RandomLxmert:
    """transformers' LxmertModel of a given width, 2/1/2 layers, 4 heads, with 30 classes on its pooled output."""

    modalities: tuple[str, ...] = ("text", "image")

    def __init__(self, width: int) -> None:
        from transformers import LxmertConfig, LxmertModel

        config = LxmertConfig(
            vocab_size=WORDS, hidden_size=width, num_attention_heads=4, intermediate_size=4 * width, l_layers=2,
            r_layers=1, x_layers=2, visual_feat_dim=_VISUAL, initializer_range=0.2, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            # Parameters are frozen, as in every shipped model: no graph is kept for them.
            self.net = LxmertModel(config).train(False).requires_grad_(False)
            self.out = nn.Linear(width, 30).requires_grad_(False)
            self.regions, self.boxes = torch.randn(1, REGIONS, _VISUAL), torch.rand(1, REGIONS, 4)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        words = self.net.embeddings.word_embeddings(torch.arange(WORDS)[None]).detach()
        atoms = {
            "text": Atoms(tuple(f"word {i}" for i in range(WORDS)), "word"),
            "image": Atoms(tuple(f"region {i}" for i in range(REGIONS)), "region"),
        }
        return Encoded({"text": words, "image": self.regions}, {"image": {"boxes": self.boxes}}, atoms)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        pooled = self.net(
            inputs_embeds=x["text"], visual_feats=x["image"], visual_pos=aux["image"]["boxes"]
        ).pooled_output
        return Output(self.out(pooled), pooled)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}
