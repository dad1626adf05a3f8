"""Faithfulness of pairs: what two atoms give together, by removing them, against the interaction that is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from analysis_core.arguments import count, one_attribution
from analysis_core.errors import BadInput
from analysis_core.evaluation.faithfulness_game import target_of
from analysis_core.models.base import MultimodalModel
from analysis_core.seeds import generator
from analysis_core.stages.removal import removal
from analysis_core.types import Attribution


@dataclass(frozen=True)
class PairFaithfulness:
    """Reported interactions against f - f(-s) - f(-t) + f(-s,-t), pair by pair.

    Pairs that a pre-selection never looked at (config["selected"] of crossmodal.lime and shap) are no reported zeros:
    only pairs of selected atoms are ranked, correlated and relabelled.

    comprehensiveness: float64 [n_source, n_to], that difference, signed, in the target's units
    top:               int64 [k, 2], the pairs with the largest reported interaction: rows of the result, atoms of `to`
    top_mean, mean:    mean size of the difference over the top pairs, and over all pairs, looked at or not
    correlation:       Spearman's over the pairs looked at, of sizes; None where one side is the same everywhere
    null:              the middle 95 % of it when source and target atoms are relabelled at random; p: share of
                       relabellings with at least this correlation, itself counted
    """

    comprehensiveness: Tensor
    top: Tensor
    top_mean: float
    mean: float
    correlation: float | None
    null: tuple[float, float] | None
    p: float | None
    method: str
    target: Mapping[str, Any]
    config: Mapping[str, Any]
    quality: Mapping[str, Any]


def pairs(
    model: MultimodalModel,
    sample: Mapping[str, Any],
    attribution: Attribution,
    *,
    top: int = 10,
    permutations: int = 1000,
    seed: int = 0,
) -> PairFaithfulness:
    """Pairwise comprehensiveness of a cross-modal result, and its rank correlation with what the result reports.

    attribution:  with pairs of single atoms, of the same sample; signs are not compared, because a norm has none
    top:          so many pairs with the largest reported size
    permutations: of the atoms' labels, rows and columns apart: pairs share atoms, so they are not shuffled one by one
    raises:       BadInput (no pairs of atoms, pairs that are not finite or of another shape), UnknownName
    source:       ours; the relabelling is the quadratic assignment procedure (Hubert and Schultz 1976)
    """
    attribution = one_attribution(attribution)
    reported, config = attribution.pairs, attribution.config
    if reported is None or "source" not in config or "to" not in config:
        raise BadInput(f"{attribution.method} has no pairs of atoms: give a result of stage C")
    if "phrases" in config or "boxes" in config:
        raise BadInput("pairs are removed atom by atom: give the result of the words and atoms themselves")
    if not bool(reported.isfinite().all()):
        raise BadInput(f"{attribution.method} has pairs that are not finite: there is no order to judge")
    top, permutations = count("top", top), count("permutations", permutations)
    atoms = config.get("atoms")
    found = removal(model, sample, target_of(attribution), source=config["source"], to=config["to"], atoms=atoms)
    assert found.pairs is not None
    if found.pairs.shape != reported.shape:
        raise BadInput(f"the result has {tuple(reported.shape)} pairs, the sample {tuple(found.pairs.shape)}")
    sizes = found.pairs.abs()
    rows, columns = _looked_at(config, found.pairs.shape)
    shown = reported.abs()[rows][:, columns]
    order = shown.flatten().argsort(descending=True, stable=True)[:top]
    first, second = rows[order // len(columns)], columns[order % len(columns)]
    # What is left of a difference of four equal numbers has no rank.
    removed = torch.where(sizes > found.quality["round_off"], sizes, 0)[rows][:, columns]
    correlation, null, p = _correlation(shown, removed, permutations, seed)
    return PairFaithfulness(
        comprehensiveness=found.pairs,
        top=torch.stack([first, second], dim=1),
        top_mean=float(sizes[first, second].mean()),
        mean=float(sizes.mean()),
        correlation=correlation,
        null=null,
        p=p,
        method=attribution.method,
        target=dict(attribution.target),
        config={"attribution": dict(config), "top": top, "permutations": permutations, "seed": seed},
        quality=found.quality,
    )


def _looked_at(config: Mapping[str, Any], shape: torch.Size) -> tuple[Tensor, Tensor]:
    """Rows and columns of the pairs that the method computed: all, or those of the atoms that it pre-selected."""
    selected = config.get("selected", {})

    def kept(modality: str, atoms: Sequence[int]) -> Tensor:
        wanted = set(selected.get(modality, atoms))
        return torch.tensor([at for at, atom in enumerate(atoms) if atom in wanted], dtype=torch.int64)

    sources = config.get("atoms")
    return kept(config["source"], range(shape[0]) if sources is None else sources), kept(config["to"], range(shape[1]))


def _correlation(
    a: Tensor, b: Tensor, permutations: int, seed: int
) -> tuple[float | None, tuple[float, float] | None, float | None]:
    """Spearman's correlation of two matrices, the middle 95 % under relabelling of rows and columns, and p."""
    one, two = _unit_ranks(a), _unit_ranks(b)
    if one is None or two is None:
        return None, None, None
    observed = float((one * two).sum())
    random = np.random.default_rng(generator(seed, "pairs").initial_seed())
    drawn = np.empty(permutations)
    for k in range(permutations):
        rows, columns = (random.permutation(n) for n in two.shape)
        drawn[k] = (one * two[rows][:, columns]).sum()
    low, high = np.quantile(drawn, (0.025, 0.975))
    # Relabellings that change nothing must count as equal in spite of round-off.
    return observed, (float(low), float(high)), float((1 + (drawn >= observed - 1e-9).sum()) / (1 + permutations))


def _unit_ranks(t: Tensor) -> NDArray[np.float64] | None:
    """Ranks, centred and of length 1; None where all are equal."""
    ranks = rankdata(t.detach().cpu().numpy().ravel()).reshape(t.shape)
    centred: NDArray[np.float64] = ranks - ranks.mean()
    length = float(np.linalg.norm(centred))
    return centred / length if length > 0 else None
