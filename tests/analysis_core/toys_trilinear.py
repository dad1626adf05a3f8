"""Three modalities of scalar atoms whose every mixed derivative is known: oracles for cross-modal methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from analysis_core.types import Encoded, Output
from tests.analysis_core import toys


class Trilinear:
    """logit 0 = sum U_ij a_i b_j + sum T_ijk a_i b_j c_k, logit 1 = additive and curved; inputs [1, n, 1] each.

    features: the two sums of logit 0; layers: {"doubled": twice the features}
    """

    modalities = ("a", "b", "c")

    def __init__(self, U: Tensor, T: Tensor) -> None:
        self.U, self.T = U, T

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        x = {m: sample[m] for m in self.modalities}
        return Encoded(x, {}, {m: toys.named(t.shape[1]) for m, t in x.items()})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        a, b, c = (x[m].squeeze(2) for m in self.modalities)
        two = torch.einsum("ni,nj,ij->n", a, b, self.U.to(a))
        three = torch.einsum("ni,nj,nk,ijk->n", a, b, c, self.T.to(a))
        additive = a.tanh().sum(1) + b.sin().sum(1) + c.exp().sum(1)
        features = torch.stack([two, three], dim=1)
        return Output(torch.stack([two + three, additive], dim=1), features, {"doubled": 2 * features})

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


def trilinear() -> tuple[Trilinear, dict[str, Tensor]]:
    """A model with 3, 4 and 2 atoms, and a sample."""
    sizes = {"a": 3, "b": 4, "c": 2}
    sample = {m: toys.random(1, n, 1, seed=i + 20) for i, (m, n) in enumerate(sizes.items())}
    return Trilinear(toys.random(3, 4, seed=11), toys.random(3, 4, 2, seed=12)), sample


def mixed(model: Trilinear, sample: Mapping[str, Tensor], source: str, to: str) -> Tensor:
    """d2 logit 0 / d source d to, by hand: [n_source, n_to]."""
    a, b, c = (sample[m].flatten() for m in "abc")
    found = {
        "ab": model.U + torch.einsum("ijk,k->ij", model.T, c),
        "ac": torch.einsum("ijk,j->ik", model.T, b),
        "bc": torch.einsum("ijk,i->jk", model.T, a),
    }
    return found[source + to] if source + to in found else found[to + source].T
