"""The usual way of perturbing: rows per modality and target, one forward pass per row; and how many those are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.surrogate import cosine_kernel, fit_ridge
from analysis_core.targets import Target, select

#: Perturbed rows of one modality for one target.
ROWS = 100
FEATURES, EXAMPLES = 5, 3
#: Datapoints that each perturbed row of DIME is combined with.
PARTNERS = 100


@dataclass(frozen=True)
class Forwards:
    """Forward passes per item and stage, counted, not run.

    DIME stands beside `total`: set `total_with_dime` only against a way that computes DIME as well.
    DIME_once: the partners among themselves, once for all items
    """

    U: int
    Rl: int
    Rl_per_feature: int
    C: int
    Rg: int
    DIME: int
    DIME_once: int

    @property
    def total(self) -> int:
        """Rl as one set of rows for all features of a label."""
        return self.U + self.Rl + self.C + self.Rg

    @property
    def total_with_dime(self) -> int:
        return self.total + self.DIME


def forwards(*, modalities: int = 2, labels: int = 1) -> Forwards:
    """ROWS per modality and label for U and for each label's set of features in Rl; Rg anew for every item.

    Rl_per_feature: were each feature given its own rows. C: as ours, one to choose the words and one for all words.
    DIME: a row that perturbs one modality is combined with PARTNERS datapoints' other modalities (two modalities:
    100 rows x 2 x 100 = 20,000 per label); of more modalities the others are taken together from each partner
    """
    one = ROWS * modalities * labels
    return Forwards(
        U=one,
        Rl=one,
        Rl_per_feature=one * FEATURES,
        C=2 * labels,
        Rg=one * FEATURES * EXAMPLES,
        DIME=one * PARTNERS,
        DIME_once=PARTNERS**2,
    )


def lime(model: MultimodalModel, sample: Mapping[str, Any], target: Target, modality: str, *, seed: int = 0) -> Tensor:
    """LIME of one modality for one target, the others present: ROWS forward passes. float64 [n_atoms]"""
    encoded = leaves.encode(model, sample)
    absent = leaves.encode_baseline(model, encoded)[modality]
    atoms, x = encoded.atoms[modality], encoded.x[modality]
    groups = leaves.leaf_groups(atoms, x)
    keep = torch.rand(ROWS, len(atoms), generator=generator(seed, "usual")) < 0.5
    keep[0] = True
    # Leaves of no atom (CLS, PAD) index the extra column, which always keeps.
    per_leaf = torch.cat([keep, torch.ones(ROWS, 1, dtype=torch.bool)], dim=1).to(x.device)[:, groups]
    values = []
    with torch.no_grad():
        for row in per_leaf:
            masked = torch.where(leaves.over_input(atoms.kind, row[None], x), x, absent)
            output = leaves.forward(model, {**encoded.x, modality: masked}, encoded.aux)
            values.append(select(target, output).to("cpu", torch.float64))
    return fit_ridge(keep.to(torch.float64), torch.stack(values), cosine_kernel(keep)).coefficients[:, 0]
