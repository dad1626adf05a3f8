"""The readouts that alignment compares: for each phrase of a sample a score of each candidate box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.evaluation.alignment.boxes import Candidates
from analysis_core.evaluation.alignment.phrases import function_words, word_spans, words_of
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.curvature import FirstOrder
from analysis_core.stages.masking import Masking
from analysis_core.stages.second_order import second_order
from analysis_core.targets import Target, select


class Reading:
    """One sample, read in several ways; what readouts share is computed once.

    words: per phrase its atoms of `source`; gold: per phrase the indices of the boxes that it names
    """

    def __init__(
        self,
        model: MultimodalModel,
        sample: Mapping[str, Any],
        target: Target,
        *,
        source: str,
        to: str,
        projections: int,
        seed: int,
    ) -> None:
        self.model, self.sample, self.target = model, sample, target
        self.source, self.to, self.projections, self.seed = source, to, projections, seed
        self.encoded = leaves.encode(model, sample)
        self.candidates = Candidates(model, sample, self.encoded, to)
        names = self.encoded.atoms[source].names
        spans = word_spans(sample["text"], names)
        self.words = [words_of(tuple(phrase["span"]), spans) for phrase in sample["phrases"]]
        self.gold = [tuple(int(i) for i in phrase["boxes"]) for phrase in sample["phrases"]]
        self.function_words = function_words(names, self.words)

    @cached_property
    def first(self) -> FirstOrder:
        """The target's first gradient."""
        return FirstOrder(self.model, self.encoded, self.target)

    @cached_property
    def hutchinson(self) -> Tensor:
        """Score of every box for every word: [n_words, n_boxes]."""
        return self._second_order("hutchinson")

    @cached_property
    def norm(self) -> Tensor:
        return self._second_order("norm")

    def of_phrases(self, per_word: Tensor) -> Tensor:
        """[n_words, n_boxes] -> [n_phrases, n_boxes]: the words of a phrase are added up after the norm."""
        return torch.stack([per_word[words].sum(0) for words in self.words])

    def _second_order(self, direction: str) -> Tensor:
        pixels = self.candidates.pixels
        found = second_order(
            self.model,
            self.sample,
            self.target,
            source=self.source,
            to=self.to,
            direction=direction,
            pixels=pixels,
            projections=self.projections,
            seed=self.seed,
        )
        if found.pixels is not None:
            return self.candidates.scores(found.pixels.flatten(1))
        assert found.pairs is not None
        return torch.stack([found.pairs[:, atoms].mean(1) for atoms in self.candidates.atoms], dim=1)


def _second_order_norm(r: Reading) -> Tensor:
    return r.of_phrases(r.norm)


def _hutchinson(r: Reading) -> Tensor:
    return r.of_phrases(r.hutchinson)


def _removal(r: Reading) -> Tensor:
    """|f - f(-phrase) - f(-box) + f(-phrase, -box)| with whole phrases and boxes replaced by the baseline."""
    game = Masking(r.model, r.sample, modalities=(r.source, r.to))
    start = {column.modality: column.start for column in game.columns}
    phrases = [[start[r.source] + i for i in words] for words in r.words]
    boxes = [[start[r.to] + i for i in atoms] for atoms in r.candidates.atoms]
    rows = [[], *phrases, *boxes, *([*p, *b] for p in phrases for b in boxes)]
    Z = torch.ones(len(rows), game.n_atoms, dtype=torch.bool)
    for row, removed in zip(Z, rows, strict=True):
        row[removed] = False
    f = select(r.first.target, game.predict_masks(Z))
    n, m = len(phrases), len(boxes)
    both = f[1 + n + m :].reshape(n, m)
    return (f[0] - f[1 : 1 + n, None] - f[None, 1 + n : 1 + n + m] + both).abs()


def _attention(r: Reading) -> Tensor | None:
    attention = getattr(r.model, "attention", None)
    if attention is None:
        return None
    with torch.no_grad():
        heads = attention(r.encoded.x, r.encoded.aux, source=r.source, to=r.to)[0]
    groups = leaves.leaf_groups(r.encoded.atoms[r.source], r.encoded.x[r.source])
    per_box = r.candidates.scores(heads)
    n = len(r.encoded.atoms[r.source])
    return r.of_phrases(leaves.sum_over_atoms(per_box.T, groups, n).T)


def _first_order(r: Reading) -> Tensor:
    """The same for every phrase: |df/dx| over the box. It cannot tell two phrases apart."""
    kind, g = r.encoded.atoms[r.to].kind, r.first.gradient(r.to)
    per_leaf = leaves.by_leaf(kind, g).to("cpu", torch.float64).norm(dim=2)
    return r.candidates.scores(per_leaf).expand(len(r.words), -1)


def _function_words(r: Reading) -> Tensor | None:
    """The second order (hutchinson) of "what", "the", "are", ... in the place of every phrase."""
    if not r.function_words:
        return None
    return r.hutchinson[r.function_words].sum(0).expand(len(r.words), -1)


def _swapped_phrase(r: Reading) -> Tensor | None:
    """The second order (hutchinson) of the next phrase in the place of each phrase."""
    if len(r.words) < 2 or len(set(r.gold)) < len(r.gold):
        return None
    return _hutchinson(r).roll(1, dims=0)


def _random(r: Reading) -> Tensor:
    g = generator(r.seed, "alignment", str(r.sample.get("id")), r.sample["text"])
    return torch.rand(len(r.words), len(r.candidates), generator=g, dtype=torch.float64)


def _box_area(r: Reading) -> Tensor:
    return r.candidates.areas.expand(len(r.words), -1)


#: Name -> scores [n_phrases, n_boxes] >= 0, or None where a sample or a model does not offer what it reads.
READOUTS: dict[str, Callable[[Reading], Tensor | None]] = {
    "second_order_norm": _second_order_norm,
    "hutchinson": _hutchinson,
    "removal": _removal,
    "attention": _attention,
    "first_order": _first_order,
    "function_words": _function_words,
    "swapped_phrase": _swapped_phrase,
    "random": _random,
    "box_area": _box_area,
}
