"""Two transformers side by side and CLIP's fusion, with random weights: the model that towers serve best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from analysis_core.types import Atoms, Encoded, Output

PATCHES, WORDS = 50, 16


class DualEncoder(nn.Module):
    """Patches and words through 4 layers of 4 heads each; features are the product of the normalised embeddings [B, d].

    The logit is their sum, scaled (CLIP, Radford et al. 2021), beside its negative.
    """

    modalities: tuple[str, ...] = ("image", "text")

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
            self.readers = nn.ModuleDict(
                {m: nn.TransformerEncoder(layer, 4, enable_nested_tensor=False) for m in self.modalities}
            )
        self.eval().requires_grad_(False)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """sample: "image" [1, PATCHES, width] and "text" [1, WORDS, width]"""
        x = {m: sample[m] for m in self.modalities}
        kinds = {"image": "region", "text": "word"}
        atoms = {m: Atoms(tuple(f"{kinds[m]} {i}" for i in range(t.shape[1])), kinds[m]) for m, t in x.items()}
        return Encoded(x, {}, atoms)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        return self.fuse({m: self.tower(m, t, {}) for m, t in x.items()}, aux)

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> Tensor:
        return normalize(self.readers[modality](x).mean(1), dim=1)

    def fuse(self, encodings: dict[str, Any], aux: dict[str, dict[str, Tensor]]) -> Output:
        features = encodings["image"] * encodings["text"]
        logit = 100 * features.sum(1, keepdim=True)
        return Output(torch.cat([logit, -logit], dim=1), features)


def inputs(n: int, width: int = 128) -> list[dict[str, Tensor]]:
    """n samples of noise."""
    random = torch.Generator().manual_seed(0)
    sizes = {"image": PATCHES, "text": WORDS}
    return [{m: torch.randn(1, k, width, generator=random) for m, k in sizes.items()} for _ in range(n)]
