"""Pictures cut into superpixels, the atoms of models that see pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.segmentation import slic

from analysis_core.types import Atoms


def superpixels(image: NDArray[np.uint8], *, segments: int = 44, compactness: float = 12.0) -> Atoms:
    """SLIC superpixels (Achanta et al. 2012) of an RGB picture [H, W, 3]; deterministic.

    With the defaults a demo scene has 38 to 48, and 86 % of the objects' pixels lie in superpixels that are mostly
    theirs (75-80 % with about 31 superpixels; measured on 60 scenes).
    returns: Atoms of kind "superpixel": groups int64 [H * W] row-major, names "region 1".., boxes [n, 4] in pixels
    """
    return _cut(image.tobytes(), image.shape, segments, compactness)


# Questions about one picture follow each other, and each explanation encodes its sample more than once.
@lru_cache(maxsize=64)
def _cut(content: bytes, shape: tuple[int, ...], segments: int, compactness: float) -> Atoms:
    image = np.frombuffer(content, np.uint8).reshape(shape)
    labels = slic(image, n_segments=segments, compactness=compactness, start_label=0, channel_axis=-1)
    # SLIC may leave numbers out after merging small pieces: atoms are numbered without gaps.
    _, groups = np.unique(labels, return_inverse=True)
    grid = groups.reshape(labels.shape)
    n = int(grid.max()) + 1
    return Atoms(
        names=tuple(f"region {i + 1}" for i in range(n)),
        kind="superpixel",
        boxes=torch.from_numpy(np.array([_box(grid == i) for i in range(n)], np.float32)),
        groups=torch.from_numpy(grid.reshape(-1).astype(np.int64)),
    )


def _box(inside: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
