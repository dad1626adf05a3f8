"""Models with towers, in float64: encodings are curved and fused by a product or a sum, so that truths are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from analysis_core.types import Encoded, Output
from tests.analysis_core import toys


class Products:
    """Any number of modalities [1, n, p], each encoded as tanh(sum of its atoms) times aux["gain"]; fused by products.

    logit 0 = sum over components of the product of all encodings, logit 1 = their sum (additive), logit 2 = both.
    rows: forward passes; fused: rows of fuse; towers: rows of each tower
    """

    def __init__(self, modalities: tuple[str, ...] = ("a", "b")) -> None:
        self.modalities = modalities
        self.rows = self.fused = 0
        self.towers = dict.fromkeys(modalities, 0)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        x = {m: sample[m] for m in self.modalities}
        gains = sample.get("gains", {})
        aux = {m: {"gain": gains.get(m, torch.ones(1, dtype=x[m].dtype))} for m in self.modalities}
        return Encoded(x, aux, {m: toys.named(x[m].shape[1]) for m in self.modalities})

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        self.rows += len(next(iter(x.values())))
        return combined([read(x[m], aux[m]) for m in self.modalities])

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> dict[str, Any]:
        self.towers[modality] += len(x)
        return {"read": read(x, aux)}

    def fuse(self, encodings: dict[str, Any], aux: dict[str, dict[str, Tensor]]) -> Output:
        self.fused += len(encodings[self.modalities[0]]["read"])
        return combined([encodings[m]["read"] for m in self.modalities])


class Whole(Products):
    """The same without towers: every combination is a forward pass."""

    tower = fuse = None  # type: ignore[assignment]


def read(x: Tensor, aux: dict[str, Tensor]) -> Tensor:
    return x.sum(1).tanh() * aux["gain"].to(x)[:, None]


def combined(encodings: list[Tensor]) -> Output:
    product = torch.stack(encodings).prod(0)
    total = torch.stack(encodings).sum(0)
    logits = torch.stack([product.sum(1), total.sum(1), (product + total).sum(1)], dim=1)
    return Output(logits, torch.cat([product, total], dim=1), {"total": total})


def samples(n: int, modalities: tuple[str, ...] = ("a", "b"), *, width: int = 3) -> list[dict[str, Any]]:
    """n samples of 3 atoms per modality, each with a gain of its own in aux."""
    return [
        {m: toys.random(1, 3, width, seed=100 * i + j) for j, m in enumerate(modalities)}
        | {"gains": {m: toys.random(1, seed=1000 + 100 * i + j).exp() for j, m in enumerate(modalities)}}
        for i in range(n)
    ]
