"""The small frozen CNN that stands in for a detector: crops of gold boxes -> region features."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Object boxes of a scene are up to this share of the picture wide: extents reach the network on a scale of about 1.
_EXTENT = 0.3


class CropEncoder(nn.Module):
    """Crops [n, 3, s, s] in 0..1 and the extents of their boxes [n, 2] -> features [n, d], standardised.

    The extent (width and height as shares of the picture) is part of the features: resizing a crop hides the size.
    """

    def __init__(self, side: int, channels: tuple[int, ...], features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in zip((3, *channels[:-1]), channels, strict=True):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
            side = (side + 1) // 2
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.project = nn.Linear(channels[-1] * side * side + 2, features)
        self.standardise = nn.BatchNorm1d(features, affine=False)

    def forward(self, crops: Tensor, extents: Tensor) -> Tensor:
        seen = self.convolutions(crops * 4 - 2)
        return self.standardise(self.project(torch.cat([seen, extents / _EXTENT], 1)))
