"""Frozen dataclasses that cross borders between datasets, models, stages, pictures. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

#: Kinds whose input is `[1, n_leaf, ...]`: one leaf per row, rows grouped into atoms.
ROW_KINDS = ("word", "region", "static", "time_step")
#: Kinds whose input is a picture `[1, C, H, W]`, its H*W pixels grouped into atoms (row-major).
PICTURE_KINDS = ("superpixel", "patch", "pixel")
#: Kinds whose input is a series `[1, T, C]`, its T*C entries grouped into atoms.
SERIES_KINDS = ("step_channel",)


@dataclass(frozen=True)
class Atoms:
    """The smallest parts of one modality that are attributed.

    names:  what a reader calls each atom (the word, "region 3"); its length is n_atoms
    kind:   one of ROW_KINDS, PICTURE_KINDS, SERIES_KINDS
    boxes:  [n_atoms, 4] x0 y0 x1 y1 in input pixels, or None
    groups: int64 [n_leaf] leaf -> atom; -1 belongs to no atom and is never masked (CLS, PAD); None = one atom per leaf
    """

    names: tuple[str, ...]
    kind: str
    boxes: Tensor | None = None
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Encoded:
    """One sample as a model sees it: leaf tensors `[1, ...]` per modality, what travels with them, and their atoms."""

    x: dict[str, Tensor]
    aux: dict[str, dict[str, Tensor]]
    atoms: dict[str, Atoms]


@dataclass(frozen=True)
class Output:
    """What a model returns: logits [B, K], penultimate features [B, d], and named layers [B, ...]."""

    logits: Tensor
    features: Tensor
    layers: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Attribution:
    """How much each atom (or pair of atoms) matters for one target.

    values:  per modality float64 CPU [n_atoms]
    pairs:   float64 CPU [n_source, n_to] for cross-modal methods, else None
    pixels:  float64 CPU [n_source, H, W] where asked for, else None
    target:  the resolved target as a plain dict, see targets.describe
    config:  everything that determines the numbers (method options, seed, source, to, atoms)
    quality: delta, surrogate R2, standard error, evaluations: what the figures are worth
    """

    values: Mapping[str, Tensor]
    target: Mapping[str, Any]
    method: str
    config: Mapping[str, Any]
    quality: Mapping[str, Any]
    pairs: Tensor | None = None
    pixels: Tensor | None = None
