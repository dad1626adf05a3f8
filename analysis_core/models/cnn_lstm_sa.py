"""CNN-LSTM with stacked attention (Yang et al. 2016) behind the model protocol: superpixels and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.base import Checkpoint
from analysis_core.models.stacked_attention import Architecture, Network
from analysis_core.models.superpixels import superpixels
from analysis_core.types import Atoms, Encoded, Output

PAD, UNKNOWN, MASK = "<pad>", "<unknown>", "[MASK]"
_BLUR = 10.0


class CnnLstmSa(nn.Module):
    """A trained network in evaluation mode; `model.double()` gives a float64 copy of it."""

    modalities = ("image", "text")
    layers = ("question", "fused")

    def __init__(self, network: Network, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.network = network
        self.labels = labels
        self._index = {word: i for i, word in enumerate(network.architecture.words)}
        self.eval()

    @classmethod
    def from_checkpoint(cls, described: Checkpoint, device: str = "cpu") -> CnnLstmSa:
        """raises: BadCheckpoint (weights that do not fit the described architecture)"""
        try:
            architecture = Architecture(**{k: _tuple(v) for k, v in described.architecture.items()})
            network = Network(architecture)
            network.load_state_dict(described.tensors("cpu"))
        except (TypeError, RuntimeError) as error:
            raise BadCheckpoint(f"{described.folder} does not fit cnn_lstm_sa: {error}") from error
        return cls(network.to(device).requires_grad_(False), described.labels)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """image: Pillow picture, resized to the network's square (atoms' boxes are in its pixels); text: question.

        returns: x image [1, 3, S, S] in 0..1 and text [1, L, e], L fixed; aux["text"]["length"] int64 [1]
        raises:  BadInput (no words, or more than the network reads)
        """
        size = self.network.architecture.size
        picture = sample["image"].convert("RGB")
        pixels = np.array(picture if picture.size == (size, size) else picture.resize((size, size)), np.uint8)
        words = words_of(sample["text"])
        weight = self.network.embedding.weight
        text = torch.zeros(1, self._most_words(words), weight.shape[1], dtype=weight.dtype, device=weight.device)
        ids = torch.tensor([self._index.get(word.lower(), self._index[UNKNOWN]) for word in words])
        text[0, : len(words)] = self.network.embedding(ids.to(weight.device)).detach()
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(weight) / 255
        groups = torch.arange(text.shape[1])
        return Encoded(
            x={"image": image, "text": text},
            aux={"image": {}, "text": {"length": torch.tensor([len(words)], device=weight.device)}},
            atoms={
                "image": superpixels(pixels),
                "text": Atoms(tuple(words), "word", groups=torch.where(groups < len(words), groups, -1)),
            },
        )

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """Logits [B, K], features [B, d] = input of the last layer, layers question and fused."""
        return self.network(x["image"], x["text"], aux["text"]["length"])

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """image: "cells" [B, cells, c] and their "keys" [B, cells, 4 key]; text: the LSTM's last state [B, d]."""
        return self.network.see(x) if modality == "image" else self.network.reader(x, aux["length"])

    def fuse(self, encodings: dict[str, Any], aux: dict[str, dict[str, Tensor]]) -> Output:
        """forward, from the encodings of both modalities."""
        return self.network.fuse(encodings["image"], encodings["text"])

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """Absent: the picture blurred until no object is left, and the embedding of [MASK] for every word."""
        mask = self.network.embedding.weight[self._index[MASK]].detach()
        text = encoded.x["text"]
        said = torch.arange(text.shape[1], device=text.device) < encoded.aux["text"]["length"][:, None]
        return {
            "image": blurred(encoded.x["image"]),
            "text": torch.where(said[..., None], mask.to(text), torch.zeros_like(text)),
        }

    def _most_words(self, words: list[str]) -> int:
        most = self.network.architecture.max_words
        if not 1 <= len(words) <= most:
            raise BadInput(f"the question has {len(words)} words; this model reads 1 to {most}")
        return most


def words_of(text: str) -> list[str]:
    """The words of a question as a reader sees them, without punctuation."""
    return re.findall(r"[A-Za-z0-9']+", text)


def blurred(image: Tensor) -> Tensor:
    """Gaussian blur of pictures [B, C, H, W] with a standard deviation of _BLUR pixels, borders mirrored."""
    reach = int(2.5 * _BLUR)
    steps = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-0.5 * (steps / _BLUR) ** 2)
    kernel = kernel / kernel.sum()
    b, c, h, w = image.shape
    flat = nn.functional.pad(image.reshape(b * c, 1, h, w), (reach,) * 4, mode="reflect")
    flat = nn.functional.conv2d(flat, kernel.view(1, 1, -1, 1))
    return nn.functional.conv2d(flat, kernel.view(1, 1, 1, -1)).reshape(b, c, h, w)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
