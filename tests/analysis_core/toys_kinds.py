"""One toy of every kind of atom: a picture, words of sub-words, a series and static fields, each weighted squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from analysis_core.types import Atoms, Encoded, Output
from tests.analysis_core.toys import named, random

#: Two sub-words make word 0; the first and last rows ([CLS], [PAD]) belong to no word.
WORDS = torch.tensor([-1, 0, 0, 1, -1])
SHAPES = {"image": (3, 4, 4), "text": (5, 2), "series": (3, 2), "static": (4, 1)}


class Kinds:
    """logit 0 = sum of w x^2 over all entries of all modalities; logit 1 = sum(text) * sum(series)."""

    modalities = ("image", "text", "series", "static")

    def __init__(self, picture: str = "superpixel") -> None:
        """picture: "superpixel" (halves), "patch" (2 x 2 each) or "pixel"."""
        square = torch.arange(16).reshape(4, 4)
        self.cut = {
            "superpixel": (square % 4 // 2).flatten(),
            "patch": (square // 8 * 2 + square % 4 // 2).flatten(),
            "pixel": square.flatten(),
        }[picture]
        self.atoms = {
            "image": Atoms(tuple(f"{picture} {i}" for i in range(int(self.cut.max()) + 1)), picture, groups=self.cut),
            "text": Atoms(("playing", "cards"), "word", groups=WORDS),
            "series": Atoms(tuple(f"step {t} channel {c}" for t in range(3) for c in range(2)), "step_channel"),
            "static": named(4, "static"),
        }
        self.weights = {m: random(*shape, seed=i + 20) for i, (m, shape) in enumerate(SHAPES.items())}
        self.absent = dict.fromkeys(self.modalities, 0.5)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        return Encoded({m: sample[m] for m in self.modalities}, {}, dict(self.atoms))

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        squares = sum((self.weights[m].to(t) * t.square()).flatten(1).sum(1) for m, t in x.items())
        product = x["text"].flatten(1).sum(1) * x["series"].flatten(1).sum(1)
        logits = torch.stack([squares, product], dim=1)
        return Output(logits, x["static"].flatten(1))

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        return {m: torch.full_like(t, self.absent[m]) for m, t in encoded.x.items()}

    def per_atom(self, modality: str, components: Tensor) -> Tensor:
        """Sums over each atom's entries, written out entry by entry."""
        atoms = self.atoms[modality]
        groups = atoms.groups if atoms.groups is not None else torch.arange(len(atoms))
        sums = torch.zeros(len(atoms), dtype=torch.float64)
        for leaf, atom in enumerate(groups.tolist()):
            if atom < 0:
                continue
            if modality == "image":
                sums[atom] += components[:, leaf // 4, leaf % 4].sum()
            elif modality == "series":
                sums[atom] += components[leaf // 2, leaf % 2]
            else:
                sums[atom] += components[leaf].sum()
        return sums


def sample(dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    return {m: random(1, *shape, seed=i + 30, dtype=dtype) for i, (m, shape) in enumerate(SHAPES.items())}
