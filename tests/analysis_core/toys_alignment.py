"""Models with planted word-box pairs: bilinear, so that every readout's score is known from the planting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from analysis_core.types import Atoms, Encoded, Output

TEXT = "What color are the red cube and the ball?"
#: red cube, ball
SPANS = ((19, 27), (36, 40))
BOXES = ((0, 0, 4, 4), (4, 0, 8, 4), (0, 4, 8, 8))
PHRASES = ({"span": SPANS[0], "boxes": (2,)}, {"span": SPANS[1], "boxes": (0,)})


class PlantedRegions:
    """logit 0 = sum_ij strength[i, j] <word_i, region_j>: the mixed derivative of a pair is strength * identity."""

    modalities = ("image", "text")

    def __init__(self, strength: Tensor, attention: Tensor | None = None) -> None:
        """strength: [words, regions] >= 0; attention: what `attention` gives, None = the model has none"""
        self.strength = strength.to(torch.float64)
        if attention is not None:
            self.attention = lambda x, aux, *, source, to: attention[None].to(torch.float64)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        words = tuple(sample["text"].rstrip("?").split())
        x = {
            "image": torch.tensor(sample["regions"], dtype=torch.float64)[None],
            "text": torch.ones(1, len(words), 3, dtype=torch.float64),
        }
        image = Atoms(tuple(f"region {j}" for j in range(x["image"].shape[1])), "region", torch.tensor(sample["boxes"]))
        return Encoded(x, {}, {"image": image, "text": Atoms(words, "word")})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        f = torch.einsum("bic,ij,bjc->b", x["text"], self.strength.to(x["text"]), x["image"])
        return Output(torch.stack([f, -f], dim=1), x["text"].flatten(1))

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


class PlantedPixels(PlantedRegions):
    """The same over a picture of SIDE x SIDE pixels: strength [words, pixels], superpixels of 2 x 2 pixels."""

    SIDE = 4

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        words = tuple(sample["text"].rstrip("?").split())
        rows = torch.arange(self.SIDE) // 2
        groups = (rows[:, None] * 2 + rows[None]).flatten()
        x = {
            "image": torch.ones(1, 1, self.SIDE, self.SIDE, dtype=torch.float64),
            "text": torch.ones(1, len(words), 1, dtype=torch.float64),
        }
        image = Atoms(tuple(f"superpixel {j}" for j in range(4)), "superpixel", groups=groups)
        return Encoded(x, {}, {"image": image, "text": Atoms(words, "word")})

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        pixels = x["image"].flatten(1)
        f = torch.einsum("bic,ij,bj->b", x["text"], self.strength.to(pixels), pixels)
        return Output(torch.stack([f, -f], dim=1), x["text"].flatten(1))


def question(**fields: Any) -> dict[str, Any]:
    """A question about three boxes in a picture of 8 x 8 pixels; "red cube" names box 2, "ball" names box 0."""
    return {
        "id": "q",
        "image": Image.new("RGB", (8, 8)),
        "text": TEXT,
        "boxes": BOXES,
        "regions": [[1.0, 1.0, 1.0]] * 3,
        "phrases": PHRASES,
        **fields,
    }
