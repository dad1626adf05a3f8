"""First phase of cnn_lstm_sa: the backbone learns what every cell of the picture shows; then maps are cached."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES
from analysis_core.models.cnn_lstm_sa import blurred
from analysis_core.models.stacked_attention import Backbone
from analysis_core.training.cnn_lstm_sa_data import ATTRIBUTE_IDS, Cells, batches

_WIDTHS = [len(values) for values in ATTRIBUTES.values()]
#: Share of pictures with a part blurred away, so that the blurred baseline means "nothing here".
_BLUR = 0.3


class DenseHead(nn.Module):
    """Per cell: is an object here, and its size, colour, material and shape. Dropped after this phase."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.predict = nn.Conv2d(channels, 1 + sum(_WIDTHS), 1)

    def loss(self, maps: Tensor, inverse_area: Tensor, owner: Tensor, kinds: Tensor) -> Tensor:
        """maps [n, C, h, w], inverse_area [n, 1, h, w], owner int64 [n, cells], kinds int64 [n, objects]."""
        logits = self.predict(maps).flatten(2).transpose(1, 2)
        shown = owner >= 0
        total = nn.functional.binary_cross_entropy_with_logits(logits[..., 0], shown.to(logits.dtype))
        looks = torch.from_numpy(ATTRIBUTE_IDS)[kinds.gather(1, owner.clamp(min=0))][shown]
        for i, part in enumerate(logits[..., 1:][shown].split(_WIDTHS, -1)):
            total = total + nn.functional.cross_entropy(part, looks[:, i])
        wanted = _inverse_area(owner)
        return total + 4 * nn.functional.mse_loss(inverse_area.flatten(1), wanted)


def train_backbone(backbone: Backbone, *, seed: int, pictures: int, batch: int = 64) -> float:
    """Train on freshly generated scenes; returns the mean loss over the last tenth."""
    head = DenseHead(backbone.width - 3)
    backbone.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = -(-pictures // batch)
    parameters = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 50, 1.01 - step / steps))
    losses = []
    stream = batches(seed, "model-perception", pictures, batch, blur=_BLUR)
    for cells in (bar := tqdm(stream, total=steps, desc="perception", disable=None)):
        maps = backbone.convolutions(pixels(cells) * 4 - 2)
        owner = torch.from_numpy(cells.owner.astype(np.int64))
        loss = head.loss(maps, backbone.inverse_area(maps), owner, torch.from_numpy(cells.kinds))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    backbone.eval()
    return float(np.mean(losses[-max(1, steps // 10) :]))


@torch.no_grad()
def cell_maps(backbone: Backbone, image: NDArray[np.uint8]) -> Tensor:
    """Pictures [n, S, S, 3] -> what the reasoner reads, without coordinates, fp16 [n, C + 1, h, w]."""
    maps = backbone.convolutions(_to_tensor(image) * 4 - 2)
    return torch.cat([maps, backbone.inverse_area(maps)], 1).half()


def pixels(cells: Cells) -> Tensor:
    """The batch's pictures [n, 3, S, S] in 0..1, marked parts blurred."""
    image = _to_tensor(cells.image)
    touched = torch.from_numpy(cells.blur.any((1, 2)))
    if touched.any():
        mask = torch.from_numpy(cells.blur)[touched][:, None]
        image[touched] = torch.where(mask, blurred(image[touched]), image[touched])
    return image


def _to_tensor(image: NDArray[np.uint8]) -> Tensor:
    return (torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)


def _inverse_area(owner: Tensor) -> Tensor:
    """owner [n, cells] -> 1 / (cells of the same object) [n, cells], 0 on the ground."""
    one_hot = nn.functional.one_hot(owner + 1)[..., 1:].float()
    return (one_hot / one_hot.sum(1, keepdim=True).clamp(min=1)).sum(-1)
