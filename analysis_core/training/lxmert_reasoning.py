"""Second phase of lxmert: the transformer learns to answer; cross-attention is shown which region a phrase names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from analysis_core.datasets.scenes.vocabulary import MAX_OBJECTS
from analysis_core.models.lxmert.network import Network
from analysis_core.training.lxmert_data import Material, buckets

BATCH = 256
#: Share of questions in which a quarter of the words, or of the regions, is absent, so that absence means something.
_ABSENT, _ABSENT_PARTS = 0.05, 0.25


def train_reasoner(
    network: Network,
    material: Material,
    *,
    seed: int,
    steps: int,
    rate: float,
    attention_weight: float,
    mask: int,
    check: Callable[[], float] | None = None,
) -> None:
    """AdamW, constant then linear decay over the last half, gradients clipped at 1.

    mask:  the id of [MASK]
    check: called every 500 steps; its value is shown in the bar
    """
    rng = np.random.default_rng([seed, 2])
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-3)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    stream = buckets(material, rng, BATCH)
    for step in (bar := tqdm(range(steps), desc="reasoning", mininterval=5, disable=None)):
        rows = next(stream)
        loss, right = _loss(network, material, rows, rng, attention_weight, mask)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        decay.step()
        if step % 500 == 499:
            shown = f"{check():.4f}" if check else "-"
            bar.set_postfix(loss=f"{loss.item():.3f}", batch=f"{right:.3f}", held_out=shown)


@torch.no_grad()
def answers(network: Network, material: Material) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """(right bool [n * q], question type [n * q])."""
    right = []
    for rows in np.array_split(np.arange(material.length.size), -(-material.length.size // 1000)):
        tokens, batch = _batch(material, rows)
        logits = network(network.embedding(tokens), *batch)[0].logits
        right.append(logits.argmax(1).numpy() == material.answer.ravel()[rows])
    return np.concatenate(right), material.kind.ravel()


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / 200, 2 * (1 - step / steps) + 0.01)


def _loss(
    network: Network, m: Material, rows: NDArray[np.int64], rng: np.random.Generator, weight: float, mask: int
) -> tuple[Tensor, float]:
    tokens, (regions, boxes, said, shown) = _batch(m, rows)
    tokens = torch.where(_absent(rng, tokens.shape) & (tokens > mask), mask, tokens)
    regions = torch.where(_absent(rng, regions.shape[:2])[..., None], network.mean_region, regions)
    output, attention = network(network.embedding(tokens), regions, boxes, said, shown)
    answer = torch.from_numpy(m.answer.ravel()[rows])
    right = float((output.logits.argmax(1) == answer).float().mean())
    loss = nn.functional.cross_entropy(output.logits, answer)
    named = m.named.reshape(-1, m.named.shape[2])[rows][:, : tokens.shape[1]]
    return loss + weight * attention_loss(attention, named), right


def attention_loss(attention: tuple[Tensor, ...], named: NDArray[np.uint8]) -> Tensor:
    """-log of the attention mass that phrase words put on the regions they name, mean over words and layers.

    attention: per cross-modal layer [B, heads, T, R]; the mean over heads is what should lie on the regions
    named:     [B, T], bit r = the token names region r
    """
    bits = torch.from_numpy(named.astype(np.int64))
    wanted = (bits[..., None] >> torch.arange(MAX_OBJECTS)) & 1
    meant = bits > 0
    if not bool(meant.any()):
        # Questions about things that are not there name no region: a mean over nothing would be NaN.
        return attention[0].new_zeros(())
    mass = torch.stack([(a.mean(1) * wanted).sum(-1)[meant] for a in attention])
    return -mass.clamp_min(1e-6).log().mean()


def _batch(m: Material, rows: NDArray[np.int64]) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Tokens [B, T] with T the longest in the batch, and (regions, boxes, word mask, region mask)."""
    scene = torch.from_numpy(rows // m.length.shape[1])
    length = torch.from_numpy(m.length.ravel()[rows])
    longest = int(length.max())
    tokens = torch.from_numpy(m.tokens.reshape(-1, m.tokens.shape[2])[rows][:, :longest].astype(np.int64))
    said = torch.arange(longest) < length[:, None]
    shown = torch.arange(MAX_OBJECTS) < m.count[scene][:, None]
    return tokens, (m.regions[scene], m.boxes[scene], said, shown)


def _absent(rng: np.random.Generator, shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy((rng.random(shape) < _ABSENT_PARTS) & (rng.random((shape[0], 1)) < _ABSENT))
