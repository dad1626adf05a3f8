"""A small photo set in Flickr30k's layout, and a model whose logit ties each colour word to pixels of that colour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from analysis_core.types import Atoms, Encoded, Output
from tests.analysis_core.datasets.flickr30k_files import write_picture, write_split

#: Colour -> RGB, strength of its word in the model, and its boxes: x0 y0 x1 y1, ends exclusive, of a 64 x 48 picture.
COLOURS: dict[str, tuple[tuple[int, int, int], float, tuple[tuple[int, int, int, int], ...]]] = {
    "red": ((250, 20, 20), 3.0, ((0, 0, 16, 16),)),
    "blue": ((20, 20, 250), 2.0, ((24, 0, 40, 16), (48, 24, 64, 40))),
    "yellow": ((250, 250, 20), 4.0, ((0, 32, 8, 48),)),
    "white": ((250, 250, 250), 1.0, ((24, 24, 40, 48),)),
}
SIZE = (64, 48)
#: Two entities per sentence; every entity is named as often as the others.
SENTENCES = (("red", "blue"), ("yellow", "white"), ("blue", "yellow"), ("white", "red"))


def write_photos(root: Path, n: int, *, split: str = "val") -> list[str]:
    """n pictures with four sentences of two phrases each, mirrored at random so that places differ; returns ids."""
    rng = np.random.default_rng(0)
    names = [str(1000 + i) for i in range(n)]
    for i, name in enumerate(names):
        flip = bool(rng.integers(2))
        image = Image.new("RGB", SIZE, (60, 60, 60))
        objects: list[Any] = []
        for k, (rgb, _, boxes) in enumerate(COLOURS.values()):
            for x0, y0, x1, y1 in boxes:
                left, right = (SIZE[0] - x1, SIZE[0] - x0) if flip else (x0, x1)
                ImageDraw.Draw(image).rectangle((left, y0, right - 1, y1 - 1), fill=rgb)
                objects.append(([str(10 * i + k + 1)], (left + 1, y0 + 1, right, y1)))
        objects.append(([str(10 * i + 9)], "scene"))
        ids = {colour: 10 * i + k + 1 for k, colour in enumerate(COLOURS)}
        phrases = [tuple(f"[/EN#{ids[c]}/other the {c} sign]" for c in pair) for pair in SENTENCES]
        texts = [f"{a} is near {b} in [/EN#{10 * i + 9}/scene the street] ." for a, b in phrases]
        write_picture(root, name, texts, objects, size=SIZE, image=image)
    write_split(root, split, names)
    return names


class PlantedPhotos:
    """logit = sum over colours of strength * (its words' leaves) * (its pixels' leaves), on a map of 16 x 12 pixels."""

    modalities = ("image", "text")
    MAP = (16, 12)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        words = tuple(word for word in sample["text"].split() if word.isalpha())
        small = np.asarray(sample["image"].resize(self.MAP, Image.Resampling.BOX), np.float64)
        near = [np.abs(small - rgb).max(2) < 60 for rgb, _, _ in COLOURS.values()]
        said = [[word == colour for colour in COLOURS] for word in words]
        width, height = self.MAP
        return Encoded(
            x={
                "image": torch.ones(1, 1, height, width, dtype=torch.float64),
                "text": torch.ones(1, len(words), 1, dtype=torch.float64),
            },
            aux={
                "image": {"masks": torch.from_numpy(np.stack(near)).to(torch.float64)[None]},
                "text": {"said": torch.tensor(said, dtype=torch.float64)[None]},
            },
            atoms={
                "image": Atoms(tuple(f"pixel {i}" for i in range(width * height)), "pixel"),
                "text": Atoms(words, "word"),
            },
        )

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        strength = torch.tensor([s for _, s, _ in COLOURS.values()], dtype=torch.float64)
        seen = torch.einsum("bkhw,bchw->bk", aux["image"]["masks"].expand(len(x["image"]), -1, -1, -1), x["image"])
        said = torch.einsum("blk,blc->bk", aux["text"]["said"].expand(len(x["text"]), -1, -1), x["text"])
        f = (strength * seen * said).sum(1, keepdim=True)
        return Output(f, f)

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}
