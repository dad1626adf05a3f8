"""What the faithfulness metrics share: an attribution's target, its atoms in order, rows with some of them removed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import listed
from analysis_core.errors import BadInput, UnknownName
from analysis_core.seeds import generator
from analysis_core.stages.masking import Masking
from analysis_core.targets import AllLogits, Feature, Logit, Margin, Target
from analysis_core.types import Attribution

_TARGETS: dict[str, type] = {kind.__name__: kind for kind in (Logit, Margin, AllLogits, Feature)}


def target_of(attribution: Attribution) -> Target:
    """The target that an attribution explains. raises: UnknownName"""
    facts = dict(attribution.target)
    kind = str(facts.pop("kind", None))
    if kind not in _TARGETS:
        raise UnknownName("kind of target", kind, _TARGETS)
    found: Target = _TARGETS[kind](**facts)
    return found


def columns_of(game: Masking, attribution: Attribution, modalities: Iterable[str] | None) -> tuple[Tensor, Tensor]:
    """The game's columns that an attribution has values for, and these values: int64 [n], float64 [n].

    modalities: of the attribution's, those whose atoms are removed; None = all it has values for
    raises:     UnknownName (modality), BadInput (values for other atoms than the sample has, or not finite)
    """
    wanted = named(modalities)
    wanted = tuple(attribution.values) if wanted is None else wanted
    starts = {c.modality: c for c in game.columns}
    columns, values = [], []
    for modality in wanted:
        if modality not in attribution.values or modality not in starts:
            raise UnknownName("modality of the attribution", modality, [m for m in attribution.values if m in starts])
        column, figures = starts[modality], attribution.values[modality].to(torch.float64)
        if len(figures) != column.stop - column.start:
            raise BadInput(
                f"the attribution has {len(figures)} values for {modality!r}, the sample {column.stop - column.start} "
                "atoms: was it computed on another sample?"
            )
        if not bool(figures.isfinite().all()):
            raise BadInput(f"the attribution has values for {modality!r} that are not finite")
        columns.append(torch.arange(column.start, column.stop))
        values.append(figures)
    if not columns:
        raise BadInput("the attribution has values for no modality: there is no atom to remove")
    return torch.cat(columns), torch.cat(values)


def named(modalities: Iterable[str] | None) -> tuple[str, ...] | None:
    """The modalities asked for, each once: twice would remove and count its atoms twice. A string is one name."""
    if modalities is None:
        return None
    if isinstance(modalities, str):
        return (modalities,)
    return tuple(dict.fromkeys(listed("modalities", modalities, "['image']")))


def notes_of(attribution: Attribution, modalities: Iterable[str], *, ranked: bool = False) -> dict[str, Any]:
    """For a result's quality: {"notes": [...]} where atoms whose values cannot be compared are judged together.

    ranked: the atoms are put in order by their values; where all are equal, that order is nobody's
    """
    together, notes = tuple(modalities), []
    if len(together) > 1 and attribution.config.get("design") == "apart":
        notes.append(
            f"{' and '.join(together)} are judged together, but design='apart' fitted each modality while the others "
            "were whole, so that their values have no common order: judge one at a time with modalities=, or take "
            "design='joint'"
        )
    values = torch.cat([attribution.values[modality] for modality in together])
    if ranked and len(values) > 1 and bool((values == values[0]).all()):
        notes.append(
            f"all {len(values)} values are equal, so that the figures are those of the atoms in the order in which "
            "they are listed, and say nothing about the attribution"
        )
    return {"notes": notes} if notes else {}


def require_finite(f: Tensor) -> None:
    """The target's values on the rows of a game. raises: BadInput (not finite)"""
    if not bool(f.isfinite().all()):
        raise BadInput("the target is not finite here or with atoms removed: look for NaN inputs or weights")


def descending(columns: Tensor, values: Tensor) -> Tensor:
    """The columns from the highest value to the lowest; ties in the order of the atoms."""
    return columns[values.argsort(descending=True, stable=True)]


def random_orders(columns: Tensor, n: int, seed: int) -> list[Tensor]:
    """The columns in n random orders."""
    g = generator(seed, "faithfulness")
    return [columns[torch.randperm(len(columns), generator=g)] for _ in range(n)]


def without_first(order: Tensor, counts: Tensor, width: int) -> Tensor:
    """Masks bool [len(counts), width]: row r lacks the first counts[r] columns of the order."""
    return _first(order, counts, width, kept=False)


def with_first_only(order: Tensor, counts: Tensor, width: int) -> Tensor:
    """Masks bool [len(counts), width]: of the order's columns row r has the first counts[r] only."""
    return _first(order, counts, width, kept=True)


def _first(order: Tensor, counts: Tensor, width: int, *, kept: bool) -> Tensor:
    masks = torch.ones(len(counts), width, dtype=torch.bool)
    early = torch.arange(len(order))[None] < counts[:, None]
    masks[:, order] = early if kept else ~early
    return masks
