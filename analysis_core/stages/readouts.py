"""Two readouts of the same interactions, set side by side: where they disagree, neither should be read alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from scipy.stats import rankdata
from torch import Tensor

from analysis_core import targets
from analysis_core.arguments import one_attribution
from analysis_core.errors import BadInput
from analysis_core.types import Attribution

#: What two results must share to be compared.
_ABOUT = ("source", "to", "atoms", "phrases", "boxes")


@dataclass(frozen=True)
class ReadoutAgreement:
    """How far two readouts order the target atoms alike, source atom by source atom.

    correlations: float64 [n_source], Spearman's rank correlation of the sizes; NaN where a readout is constant or did
                  not look at the source atom
    same_top:     bool [n_source], the strongest target atom is the same; False where the correlation is NaN
    config:       the two methods and what they have in common; `selected` where a pre-selection left atoms out: the
                  rows and columns that both looked at
    """

    correlations: Tensor
    same_top: Tensor
    config: Mapping[str, Any]

    @property
    def compared(self) -> int:
        """Source atoms for which both readouts prefer something."""
        return int((~self.correlations.isnan()).sum())

    @property
    def mean_correlation(self) -> float | None:
        """Over the compared source atoms; None without any."""
        return float(self.correlations.nanmean()) if self.compared else None

    @property
    def top1(self) -> float | None:
        """Share of the compared source atoms whose strongest target atom is the same; None without any."""
        return int(self.same_top.sum()) / self.compared if self.compared else None

    def __str__(self) -> str:
        first, second = self.config["methods"]
        if self.mean_correlation is None:
            return (
                f"{first} and {second} cannot be compared: one of them is the same for all target atoms, or none was "
                f"looked at by both"
            )
        return (
            f"{first} and {second} order {self.config['to']} with a rank correlation of {self.mean_correlation:.2f} "
            f"(mean over {self.compared} of {len(self.correlations)} atoms of {self.config['source']}); "
            f"the strongest atom is the same for {int(self.same_top.sum())} of {self.compared}"
        )


def agreement(second: Attribution, removal: Attribution) -> ReadoutAgreement:
    """Agreement of two cross-modal results on the same sample, target and atoms, by the sizes of their pairs.

    second, removal: any two results with pairs, such as of second_order and removal; signs are ignored, because a norm
             has none. Pairs that a pre-selection (crossmodal.lime, shap) never looked at are left out
    returns: ReadoutAgreement; its text says it in a sentence
    raises:  BadInput (no pairs, or not about the same atoms, phrases, boxes and target)
    source:  no single readout is universal: second order misses steps on a plateau, removal misses pairs of objects
    """
    sizes = _sizes(one_attribution(second)), _sizes(one_attribution(removal))
    for name in _ABOUT:
        if second.config.get(name) != removal.config.get(name):
            raise BadInput(f"the two results differ in {name!r}: ask both for the same")
    if not targets.same(second.target, removal.target) or sizes[0].shape != sizes[1].shape:
        raise BadInput("the two results have different targets or numbers of atoms: ask both for the same")
    (n_rows, n_columns), looked = sizes[0].shape, [_looked_at(second), _looked_at(removal)]
    rows = [i for i in range(n_rows) if all(i in r for r, _ in looked)]
    columns = [j for j in range(n_columns) if all(j in c for _, c in looked)]
    correlations = torch.full((n_rows,), math.nan, dtype=torch.float64)
    same = torch.zeros(n_rows, dtype=torch.bool)
    for i in rows if columns else []:
        one, two = (size[i, columns] for size in sizes)
        correlations[i] = rank_correlation(one, two)
        same[i] = _same_top(one, two) and not bool(correlations[i].isnan())
    shared: dict[str, Any] = {name: second.config[name] for name in _ABOUT if name in second.config}
    if len(rows) < n_rows or len(columns) < n_columns:
        shared["selected"] = {"rows": rows, "columns": columns}
    config = {"methods": [second.method, removal.method], "target": dict(second.target), **shared}
    return ReadoutAgreement(correlations, same, config)


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation of two vectors, ties sharing their mean rank; NaN where one of them is constant."""
    ranks = [torch.from_numpy(rankdata(t.detach().cpu().numpy())) for t in (a, b)]
    one, two = (r - r.mean() for r in ranks)
    scale = math.sqrt(float(one.square().sum()) * float(two.square().sum()))
    return float((one * two).sum()) / scale if scale > 0 else math.nan


def _sizes(result: Attribution) -> Tensor:
    """|pairs|, with what is round-off of a difference as 0."""
    if result.pairs is None:
        raise BadInput(f"{result.method} has no pairs to compare")
    sizes = result.pairs.abs()
    return torch.where(sizes > float(result.quality.get("round_off", 0)), sizes, 0)


def _looked_at(result: Attribution) -> tuple[Collection[int], Collection[int]]:
    """Rows and columns of the pairs that the method looked at; a phrase counts where all of its words do."""
    assert result.pairs is not None
    rows, columns = (range(n) for n in result.pairs.shape)
    selected = result.config.get("selected")
    if selected is None:
        return rows, columns
    config = result.config
    words = config.get("phrases") or [[atom] for atom in config.get("atoms", rows)]
    kept = set(selected[config["source"]])
    return [i for i, group in enumerate(words) if kept.issuperset(group)], selected[config["to"]]


def _same_top(a: Tensor, b: Tensor) -> bool:
    return bool(((a == a.max()) & (b == b.max())).any())
