"""The network behind cnn_lstm_sa: convolutional cells, an LSTM reader, two softmax hops and two sigmoid glimpses.

Stacked attention follows Yang et al. 2016; the glimpses (sums instead of means) make counting possible.
Smooth after the CNN's ReLUs (tanh, SiLU, squares), so that mixed second derivatives of image and text exist.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from analysis_core.models.convolutions import Convolutions
from analysis_core.types import Output

_COUNTS = 7


@dataclass(frozen=True)
class Architecture:
    """Sizes of the network; stored in the checkpoint's config."""

    words: tuple[str, ...]
    classes: int
    size: int = 96
    max_words: int = 24
    embedding: int = 64
    question: int = 128
    channels: tuple[int, ...] = (24, 48, 64, 64, 64)
    key: int = 64
    value: int = 96
    glimpse: int = 32
    fused: int = 256
    features: int = 512

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


class Backbone(nn.Module):
    """Picture [B, 3, S, S] in 0..1 -> cells [B, (S/8)^2, C + 3]: features, 1 / (object's cells), coordinates."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (n_in, n_out) in enumerate(zip((3, *channels[:-1]), channels, strict=True)):
            stride = 2 if i < 3 else 1
            layers += [nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.convolutions = Convolutions(*layers)
        self.inverse_area = nn.Conv2d(channels[-1], 1, 1)
        self.width = channels[-1] + 3

    def forward(self, image: Tensor) -> Tensor:
        maps = self.convolutions(image * 4 - 2)
        return self.cells(maps, self.inverse_area(maps))

    @staticmethod
    def cells(maps: Tensor, inverse_area: Tensor) -> Tensor:
        """[B, C, h, w] and [B, 1, h, w] -> [B, h * w, C + 3]."""
        b, _, h, w = maps.shape
        rows = torch.linspace(-1, 1, h, dtype=maps.dtype, device=maps.device).view(1, 1, h, 1).expand(b, 1, h, w)
        columns = torch.linspace(-1, 1, w, dtype=maps.dtype, device=maps.device).view(1, 1, 1, w).expand(b, 1, h, w)
        return torch.cat([maps, inverse_area, rows, columns], 1).flatten(2).transpose(1, 2)


class Reader(nn.Module):
    """Word embeddings [B, L, e] and lengths [B] -> the LSTM's state after the last word [B, d]; no padding is read."""

    def __init__(self, embedding: int, question: int) -> None:
        super().__init__()
        # A cell, not nn.LSTM: the fused kernels of oneDNN and cuDNN have no second derivative.
        self.cell = nn.LSTMCell(embedding, question)

    def forward(self, words: Tensor, length: Tensor) -> Tensor:
        hidden = cell = words.new_zeros(len(words), self.cell.hidden_size)
        last = torch.zeros_like(hidden)
        for i in range(int(length.max())):
            hidden, cell = self.cell(words[:, i], (hidden, cell))
            last = torch.where((length == i + 1)[:, None], hidden, last)
        return last


@dataclass(frozen=True)
class Attended:
    """What the reasoner looked at: log-weights of two hops [S, Q, cells], logits of two glimpses [S, Q, cells]."""

    hops: tuple[Tensor, Tensor]
    glimpses: tuple[Tensor, Tensor]


