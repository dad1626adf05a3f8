"""Every part of lxmert that has weights: transformers' class, the region CNN of the small checkpoint, the mean region.

The model wraps it for the protocol; training works on it directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LxmertConfig, LxmertForQuestionAnswering

from analysis_core.models.lxmert.crops import CropEncoder
from analysis_core.types import Output


@dataclass(frozen=True)
class Crops:
    """Sizes of the crop CNN."""

    side: int
    channels: tuple[int, ...]


@dataclass(frozen=True)
class Architecture:
    """What a checkpoint's config tells about the network.

    tokens:      the vocabulary by id
    max_tokens:  length to which questions are padded, [CLS] and [SEP] included
    max_regions: rows to which regions are padded
    lxmert:      what transformers' LxmertConfig is built from
    crops:       the crop CNN, or None where samples bring region features
    """

    tokens: tuple[str, ...]
    max_tokens: int
    max_regions: int
    lxmert: Mapping[str, Any]
    crops: Crops | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Architecture:
        """raises: TypeError (unknown or missing sizes)"""
        crops = values.get("crops")
        made = {**values, "tokens": tuple(values.get("tokens", ()))}
        if crops is not None:
            made["crops"] = Crops(**{**crops, "channels": tuple(crops["channels"])})
        return cls(**made)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        crops = None if self.crops is None else {"side": self.crops.side, "channels": list(self.crops.channels)}
        return {**asdict(self), "tokens": list(self.tokens), "lxmert": dict(self.lxmert), "crops": crops}


class Network(nn.Module):
    """Word embeddings [B, T, e] and regions [B, R, F] with boxes -> logits, features, layers and attention."""

    mean_region: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        config = LxmertConfig(**architecture.lxmert)
        self.lxmert = LxmertForQuestionAnswering(config)
        crops, width = architecture.crops, config.visual_feat_dim
        self.crops = None if crops is None else CropEncoder(crops.side, crops.channels, width)
        self.register_buffer("mean_region", torch.zeros(width))

    @property
    def embedding(self) -> nn.Embedding:
        """The word embeddings, without positions."""
        return self.lxmert.lxmert.embeddings.word_embeddings

    def forward(
        self, words: Tensor, regions: Tensor, boxes: Tensor, word_mask: Tensor, region_mask: Tensor
    ) -> tuple[Output, tuple[Tensor, ...]]:
        """boxes: [B, R, 4] as shares of the picture; masks bool [B, T] and [B, R], False = padding.

        returns: Output with features [B, 2 hidden] = input of the last layer; per cross-modal layer the attention from
                 words to regions [B, heads, T, R]
        """
        found = self.lxmert.lxmert(
            inputs_embeds=words,
            visual_feats=regions,
            visual_pos=boxes,
            attention_mask=word_mask.to(words.dtype),
            visual_attention_mask=region_mask.to(words.dtype),
            output_attentions=True,
            return_dict=True,
        )
        head = self.lxmert.answer_head.logit_fc
        features = head[:-1](found.pooled_output)
        shown = region_mask[..., None].to(words.dtype)
        layers = {
            "language": found.language_output[:, 0],
            "vision": (found.vision_output * shown).sum(1) / shown.sum(1).clamp_min(1),
            "pooled": found.pooled_output,
        }
        return Output(head[-1](features), features, layers), found.cross_encoder_attentions
