"""Training material of cnn_lstm_sa: generated scenes as arrays, what each cell of the map shows, questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from analysis_core.datasets.scenes.questions import QUESTION_TYPES, Asker, Question
from analysis_core.datasets.scenes.render import SIZE, Scene, scenes
from analysis_core.datasets.scenes.vocabulary import ANSWERS, ATTRIBUTES, KINDS, MAX_OBJECTS

CELL = 8
GRID = SIZE // CELL
#: A cell shows an object that covers at least so many of its pixels.
_SHOWS = CELL * CELL // 4
#: [n_kinds, 4]: index of each attribute's value.
ATTRIBUTE_IDS = np.array(
    [[values.index(value) for value, values in zip(kind, ATTRIBUTES.values(), strict=True)] for kind in KINDS], np.int64
)
_ANSWER_IDS = {answer: i for i, answer in enumerate(ANSWERS)}


@dataclass(frozen=True)
class Cells:
    """What pictures show: image uint8 [n, S, S, 3]; owner int8 [n, cells], -1 = ground; kinds [n, objects]."""

    image: NDArray[np.uint8]
    owner: NDArray[np.int8]
    kinds: NDArray[np.int64]
    blur: NDArray[np.bool_]


def batches(seed: int, split: str, n: int, size: int, *, blur: float = 0.0) -> Iterator[Cells]:
    """n fresh scenes in batches. blur: share of pictures in which a part is marked to be blurred away (and unowned)."""
    rng = np.random.default_rng(seed)
    stream = (scene for scene, _ in scenes(seed, split, 0, n))
    while batch := list(islice(stream, size)):
        masks = [_blur_mask(rng, scene) if rng.random() < blur else np.zeros((SIZE, SIZE), bool) for scene in batch]
        owners = [np.where(mask, np.int8(-1), scene.owner) for scene, mask in zip(batch, masks, strict=True)]
        yield Cells(
            np.stack([scene.image for scene in batch]),
            np.stack([cell_owner(owner) for owner in owners]),
            np.stack([np.pad(scene.kinds, (0, MAX_OBJECTS - len(scene.kinds))) for scene in batch]),
            np.stack(masks),
        )


def cell_owner(owner: NDArray[np.int8]) -> NDArray[np.int8]:
    """Owner map [S, S] -> the object that each cell shows int8 [cells]; every visible object gets at least one cell."""
    cell = (np.arange(SIZE)[:, None] // CELL) * GRID + np.arange(SIZE)[None] // CELL
    wide = MAX_OBJECTS + 1
    covered = np.bincount((cell * wide + owner + 1).ravel(), minlength=GRID * GRID * wide).reshape(-1, wide)[:, 1:]
    best = covered.argmax(1)
    shown = np.where(covered.max(1) >= _SHOWS, best, -1).astype(np.int8)
    for i in range(MAX_OBJECTS):
        if covered[:, i].any() and not (shown == i).any():
            shown[covered[:, i].argmax()] = i
    return shown


def _blur_mask(rng: np.random.Generator, scene: Scene) -> NDArray[np.bool_]:
    mask = np.zeros((SIZE, SIZE), bool)
    if rng.random() < 0.1:
        mask[:] = True
        return mask
    for i in rng.permutation(len(scene.objects))[: rng.integers(1, 4)]:
        x0, y0, x1, y1 = scene.box(int(i))
        edge = int(rng.integers(1, 6))
        mask[max(y0 - edge, 0) : y1 + edge, max(x0 - edge, 0) : x1 + edge] = True
    return mask


@dataclass(frozen=True)
class Questions:
    """Questions of n scenes, q each: words int64 [n, q, L], length, answer, kind [n, q], named [n, q, 2] (-1 = nobody),
    counted bool [n, q, 2, objects], counts bool [n, q, 2] (whether `counted` means something)."""

    words: NDArray[np.int64]
    length: NDArray[np.int64]
    answer: NDArray[np.int64]
    kind: NDArray[np.int64]
    named: NDArray[np.int64]
    counted: NDArray[np.bool_]
    counts: NDArray[np.bool_]

    def of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Questions:
        """Row by row the questions `columns` [len(rows), m]."""
        at = (rows[:, None], columns)
        return Questions(*(getattr(self, name)[at] for name in self.__dataclass_fields__))


class QuestionWriter:
    """Turns questions into arrays of a fixed size."""

    def __init__(self, n: int, q: int, words: dict[str, int], max_words: int) -> None:
        self._words = words
        self.arrays = Questions(
            words=np.zeros((n, q, max_words), np.int64),
            length=np.ones((n, q), np.int64),
            answer=np.zeros((n, q), np.int64),
            kind=np.zeros((n, q), np.int64),
            named=np.full((n, q, 2), -1, np.int64),
            counted=np.zeros((n, q, 2, MAX_OBJECTS), bool),
            counts=np.zeros((n, q, 2), bool),
        )

    def ask(self, row: int, scene: Scene, rng: np.random.Generator) -> None:
        """Fill one row; where a scene offers fewer questions, they repeat."""
        q = self.arrays.length.shape[1]
        asked = Asker(scene.kinds, rng).ask(q)
        for column in range(q):
            self._put(row, column, asked[column % len(asked)])

    def _put(self, row: int, column: int, question: Question) -> None:
        a, at = self.arrays, (row, column)
        ids = [self._words[word] for word in re.findall(r"[a-z]+", question.text.lower())]
        a.words[at][: len(ids)] = ids
        a.length[at] = len(ids)
        a.answer[at] = _ANSWER_IDS[question.answer]
        a.kind[at] = QUESTION_TYPES.index(question.kind)
        a.named[at] = (question.first, question.second)
        for i, counted in enumerate(question.sets):
            if counted is not None:
                a.counted[at][i, : len(counted)] = counted
                a.counts[at][i] = True
