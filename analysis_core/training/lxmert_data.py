"""Training material of lxmert: regions of generated scenes, and questions whose tokens know the regions they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from analysis_core.datasets.scenes.questions import QUESTION_TYPES, Asker, Question
from analysis_core.datasets.scenes.regions import crops
from analysis_core.datasets.scenes.render import SIZE, Scene, scenes
from analysis_core.datasets.scenes.vocabulary import ANSWERS, MAX_OBJECTS, WORDS
from analysis_core.models.lxmert.crops import CropEncoder
from analysis_core.models.lxmert.words import Reader

#: The vocabulary: plurals are two sub-words ("cube", "##s"), as in a large WordPiece vocabulary for rare words.
TOKENS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "?", ",", "##s"),
    *(word for word in WORDS if not (word.endswith("s") and word[:-1] in WORDS)),
)
#: The longest generated question has 21 tokens: two phrases of four words, plurals, signs, [CLS] and [SEP].
MAX_TOKENS = 24
_ANSWER_IDS = {answer: i for i, answer in enumerate(ANSWERS)}
_SCENES_AT_ONCE = 64


@dataclass(frozen=True)
class Cut:
    """A scene's crops uint8 [n, s, s, 3] and boxes float32 [n, 4] as shares of the picture."""

    crops: NDArray[np.uint8]
    boxes: NDArray[np.float32]


@dataclass(frozen=True)
class Material:
    """n scenes with q questions each.

    regions: [n, R, F], boxes: [n, R, 4], count: objects per scene int64 [n]
    tokens:  uint8 [n, q, T], length [n, q], answer [n, q], kind [n, q]
    named:   uint8 [n, q, T]: bit r is set where a token belongs to a phrase that names region r
    """

    regions: Tensor
    boxes: Tensor
    count: Tensor
    tokens: NDArray[np.uint8]
    length: NDArray[np.int64]
    answer: NDArray[np.int64]
    kind: NDArray[np.int64]
    named: NDArray[np.uint8]


def cut(scene: Scene) -> Cut:
    """The gold boxes of a scene, as the model's encode() cuts them."""
    boxes = np.array([scene.box(i) for i in range(len(scene.objects))], np.float32)
    return Cut(crops(Image.fromarray(scene.image), boxes), boxes / np.float32(SIZE))


@torch.no_grad()
def region_features(encoder: CropEncoder, cuts: list[Cut]) -> list[Tensor]:
    """Features [n_i, F] of several scenes' regions."""
    shown = to_pixels(np.concatenate([c.crops for c in cuts]))
    boxes = torch.from_numpy(np.concatenate([c.boxes for c in cuts]))
    features = encoder(shown, boxes[:, 2:] - boxes[:, :2])
    return list(features.split([len(c.boxes) for c in cuts]))


def to_pixels(cut: NDArray[np.uint8]) -> Tensor:
    """uint8 [n, s, s, 3] -> float32 [n, 3, s, s] in 0..1."""
    return torch.from_numpy(cut).permute(0, 3, 1, 2).float() / 255


def gather(encoder: CropEncoder, reader: Reader, *, seed: int, split: str, n: int, per_scene: int) -> Material:
    """Generate n scenes of a split with their questions; the crop CNN stays as it is."""
    width = encoder.project.out_features
    regions, boxes = torch.zeros(n, MAX_OBJECTS, width), torch.zeros(n, MAX_OBJECTS, 4)
    count = torch.zeros(n, dtype=torch.int64)
    m = Material(
        regions,
        boxes,
        count,
        tokens=np.zeros((n, per_scene, MAX_TOKENS), np.uint8),
        length=np.zeros((n, per_scene), np.int64),
        answer=np.zeros((n, per_scene), np.int64),
        kind=np.zeros((n, per_scene), np.int64),
        named=np.zeros((n, per_scene, MAX_TOKENS), np.uint8),
    )
    waiting: list[Cut] = []
    for row, (scene, rng) in enumerate(tqdm(scenes(seed, split, 0, n), total=n, desc=split, disable=None)):
        asked = Asker(scene.kinds, rng).ask(per_scene)
        for column in range(per_scene):
            # Where a scene offers fewer questions, they repeat.
            _put(m, (row, column), asked[column % len(asked)], reader)
        waiting.append(cut(scene))
        if len(waiting) == _SCENES_AT_ONCE or row == n - 1:
            start = row + 1 - len(waiting)
            for i, (found, c) in enumerate(zip(region_features(encoder, waiting), waiting, strict=True)):
                count[start + i] = len(found)
                regions[start + i, : len(found)] = found
                boxes[start + i, : len(found)] = torch.from_numpy(c.boxes)
            waiting.clear()
    return m


def buckets(m: Material, rng: np.random.Generator, batch: int) -> Iterator[NDArray[np.int64]]:
    """Endless batches of question numbers (row * q + column) of about the same length."""
    total = m.length.size
    flat = m.length.ravel()
    while True:
        pool = rng.integers(0, total, 16 * batch)
        pool = pool[np.argsort(flat[pool], kind="stable")]
        for i in rng.permutation(16):
            yield pool[i * batch : (i + 1) * batch]


def _put(m: Material, at: tuple[int, int], question: Question, reader: Reader) -> None:
    read = reader.read(question.text)
    m.tokens[at][: len(read.ids)] = read.ids
    m.length[at] = len(read.ids)
    m.answer[at] = _ANSWER_IDS[question.answer]
    m.kind[at] = QUESTION_TYPES.index(question.kind)
    of_words = np.zeros(len(read.words) + 1, np.uint8)
    for (start, stop), objects in zip(question.spans, _referents(question), strict=True):
        inside = [i for i, (a, b) in enumerate(read.spans) if start <= a and b <= stop]
        of_words[inside] = sum(1 << i for i in objects)
    # The group -1 reads the last entry, which names nothing.
    m.named[at][: len(read.ids)] = of_words[list(read.groups)]


def _referents(question: Question) -> list[list[int]]:
    """Per phrase, the objects that it names."""
    if question.first >= 0:
        return [[question.first], [question.second]][: len(question.spans)]
    return [np.flatnonzero(found).tolist() for found in question.sets if found is not None]