class Reasoner(nn.Module):
    """Cells [S, cells, c] of S scenes and questions [S, Q, d] about each -> logits, features."""

    def __init__(self, width: int, a: Architecture) -> None:
        super().__init__()
        self.keys = nn.Linear(width, 4 * a.key)
        self.queries = nn.ModuleList(nn.Linear(a.question, a.key + 1) for _ in range(4))
        self.value = nn.Linear(width, a.value)
        self.refine = nn.Linear(a.value, a.question)
        self.elsewhere = nn.Linear(a.question, 1)
        self.seen = nn.ModuleList(nn.Linear(width, a.glimpse) for _ in range(2))
        fused_in = a.question + 4 * a.value + 2 * a.glimpse + 2 * _COUNTS + 1
        self.gate = nn.Linear(a.question, a.fused)
        self.fuse = nn.Linear(fused_in, a.fused)
        self.expand = nn.Linear(a.fused, a.features)
        self.answer = nn.Linear(a.features, a.classes)
        self.inverse_area_at = width - 3

    def forward(self, cells: Tensor, question: Tensor) -> tuple[Output, Attended]:
        return self.reason(cells, self.keys_of(cells), question)

    def keys_of(self, cells: Tensor) -> Tensor:
        """What both hops and both glimpses compare questions with [S, cells, 4 key]: it needs no question."""
        return torch.tanh(self.keys(cells))

    def reason(self, cells: Tensor, keys_of_all: Tensor, question: Tensor) -> tuple[Output, Attended]:
        """forward, with the keys of the cells known."""
        keys = keys_of_all.chunk(4, dim=-1)
        first = torch.log_softmax(self._score(0, keys, question), -1)
        v1 = self.value(first.exp() @ cells)
        # The second hop may turn away from where the first one looked ("besides the red cube").
        turned = 8 * self.elsewhere(question) * first.exp()
        second = torch.log_softmax(self._score(1, keys, question + self.refine(v1)) + turned, -1)
        v2 = self.value(second.exp() @ cells)
        glimpses = self._score(2, keys, question), self._score(3, keys, question)
        counted = [self._count(torch.sigmoid(score), cells, i) for i, score in enumerate(glimpses)]
        more = torch.tanh(2 * (counted[0][0] - counted[1][0]))
        parts = [question, v1, v2, (v1 - v2) ** 2, v1 * v2, *counted[0][1:], *counted[1][1:], more]
        fused = nn.functional.silu(self.fuse(torch.cat(parts, -1))) * torch.sigmoid(self.gate(question))
        features = nn.functional.silu(self.expand(fused))
        return Output(self.answer(features), features, {"fused": fused}), Attended((first, second), glimpses)

    def _score(self, i: int, keys: tuple[Tensor, ...], question: Tensor) -> Tensor:
        query = self.queries[i](question)
        return query[..., :-1] @ keys[i].transpose(-1, -2) + query[..., -1:]

    def _count(self, weights: Tensor, cells: Tensor, i: int) -> tuple[Tensor, Tensor, Tensor]:
        """How many objects the weights cover [S, Q, 1], the same as soft one-hot numbers, and what they look like."""
        at = self.inverse_area_at
        count = weights @ cells[..., at : at + 1]
        numbers = torch.arange(_COUNTS, dtype=count.dtype, device=count.device)
        return count, torch.exp(-4 * (count - numbers) ** 2), self.seen[i](weights @ cells / 8)


class Network(nn.Module):
    """Everything with weights: embeddings of the words, backbone, reader, reasoner."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.embedding = nn.Embedding(len(architecture.words), architecture.embedding)
        self.backbone = Backbone(architecture.channels)
        self.reader = Reader(architecture.embedding, architecture.question)
        self.reasoner = Reasoner(self.backbone.width, architecture)

    def forward(self, image: Tensor, words: Tensor, length: Tensor) -> Output:
        """image [B, 3, S, S], words [B, L, e], length int64 [B] -> logits [B, K], features [B, d]."""
        return self.fuse(self.see(image), self.reader(words, length))

    def see(self, image: Tensor) -> dict[str, Tensor]:
        """All that is made of pictures [B, 3, S, S] alone: cells [B, cells, c] and their keys [B, cells, 4 key]."""
        cells = self.backbone(image)
        return {"cells": cells, "keys": self.reasoner.keys_of(cells)}

    def fuse(self, seen: dict[str, Tensor], question: Tensor) -> Output:
        """What was seen, and what was read [B, d] -> logits [B, K], features [B, d], layers."""
        output, _ = self.reasoner.reason(seen["cells"], seen["keys"], question[:, None])
        layers = {"question": question, "fused": output.layers["fused"].squeeze(1)}
        return Output(output.logits.squeeze(1), output.features.squeeze(1), layers)
