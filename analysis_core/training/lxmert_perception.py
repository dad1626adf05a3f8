"""First phase of lxmert: the crop CNN learns an object's size, colour, material and shape; then it is frozen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from analysis_core.datasets.scenes.render import scenes
from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES
from analysis_core.models.lxmert.crops import CropEncoder
from analysis_core.training.cnn_lstm_sa_data import ATTRIBUTE_IDS
from analysis_core.training.lxmert_data import cut, to_pixels

_BATCH = 256


def train_crops(encoder: CropEncoder, *, seed: int, pictures: int, epochs: int) -> tuple[Tensor, float]:
    """Train on freshly generated scenes, freeze. returns: the mean region [F], the last epoch's mean loss"""
    rng = np.random.default_rng([seed, 1])
    pixels, extents, looks = _crops(seed, pictures)
    heads = nn.ModuleList(nn.Linear(encoder.project.out_features, len(v)) for v in ATTRIBUTES.values())
    parameters = [*encoder.parameters(), *heads.parameters()]
    steps = epochs * (len(looks) // _BATCH)
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=max(steps, 2), pct_start=0.1)
    encoder.train()
    losses: list[float] = []
    for _ in (bar := tqdm(range(epochs), desc="crops", disable=None)):
        losses.clear()
        for rows in torch.from_numpy(rng.permutation(len(looks))).split(_BATCH)[: len(looks) // _BATCH]:
            features = encoder(to_pixels(pixels[rows.numpy()]), extents[rows])
            loss = sum(
                (nn.functional.cross_entropy(head(features), looks[rows, i]) for i, head in enumerate(heads)),
                start=features.new_zeros(()),
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        bar.set_postfix(loss=f"{np.mean(losses):.3f}")
    encoder.eval().requires_grad_(False)
    with torch.no_grad():
        mean = encoder(to_pixels(pixels[:4096]), extents[:4096]).mean(0)
    return mean, float(np.mean(losses))


def _crops(seed: int, pictures: int) -> tuple[NDArray[np.uint8], Tensor, Tensor]:
    """uint8 [n, s, s, 3], extents [n, 2] and attribute values int64 [n, 4] of all objects of `pictures` scenes."""
    cuts, looks = [], []
    stream = scenes(seed, "lxmert-crops", 0, pictures)
    for scene, _ in tqdm(stream, total=pictures, desc="lxmert-crops", disable=None):
        cuts.append(cut(scene))
        looks.append(ATTRIBUTE_IDS[scene.kinds])
    boxes = torch.from_numpy(np.concatenate([c.boxes for c in cuts]))
    pixels = np.concatenate([c.crops for c in cuts])
    return pixels, boxes[:, 2:] - boxes[:, :2], torch.from_numpy(np.concatenate(looks))
