"""Small models with known derivatives, in float64 unless told otherwise: oracles for the stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from analysis_core.types import Atoms, Encoded, Output


class Toy:
    """Two row modalities "a" [1, n, p] and "b" [1, m, q]; the sample holds them; `function` gives logits [B, K]."""

    modalities = ("a", "b")

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], **atoms: Atoms) -> None:
        self.function, self.atoms = function, atoms
        self.rows = 0

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        x = {m: sample[m] for m in self.modalities}
        atoms = {m: self.atoms.get(m) or named(x[m].shape[1]) for m in self.modalities}
        return Encoded(x, {m: {} for m in self.modalities}, atoms)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        self.rows += len(x["a"])
        logits = self.function(x["a"], x["b"])
        return Output(logits, torch.cat([x["a"].flatten(1), x["b"].flatten(1)], dim=1), {"doubled": 2 * logits})

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


def named(n: int, kind: str = "word") -> Atoms:
    return Atoms(tuple(f"{kind} {i}" for i in range(n)), kind)


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def sample(n: int = 3, p: int = 2, m: int = 4, q: int = 5, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {"a": random(1, n, p, seed=1, dtype=dtype), "b": random(1, m, q, seed=2, dtype=dtype)}


def additive() -> Toy:
    """tanh features of each modality alone, added: no interaction, though curved."""
    return Toy(lambda a, b: torch.stack([a.tanh().sum((1, 2)) + b.sin().sum((1, 2)), a.sum((1, 2))], dim=1))


def bilinear(W: Tensor) -> Toy:
    """logit 0 = flat(a)' W flat(b), logit 1 = 0."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        f = torch.einsum("bi,ij,bj->b", a.flatten(1), W.to(a), b.flatten(1))
        return torch.stack([f, 0 * f], dim=1)

    return Toy(function)


def relu_late_fusion(activation: Callable[[Tensor], Tensor] = torch.relu) -> Toy:
    """One hidden layer on the concatenation: interacts, but with ReLU has no second derivative almost everywhere."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        x = torch.cat([a.flatten(1), b.flatten(1)], dim=1)
        hidden = activation(x @ random(x.shape[1], 16, seed=3).to(x))
        return hidden @ random(16, 2, seed=4).to(x)

    return Toy(function)


def layer_norm_text() -> Toy:
    """Modality a passes through LayerNorm (as word embeddings do in transformers) before it meets b."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        text = nn.functional.layer_norm(a, a.shape[-1:]) @ random(a.shape[-1], 6, seed=5).to(a)
        scores = torch.tanh(text) @ torch.tanh(b @ random(b.shape[-1], 6, seed=6).to(b)).transpose(1, 2)
        f = torch.logsumexp(scores.flatten(1), dim=1)
        return torch.stack([f, -f], dim=1)

    return Toy(function)


def linear(wa: Tensor, wb: Tensor) -> Toy:
    """logit 0 = <wa, a> + <wb, b>, logit 1 = its double."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        f = (a * wa.to(a)).sum((1, 2)) + (b * wb.to(b)).sum((1, 2))
        return torch.stack([f, 2 * f], dim=1)

    return Toy(function)


class Picture:
    """A picture [1, 3, H, W] in superpixels and words [1, n, 3]: logit 0 = sum of (word . pixel)^2 / 2."""

    modalities = ("image", "text")

    def __init__(self, groups: Tensor) -> None:
        self.groups = groups

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        names = tuple(f"superpixel {i}" for i in range(int(self.groups.max()) + 1))
        atoms = {"image": Atoms(names, "superpixel", groups=self.groups), "text": named(sample["text"].shape[1])}
        return Encoded({m: sample[m] for m in self.modalities}, {}, atoms)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        products = torch.einsum("bnc,bchw->bnhw", x["text"], x["image"])
        f = products.square().sum((1, 2, 3)) / 2
        return Output(torch.stack([f, -f], dim=1), x["text"].flatten(1))

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


class Lstm(nn.Module):
    """Words through nn.LSTM, multiplied with regions: double backward needs mkldnn off."""

    modalities = ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.lstm, self.out = nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 2)
        self.regions = nn.Linear(5, 6)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        return Encoded({m: sample[m] for m in self.modalities}, {}, {m: named(sample[m].shape[1]) for m in "ab"})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        features = self.lstm(x["a"])[0][:, -1] * torch.tanh(self.regions(x["b"])).sum(1)
        return Output(self.out(features), features)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


class Attention(Lstm):
    """Words attend to regions through fused attention (SDPA), which has no second derivative in its fast forms."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Linear(4, 8), nn.Linear(5, 8)

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        q, k = self.q(x["a"]).unsqueeze(1), self.k(x["b"]).unsqueeze(1)
        mixed = nn.functional.scaled_dot_product_attention(q, k, k).squeeze(1)
        features = mixed.sum(1)[:, :6]
        return Output(self.out(features), features)


class _Once(torch.autograd.Function):
    """x^2 / 2 with a first derivative only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square() / 2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g * x


def once_differentiable(W: Tensor) -> Toy:
    """The square of a bilinear form, halved, through an operation without a second derivative."""

    def function(a: Tensor, b: Tensor) -> Tensor:
        f = _Once.apply(torch.einsum("bi,ij,bj->b", a.flatten(1), W.to(a), b.flatten(1)))
        return torch.stack([f, -f], dim=1)

    return Toy(function)
