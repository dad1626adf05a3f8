"""Training batches for nlvr_regions: synthetic sentences executed on scenes, and real ones with augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from analysis_core.models.nlvr_regions.regions import BOXES, COLOURS, PLACES, SHAPES, region_rows
from analysis_core.models.nlvr_regions.words import MASK, PAD, Vocabulary, normalise, words
from analysis_core.training.nlvr_grammar_scenes import (
    Scenes,
    is_tower,
    permuted,
    recombined,
    scenes_from,
)
from analysis_core.training.nlvr_grammar_templates import Sentence, sentence

#: Objects a sentence refers to whose gates are supervised.
SUPERVISED = 3
#: Scenes on which one synthetic sentence is executed to find true and false examples.
CHUNK = 48
POOL = 200 * CHUNK
#: Function words that crowd-workers leave out; a synthetic sentence loses each with this probability.
_DROPPABLE = {"a", "the", "of", "that", "is", "are", "an"}
DROP = 0.06


@dataclass(frozen=True)
class Batch:
    """Tensors of B examples; gate_known [B, SUPERVISED] and box_known [B] say where auxiliary targets exist."""

    tokens: Tensor
    image: Tensor
    label: Tensor
    gates: Tensor
    gate_known: Tensor
    box: Tensor
    box_known: Tensor


@dataclass(frozen=True)
class Real:
    """Real examples: normalised words, scenes, labels, whether they show towers."""

    tokens: list[tuple[str, ...]]
    scenes: Scenes
    labels: NDArray[np.int64]
    tower: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> Real:
        return Real([self.tokens[i] for i in rows], self.scenes.take(rows), self.labels[rows], self.tower[rows])


def tokens_of(text: str) -> tuple[str, ...]:
    return tuple(token for word in words(text) for token in normalise(word))


def real_examples(rows: Sequence[Mapping[str, Any]]) -> Real:
    """From dataset rows (text, label, regions)."""
    regions = [row["regions"] for row in rows]
    labels = np.array([row["label"] for row in rows], dtype=np.int64)
    return Real(
        [tokens_of(row["text"]) for row in rows], scenes_from(regions), labels, np.array([is_tower(r) for r in regions])
    )


def build_vocabulary(real: Real, *, at_least: int = 2, draws: int = 20_000, seed: int = 0) -> Vocabulary:
    """Words of the grammar, and of the real sentences where they occur in two examples with different sentences."""
    rng = np.random.default_rng(seed)
    known = {token for i in range(draws) for token in tokens_of(sentence(rng, i % 2 == 0).text)}
    counts: dict[str, int] = {}
    for tokens in set(real.tokens):
        for token in set(tokens):
            counts[token] = counts.get(token, 0) + 1
    known |= {token for token, n in counts.items() if n >= at_least}
    return Vocabulary((PAD, MASK, *sorted(known)))


class Synthetic:
    """An endless source of balanced synthetic examples over recombined training scenes."""

    def __init__(self, real: Real, vocabulary: Vocabulary, rng: np.random.Generator) -> None:
        self.real, self.vocabulary, self.rng = real, vocabulary, rng
        self._chunks: dict[bool, list[Scenes]] = {}
        self._left = 0

    def batch(self, size: int, *, tower_share: float = 0.6, each: int = 2) -> Batch:
        """size examples: each sentence appears with `each` true and `each` false scenes."""
        if self._left <= 0:
            self._refill()
        self._left -= size
        parts = [self._examples(bool(self.rng.random() < tower_share), each) for _ in range(size // (2 * each))]
        return _join(parts, self.vocabulary, self.rng)

    def _refill(self) -> None:
        self._left = 20 * POOL
        for tower in (True, False):
            source = self.real.scenes.take(np.flatnonzero(self.real.tower == tower))
            pool = recombined(source, POOL, self.rng, shapes=not tower)
            self._chunks[tower] = [pool.take(slice(i, i + CHUNK)) for i in range(0, POOL, CHUNK)]

    def _examples(self, tower: bool, each: int) -> tuple[Sentence, Scenes, NDArray[np.int64], NDArray[np.int64]]:
        """A sentence and a chunk with rows that make it true and false; sentences that hardly vary are drawn again."""
        while True:
            drawn = sentence(self.rng, tower)
            chunk = self._chunks[tower][int(self.rng.integers(len(self._chunks[tower])))]
            label = drawn.label(chunk)
            true, false = np.flatnonzero(label), np.flatnonzero(~label)
            if len(true) >= each and len(false) >= each:
                rows = np.concatenate([self.rng.permutation(true)[:each], self.rng.permutation(false)[:each]])
                return drawn, chunk, rows, label[rows].astype(np.int64)


def _join(
    parts: list[tuple[Sentence, Scenes, NDArray[np.int64], NDArray[np.int64]]],
    vocabulary: Vocabulary,
    rng: np.random.Generator,
) -> Batch:
    size = sum(len(rows) for _, _, rows, _ in parts)
    gates = np.zeros((size, SUPERVISED, BOXES, PLACES), dtype=np.float32)
    known = np.zeros((size, SUPERVISED), dtype=np.float32)
    box = np.zeros((size, BOXES), dtype=np.float32)
    scenes, texts, labels, at = [], [], [], 0
    for drawn, chunk, rows, label in parts:
        end = at + len(rows)
        for k, of in enumerate(drawn.refers[:SUPERVISED]):
            gates[at:end, k], known[at:end, k] = of(chunk)[rows], 1
        box[at:end] = drawn.boxes(chunk)[rows]
        tokens = tokens_of(drawn.text)
        texts += [tuple(t for t in tokens if t not in _DROPPABLE or rng.random() > DROP) for _ in rows]
        scenes.append(chunk.take(rows))
        labels.append(label)
        at = end
    return Batch(
        pad(texts, vocabulary),
        image_of(_concatenate(scenes)),
        torch.from_numpy(np.concatenate(labels)),
        torch.from_numpy(gates),
        torch.from_numpy(known),
        torch.from_numpy(box),
        torch.ones(size),
    )


def _concatenate(scenes: list[Scenes]) -> Scenes:
    fields = ("colour", "shape", "size", "x", "y")
    return Scenes(*(np.concatenate([getattr(s, field) for s in scenes]) for field in fields))


def real_batch(real: Real, vocabulary: Vocabulary, rng: np.random.Generator) -> Batch:
    """Real examples changed without changing their truth: colours and shapes renamed, mirrored, boxes shuffled."""
    # "square" also names boxes and blocks, so shapes are renamed only where it can mean nothing else.
    plain = np.array([not ("grey" in t or "block" in t or "tower" in t) for t in real.tokens]) & ~real.tower
    scenes, renaming = permuted(real.scenes, rng, shapes=plain)
    order = rng.permuted(np.broadcast_to(np.arange(BOXES), (len(scenes), BOXES)), axis=1)
    row = np.arange(len(scenes))[:, None]
    scenes = Scenes(*(a[row, order] for a in (scenes.colour, scenes.shape, scenes.size, scenes.x, scenes.y)))
    texts = []
    for i, tokens in enumerate(real.tokens):
        new = {COLOURS[k]: COLOURS[renaming.colours[i, k]] for k in range(3)}
        new |= {SHAPES[k]: SHAPES[renaming.shapes[i, k]] for k in range(3)}
        new |= {"left": "right", "right": "left"} if renaming.mirrored[i] else {}
        texts.append(tuple(new.get(token, token) for token in tokens))
    size = len(texts)
    return Batch(
        pad(texts, vocabulary),
        image_of(scenes),
        torch.from_numpy(real.labels),
        torch.zeros(size, SUPERVISED, BOXES, PLACES),
        torch.zeros(size, SUPERVISED),
        torch.zeros(size, BOXES),
        torch.zeros(size),
    )


def plain_batch(real: Real, vocabulary: Vocabulary) -> Batch:
    """Real examples as they are, for evaluation."""
    size = len(real.tokens)
    return Batch(
        pad(real.tokens, vocabulary),
        image_of(real.scenes),
        torch.from_numpy(real.labels),
        torch.zeros(size, SUPERVISED, BOXES, PLACES),
        torch.zeros(size, SUPERVISED),
        torch.zeros(size, BOXES),
        torch.zeros(size),
    )


def pad(texts: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Tensor:
    """Token indices int64 [B, T], 0 = [PAD]."""
    tokens = torch.zeros(len(texts), max(len(t) for t in texts), dtype=torch.int64)
    for i, text in enumerate(texts):
        tokens[i, : len(text)] = torch.tensor([vocabulary.index(token) for token in text])
    return tokens


def image_of(scenes: Scenes) -> Tensor:
    """Region rows float32 [N, BOXES * PLACES, WIDTH]."""
    rows = region_rows(scenes.colour, scenes.shape, scenes.size, scenes.x, scenes.y)
    return torch.from_numpy(rows).flatten(1, 2)


def join(a: Batch, b: Batch) -> Batch:
    """Two batches as one."""
    width = max(a.tokens.shape[1], b.tokens.shape[1])
    tokens = [torch.nn.functional.pad(part.tokens, (0, width - part.tokens.shape[1])) for part in (a, b)]
    names = ("image", "label", "gates", "gate_known", "box", "box_known")
    return Batch(torch.cat(tokens), *(torch.cat([getattr(a, n), getattr(b, n)]) for n in names))
