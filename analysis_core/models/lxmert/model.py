"""Lxmert: transformers' LxmertForQuestionAnswering behind the model protocol, over words and regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import LxmertForQuestionAnswering

from analysis_core.datasets.scenes.regions import crops
from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.base import Checkpoint
from analysis_core.models.lxmert.network import Architecture, Network
from analysis_core.models.lxmert.words import Reader
from analysis_core.types import Atoms, Encoded, Output

#: Questions of VQA were read up to this length when LXMERT was trained (Tan and Bansal 2019), special tokens included.
_VQA_TOKENS = 20
#: Regions per picture of the usual extractors.
_VQA_REGIONS = 36


class Lxmert(nn.Module):
    """A trained LXMERT in evaluation mode with eager attention, the only kind that transformers' class has.

    A sample has "text", "boxes" [n, 4] x0 y0 x1 y1 in pixels, and either "features" [n, F] of a detector with the
    "image" (or "image_size", width and height), or an "image" from whose boxes the checkpoint's crop CNN makes them.
    """

    modalities = ("image", "text")
    layers = ("language", "vision", "pooled")

    def __init__(self, architecture: Architecture, labels: Sequence[str], *, reader: Reader | None = None) -> None:
        """Random weights; see from_checkpoint and from_pretrained for trained ones."""
        super().__init__()
        self.architecture = architecture
        self.labels = tuple(labels)
        self.reader = Reader.of_tokens(architecture.tokens) if reader is None else reader
        self.network = Network(architecture)
        self.eval()

    @classmethod
    def from_checkpoint(cls, described: Checkpoint, device: str = "cpu") -> Lxmert:
        """raises: BadCheckpoint (weights that do not fit the described architecture)"""
        try:
            model = cls(Architecture.from_dict(described.architecture), described.labels)
            model.network.load_state_dict(described.tensors("cpu"))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadCheckpoint(f"{described.folder} does not fit lxmert: {error}") from error
        return model.to(device).requires_grad_(False)

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        *,
        labels: Sequence[str] | None = None,
        mean_region: Tensor | None = None,
        max_tokens: int = _VQA_TOKENS,
        max_regions: int = _VQA_REGIONS,
        device: str = "cpu",
    ) -> Lxmert:
        """A folder in transformers' layout: config.json, model.safetensors and the tokenizer's vocab.txt.

        labels:      answer names; None = the config's id2label where it names all answers, else "answer 0", ...
        mean_region: [F], what an absent region looks like; None = the mean of the sample's own regions
        raises:      BadCheckpoint (no such folder or files, labels that do not fit the last layer)
        """
        folder = Path(folder)
        reader = Reader.of_folder(folder)
        try:
            loaded = LxmertForQuestionAnswering.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise BadCheckpoint(f"{folder} holds no weights that LXMERT can read: {error}") from error
        config = loaded.config
        names = tuple(labels) if labels is not None else _names(config)
        if len(names) != config.num_qa_labels:
            raise BadCheckpoint(f"{folder} answers with {config.num_qa_labels} classes: name that many labels")
        architecture = Architecture(reader.tokens, max_tokens, max_regions, config.to_diff_dict())
        model = cls(architecture, names, reader=reader)
        model.network.lxmert.load_state_dict(loaded.state_dict())
        model.network.mean_region.fill_(torch.nan)
        if mean_region is not None:
            model.network.mean_region.copy_(mean_region)
        return model.to(device).requires_grad_(False)

    def encode(self, sample: Mapping[str, Any]) -> Encoded:
        """image [1, max_regions, F] and text [1, max_tokens, e], the word embeddings before positions are added.

        Boxes travel in aux as shares of the picture: a row's derivative is then one of appearance alone, and an absent
        region keeps its place. Rows and tokens beyond the sample are padding: groups -1, masked.
        raises: BadInput (no word, no region, too many of either, boxes or features of a wrong shape)
        """
        weight = self.network.embedding.weight
        tokens = self.reader.read(sample["text"])
        ids = _padded("words and signs", list(tokens.ids), self.architecture.max_tokens, self.reader.pad)
        if not tokens.words:
            raise BadInput("the question has no word")
        boxes, width, height = _boxes(sample)
        n, most = len(boxes), self.architecture.max_regions
        if not 1 <= n <= most:
            raise BadInput(f"the picture has {n} regions; this model reads 1 to {most}")
        image, places = weight.new_zeros(1, most, self.network.mean_region.shape[0]), weight.new_zeros(1, most, 4)
        image[0, :n] = self._features(sample, boxes)
        places[0, :n] = torch.from_numpy(boxes / np.array([width, height, width, height])).to(weight)
        index = torch.tensor([ids], device=weight.device)
        rows = torch.arange(most)
        groups = [*tokens.groups, *([-1] * (len(ids) - len(tokens.groups)))]
        return Encoded(
            x={"image": image, "text": self.network.embedding(index).detach()},
            aux={
                "image": {"boxes": places, "mask": (rows < n)[None].to(weight.device)},
                "text": {"mask": torch.arange(len(ids), device=weight.device)[None] < len(tokens.ids)},
            },
            atoms={
                "image": Atoms(
                    tuple(f"region {i + 1}" for i in range(n)),
                    "region",
                    torch.from_numpy(boxes.astype(np.float32)),
                    torch.where(rows < n, rows, -1),
                ),
                "text": Atoms(tokens.words, "word", groups=torch.tensor(groups)),
            },
        )

    def forward(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> Output:
        """Logits [B, K], features [B, 2 hidden] = input of the last answer layer, layers language, vision, pooled."""
        return self._run(x, aux)[0]

    def attention(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]], *, source: str, to: str) -> Tensor:
        """Attention of text leaves to region leaves [B, T, R], mean over the cross-modal layers and their heads.

        raises: BadInput (another pair of modalities: transformers returns this one only)
        """
        if (source, to) != ("text", "image"):
            raise BadInput("attention is known from 'text' to 'image' only")
        return torch.stack(self._run(x, aux)[1]).mean((0, 2))

    def baseline(self, encoded: Encoded) -> dict[str, Tensor]:
        """Absent: the embedding of [MASK] for words; the mean region (of training, or of the sample) for regions.

        [CLS], [SEP] and punctuation stay as they are, as they belong to no atom.
        """
        text, image = encoded.x["text"], encoded.x["image"]
        said = encoded.atoms["text"].groups
        assert said is not None
        shown = encoded.aux["image"]["mask"][..., None]
        mean = self.network.mean_region.to(image)
        if bool(mean.isnan().any()):
            mean = (image * shown).sum(1, keepdim=True) / shown.sum(1, keepdim=True)
        mask = self.network.embedding.weight[self.reader.mask].detach().to(text)
        return {
            "image": torch.where(shown, mean, image),
            "text": torch.where((said >= 0)[None, :, None].to(text.device), mask, text),
        }

    def _run(self, x: dict[str, Tensor], aux: dict[str, dict[str, Tensor]]) -> tuple[Output, tuple[Tensor, ...]]:
        image = aux["image"]
        return self.network(x["text"], x["image"], image["boxes"], aux["text"]["mask"], image["mask"])

    def _features(self, sample: Mapping[str, Any], boxes: NDArray[np.float64]) -> Tensor:
        like = self.network.mean_region
        if self.network.crops is None:
            if sample.get("features") is None:
                raise BadInput("this LXMERT reads region features: give the sample 'features' [n, F] beside its boxes")
            features = torch.as_tensor(np.asarray(sample["features"]))
            if features.shape != (len(boxes), len(like)) or not bool(features.isfinite().all()):
                raise BadInput(f"features must be finite [{len(boxes)}, {len(like)}], not {tuple(features.shape)}")
            return features.to(like)
        picture = sample["image"].convert("RGB")
        side = self.architecture.crops.side if self.architecture.crops else 0
        cut = torch.from_numpy(crops(picture, boxes, side=side)).permute(0, 3, 1, 2).to(like) / 255
        extents = torch.from_numpy((boxes[:, 2:] - boxes[:, :2]) / np.array(picture.size)).to(like)
        with torch.no_grad():
            return self.network.crops(cut, extents)


def _names(config: Any) -> tuple[str, ...]:
    """Published configs count the answers in num_qa_labels; their id2label may be the default of another length."""
    known = config.id2label or {}
    if len(known) == config.num_qa_labels:
        return tuple(known[i] for i in sorted(known))
    return tuple(f"answer {i}" for i in range(config.num_qa_labels))


def _padded(what: str, ids: list[int], most: int, pad: int) -> list[int]:
    if len(ids) > most:
        raise BadInput(f"the question has {len(ids)} {what}; this model reads up to {most}")
    return ids + [pad] * (most - len(ids))


def _boxes(sample: Mapping[str, Any]) -> tuple[NDArray[np.float64], float, float]:
    """[n, 4] in pixels, and the picture's width and height. raises: BadInput"""
    if sample.get("boxes") is None:
        raise BadInput("LXMERT reads regions: give the sample 'boxes' [n, 4] x0 y0 x1 y1 in pixels")
    boxes = np.asarray(sample["boxes"], np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
        raise BadInput("boxes must be finite [n, 4] with x0 < x1 and y0 < y1")
    width, height = sample["image_size"] if "image_size" in sample else sample["image"].size
    return boxes, float(width), float(height)
