"""NlvrRegions: the network behind the model protocol, from samples of the NLVR reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.base import Checkpoint
from analysis_core.models.nlvr_regions.network import Network
from analysis_core.models.nlvr_regions.regions import PRESENT, place_regions
from analysis_core.models.nlvr_regions.words import MASK, Vocabulary, words
from analysis_core.types import Atoms, Encoded, Output


class NlvrRegions(nn.Module):
    """Sentence and objects -> logits of false and true. Swapping boxes never changes the answer, by construction."""

    modalities = ("image", "text")

    def __init__(self, *, labels: Sequence[str], architecture: Mapping[str, Any]) -> None:
        """architecture: "words" (the vocabulary's tokens), "max_words" (tokens of a padded sentence), "network"."""
        super().__init__()
        self.labels = tuple(labels)
        self.vocabulary = Vocabulary(architecture["words"])
        self.max_words = int(architecture["max_words"])
        self.network = Network(words=len(self.vocabulary), classes=len(self.labels), **architecture["network"])

    @classmethod
    def from_checkpoint(cls, described: Checkpoint, device: str = "cpu") -> NlvrRegions:
        """The trained model in evaluation mode. raises: BadCheckpoint (weights of another architecture)"""
        try:
            model = cls(labels=described.labels, architecture=described.architecture)
            model.network.load_state_dict(described.tensors(device))
        except (RuntimeError, KeyError, TypeError) as error:
            raise BadCheckpoint(f"{described.folder} does not fit the model nlvr_regions: {error}") from error
        return model.to(device).eval().requires_grad_(False)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """image [1, 24, F]: 8 rows for each box, one per object, the rest empty; text [1, max_words, e].

        sample: "text", "regions" (dicts: box, colour, shape, size, x, y) and "boxes" [n, 4] in image pixels
        atoms:  objects ("object 3", with their boxes) and the sentence's words as they are read
        raises: BadInput (no word or no object, more objects in a box or more words than the model takes)
        """
        like = self.network.mean_row
        rows, row_groups, regions = self._rows(sample)
        tokens, token_groups, read = self._tokens(sample)
        image = torch.from_numpy(rows)[None].to(like)
        index = torch.tensor([tokens + [0] * (self.max_words - len(tokens))], device=like.device)
        word_groups = torch.tensor(token_groups + [-1] * (self.max_words - len(tokens)))
        boxes = torch.as_tensor(np.asarray(sample["boxes"], dtype=np.float64)).reshape(-1, 4)
        region_groups = torch.from_numpy(row_groups)
        return Encoded(
            x={"image": image, "text": self.network.embedding(index).detach()},
            aux={
                "image": {"mask": (region_groups >= 0)[None].to(like.device)},
                "text": {"mask": (index > 0)},
            },
            atoms={
                "image": Atoms(tuple(f"object {i + 1}" for i in range(regions)), "region", boxes, region_groups),
                "text": Atoms(read, "word", None, word_groups),
            },
        )

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """logits [B, 2]; features [B, d], the input of the last linear layer; layer "boxes" [B, 3]."""
        return _output(self.network(x["text"], aux["text"]["mask"], x["image"], aux["image"]["mask"]))

    def tower(self, modality: str, x: Tensor, aux: dict[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """image: objects that know their neighbours, presence, kinds; text: slots and the whole [B, slots + 1, w]."""
        return self.network.see(x, aux["mask"]) if modality == "image" else self.network.read(x, aux["mask"])

    def fuse(self, encodings: dict[str, Any], aux: dict[str, dict[str, Tensor]]) -> Output:
        """forward, from the encodings of both modalities."""
        return _output(self.network.fuse(encodings["image"], encodings["text"]))

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """An absent word is [MASK], as in training; an absent object is the mean object with presence 0.

        Presence multiplies each term an object adds, so the baseline row is exactly a scene without the object; its
        mean attributes matter only on the way there (integrated gradients).
        """
        row = self.network.mean_row.clone()
        row[PRESENT] = 0
        mask_word = self.network.embedding.weight[self.vocabulary.index(MASK)].detach()
        image, text = encoded.x["image"], encoded.x["text"]
        return {
            "image": torch.where(encoded.aux["image"]["mask"][..., None], row.to(image), image),
            "text": torch.where(encoded.aux["text"]["mask"][..., None], mask_word.to(text), text),
        }

    def _rows(self, sample: Mapping[str, Any]) -> tuple[Any, Any, int]:
        regions = list(sample["regions"])
        if not regions:
            raise BadInput(f"sample {sample.get('id')}: no object in the three boxes")
        try:
            return (*place_regions(regions), len(regions))
        except ValueError as error:
            raise BadInput(f"sample {sample.get('id')}: {error}") from error

    def _tokens(self, sample: Mapping[str, Any]) -> tuple[list[int], list[int], tuple[str, ...]]:
        tokens, groups = self.vocabulary.encode(sample["text"])
        if not tokens:
            raise BadInput(f"sample {sample.get('id')}: the sentence has no word")
        if len(tokens) > self.max_words:
            raise BadInput(f"sample {sample.get('id')}: {len(tokens)} words, the model takes {self.max_words}")
        return tokens, groups, words(sample["text"])


def _output(found: Mapping[str, Tensor]) -> Output:
    return Output(found["logits"], found["features"], {"boxes": found["box"]})
