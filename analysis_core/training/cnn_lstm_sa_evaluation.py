"""Held-out accuracy of cnn_lstm_sa, whole network on pictures, overall and per question type with Wilson intervals."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from analysis_core.datasets.scenes.questions import QUESTION_TYPES
from analysis_core.datasets.scenes.render import scenes
from analysis_core.models.stacked_attention import Network
from analysis_core.training.cnn_lstm_sa_data import QuestionWriter

_Z95 = 1.959963984540054


@torch.no_grad()
def held_out(network: Network, words: dict[str, int], *, seed: int, split: str, n: int, per_scene: int) -> Any:
    """(right bool [n * per_scene], question type ids [n * per_scene]) on freshly generated scenes."""
    writer = QuestionWriter(n, per_scene, words, network.architecture.max_words)
    right = []
    for row, (scene, rng) in enumerate(scenes(seed, split, 0, n)):
        writer.ask(row, scene, rng)
        asked = writer.arrays
        image = torch.from_numpy(scene.image).permute(2, 0, 1)[None].float() / 255
        embedded = network.embedding(torch.from_numpy(asked.words[row]))
        question = network.reader(embedded, torch.from_numpy(asked.length[row]))
        output, _ = network.reasoner(network.backbone(image), question[None])
        right.append(output.logits[0].argmax(-1).numpy() == asked.answer[row])
    return np.concatenate(right), writer.arrays.kind.ravel()


def accuracy_table(right: NDArray[np.bool_], kinds: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """{"overall": {...}, question type: {accuracy, interval, n}}."""
    table = {"overall": proportion(right)}
    for i, name in enumerate(QUESTION_TYPES):
        if (kinds == i).any():
            table[name] = proportion(right[kinds == i])
    return table


def proportion(right: NDArray[np.bool_]) -> dict[str, Any]:
    """Share of True with its Wilson 95 % interval (Wilson 1927) over questions."""
    n, p = len(right), float(right.mean())
    centre = (p + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 * sqrt(p * (1 - p) / n + _Z95**2 / (4 * n**2)) / (1 + _Z95**2 / n)
    return {"accuracy": round(p, 4), "interval": [round(centre - half, 4), round(centre + half, 4)], "n": n}
