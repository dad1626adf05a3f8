"""Second phase of cnn_lstm_sa: words, LSTM, hops and glimpses learn to answer on cached maps of the frozen backbone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from analysis_core.datasets.scenes.render import scenes
from analysis_core.models.stacked_attention import Attended, Network
from analysis_core.training.cnn_lstm_sa_data import Questions, QuestionWriter, cell_owner
from analysis_core.training.cnn_lstm_sa_perception import cell_maps

_SCENES, _ASKED = 32, 10
_LEARNING_RATE = 1.5e-3


@dataclass(frozen=True)
class Material:
    """maps fp16 [n, C + 1, h, w], owner int8 [n, cells], and the questions of each scene."""

    maps: Tensor
    owner: NDArray[np.int8]
    questions: Questions


def gather(network: Network, words: dict[str, int], *, seed: int, split: str, n: int, per_scene: int) -> Material:
    """Generate n scenes with questions and cache what the backbone sees in them (18 KB per scene)."""
    writer = QuestionWriter(n, per_scene, words, network.architecture.max_words)
    maps, owners, pictures = [], [], []
    for row, (scene, rng) in enumerate(tqdm(scenes(seed, split, 0, n), total=n, desc="maps", disable=None)):
        writer.ask(row, scene, rng)
        owners.append(cell_owner(scene.owner))
        pictures.append(scene.image)
        if len(pictures) == 128 or row == n - 1:
            maps.append(cell_maps(network.backbone, np.stack(pictures)))
            pictures.clear()
    return Material(torch.cat(maps), np.stack(owners), writer.arrays)


def train_reasoner(
    network: Network,
    material: Material,
    *,
    seed: int,
    steps: int,
    dropped: tuple[int, int],
    check: Callable[[], float] | None = None,
) -> None:
    """AdamW, constant then linear decay over the last half, auxiliary losses on where hops and glimpses look.

    dropped: the ids of [MASK] and <unknown>, which replace some words so that both come to mean "absent"
    check:   called every 1000 steps; its value is shown in the bar
    """
    rng = np.random.default_rng([seed, 2])
    parameters = [p for name, p in network.named_parameters() if not name.startswith("backbone.")]
    optimizer = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=1e-3)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    n, per_scene = material.questions.length.shape
    for step in (bar := tqdm(range(steps), desc="reasoning", disable=None)):
        rows = rng.integers(0, n, _SCENES)
        columns = rng.permuted(np.tile(np.arange(per_scene), (_SCENES, 1)), axis=1)[:, :_ASKED]
        asked = _drop_words(material.questions.of(rows, columns), rng, dropped)
        loss, right = _loss(network, material, rows, asked)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        decay.step()
        if step % 1000 == 999:
            bar.set_postfix(
                loss=f"{loss.item():.3f}", batch=f"{right:.3f}", held_out=f"{check():.4f}" if check else "-"
            )


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / 200, 2 * (1 - step / steps) + 0.01)


def _loss(network: Network, material: Material, rows: NDArray[np.int64], asked: Questions) -> tuple[Tensor, float]:
    maps = material.maps[torch.from_numpy(rows)].float()
    cells = network.backbone.cells(maps[:, :-1], maps[:, -1:])
    words = network.embedding(torch.from_numpy(asked.words)).flatten(0, 1)
    question = network.reader(words, torch.from_numpy(asked.length).flatten())
    output, attended = network.reasoner(cells, question.unflatten(0, asked.length.shape))
    logits, answer = output.logits.flatten(0, 1), torch.from_numpy(asked.answer).flatten()
    loss = nn.functional.cross_entropy(logits, answer)
    right = float((logits.argmax(-1) == answer).float().mean())
    return loss + _looking(attended, material.owner[rows], asked), right


def _looking(attended: Attended, owner: NDArray[np.int8], asked: Questions) -> Tensor:
    """Hops on the named objects' cells (weight .5), glimpses on exactly the counted objects' cells (weight 1)."""
    shown = torch.from_numpy(owner.astype(np.int64))[:, None]
    total = attended.hops[0].new_zeros(())
    for i, hop in enumerate(attended.hops):
        named = torch.from_numpy(asked.named[..., i])[..., None]
        on = (shown == named) & (named >= 0)
        mass = torch.logsumexp(hop.masked_fill(~on, -1e4), -1)[on.any(-1)]
        total = total - 0.5 * mass.mean()
    for i, glimpse in enumerate(attended.glimpses):
        counted = torch.from_numpy(asked.counted[..., i, :])
        inside = counted.gather(-1, shown.clamp(min=0).expand(*counted.shape[:2], -1)) & (shown >= 0)
        meant = torch.from_numpy(asked.counts[..., i])
        per_cell = nn.functional.binary_cross_entropy_with_logits(glimpse, inside.float(), reduction="none")
        # Ground cells are easy and many: the sum over a picture's cells is scaled to that of a few objects.
        total = total + per_cell[meant].sum(-1).mean() / 16
    return total


def _drop_words(asked: Questions, rng: np.random.Generator, dropped: tuple[int, int]) -> Questions:
    drop = (rng.random(asked.words.shape) < 0.25) & (rng.random(asked.length.shape) < 0.05)[..., None]
    words = np.where(drop, rng.choice(dropped, asked.words.shape, p=(0.75, 0.25)), asked.words)
    return Questions(**{**asked.__dict__, "words": words})
