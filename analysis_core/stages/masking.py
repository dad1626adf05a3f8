"""The masking engine: one game over all atoms of the chosen modalities. LIME, SHAP and faithfulness stand on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.arguments import listed
from analysis_core.batching import Batches
from analysis_core.errors import BadInput, UnknownName
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.towers import Fusion, Part, divided
from analysis_core.stages.towers_shelf import Budget, Shelf
from analysis_core.targets import Feature, Target
from analysis_core.types import Output


@dataclass(frozen=True)
class Columns:
    """Where one modality's atoms lie among the columns of a mask matrix."""

    modality: str
    start: int
    stop: int


class Masking:
    """One sample with atoms switched off in any combination; the rows of a mask matrix serve every target.

    unperturbed: Output [1, ...] of the whole sample, float64 CPU
    columns:     the mask matrix's columns, modality by modality; `n_atoms` of them
    forwards:    rows that really went through the model so far (with towers: through their fusion)
    encodings:   rows that really went through each modality's tower; empty where the model has no towers
    batches:     rows at a time, halved when memory runs out
    """

    def __init__(
        self, model: MultimodalModel, sample: Mapping[str, Any], *, modalities: Iterable[str] | None = None
    ) -> None:
        """modalities: those whose atoms are switched; the others stay present. None = all; a string is one name

        raises: BadInput (a chosen modality is empty, encode() or forward() is not as the protocol says), UnknownName
        """
        self.model = model
        self.encoded = leaves.encode(model, sample)
        modalities = model.modalities if modalities is None else modalities
        named = [modalities] if isinstance(modalities, str) else listed("modalities", modalities, '["image"]')
        for modality in named:
            if not isinstance(modality, str):
                raise UnknownName("modality", modality, model.modalities)
            leaves.require_modality(self.encoded, modality)
        chosen = tuple(dict.fromkeys(named))
        self.columns = _layout([(m, len(self.encoded.atoms[m])) for m in chosen])
        self.n_atoms = self.columns[-1].stop if self.columns else 0
        if self.n_atoms == 0:
            raise BadInput("no modality was chosen: there is no atom to switch off")
        self._baseline = leaves.encode_baseline(model, self.encoded)
        self._fusion = Fusion(model)
        self._present, self._whole = self._fusion.begin(self.encoded)
        self.unperturbed = _exact(self._whole, self._whole.layers)
        self.batches = Batches(min(self._fusion.encode_batches.size, self._fusion.fuse_batches.size))

    @property
    def forwards(self) -> int:
        return self._fusion.forwards

    @forwards.setter
    def forwards(self, rows: int) -> None:
        """For methods that send rows of their own through the model."""
        self._fusion.forwards = rows

    @property
    def encodings(self) -> dict[str, int]:
        return dict(self._fusion.encodings)

    def predict_masks(self, Z: Tensor, *, layers: Sequence[str] = ()) -> Output:
        """The model's output with the atoms of each row's zeros replaced by the baseline.

        Z:       [S, n_atoms], non-zero keeps the atom; equal rows are computed once, the whole sample not again
        layers:  named layers to return beside logits and features
        returns: Output with float64 CPU [S, K], [S, d]
        raises:  BadInput (wrong width), UnknownName (layer)
        """
        if Z.dim() != 2 or Z.shape[1] != self.n_atoms or Z.shape[0] == 0:
            raise BadInput(f"masks must be [rows, {self.n_atoms}], not {tuple(Z.shape)}")
        for name in layers:
            if name not in self._whole.layers:
                raise UnknownName("layer", name, ("penultimate", *self._whole.layers))
        rows, inverse = torch.unique(Z.detach().cpu() != 0, dim=0, return_inverse=True)
        # Sorted rows put the whole sample last: its output is known already.
        known = bool(rows[-1].all())
        unknown = rows[:-1] if known else rows
        parts = list(self._run(unknown, layers)) if len(unknown) else []
        if known:
            parts.append(_exact(self._whole, layers))
        return _take(parts, inverse)

    def split(self, per_atom: Tensor) -> dict[str, Tensor]:
        """Figures of all atoms [n_atoms] by modality."""
        return {c.modality: per_atom[c.start : c.stop].clone() for c in self.columns}

    def masked(self, column: Columns, keep: Tensor) -> Part:
        """One modality with the atoms of each row's zeros absent, encoded: keep bool [rows, stop - start]."""
        modality = column.modality
        atoms, x = self.encoded.atoms[modality], self.encoded.x[modality]
        groups = leaves.leaf_groups(atoms, x)
        keep = keep.to(x.device)
        # Leaves of no atom (CLS, PAD) index the extra column, which always keeps.
        always = torch.ones(len(keep), 1, dtype=torch.bool, device=x.device)
        per_leaf = torch.cat([keep, always], dim=1)[:, groups]
        leaf = torch.where(leaves.over_input(atoms.kind, per_leaf, x), x, self._baseline[modality])
        return self._fusion.encode(modality, leaf, *divided(self.encoded.aux[modality]))

    def _run(self, rows: Tensor, layers: Sequence[str]) -> Iterator[Output]:
        budget = Budget(next(iter(self.encoded.x.values())).device)
        sources = {c.modality: self._source(c, rows[:, c.start : c.stop], budget) for c in self.columns}

        def forward(start: int, stop: int) -> Output:
            parts = {m: part.over(stop - start) for m, part in self._present.items() if m not in sources}
            parts |= {m: source(start, stop) for m, source in sources.items()}
            return _exact(self._fusion.fuse(parts), layers)

        yield from self.batches.run(len(rows), forward)

    def _source(self, column: Columns, keep: Tensor, budget: Budget) -> Callable[[int, int], Part]:
        """Where a batch of rows finds a modality: with towers, each of its states is encoded once."""
        if self._fusion.towers is None:
            return lambda start, stop: self.masked(column, keep[start:stop])
        states, numbers = torch.unique(keep, dim=0, return_inverse=True)
        shelf = Shelf(lambda some: self.masked(column, states[some]), budget, wanted=numbers.bincount())
        if bool(states[-1].all()):
            # Sorted states put the untouched one last: it is encoded already.
            shelf.put(len(states) - 1, self._present[column.modality])
        return lambda start, stop: shelf.take(numbers[start:stop])


def layers_of(targets: Iterable[Target]) -> tuple[str, ...]:
    """The named layers that targets read beside the penultimate features."""
    named = {t.layer for t in targets if isinstance(t, Feature) and t.layer != "penultimate"}
    return tuple(sorted(named))


def _layout(sizes: Iterable[tuple[str, int]]) -> tuple[Columns, ...]:
    columns: list[Columns] = []
    start = 0
    for modality, size in sizes:
        columns.append(Columns(modality, start, start + size))
        start += size
    return tuple(columns)


def _exact(output: Output, layers: Iterable[str]) -> Output:
    def move(t: Tensor) -> Tensor:
        return t.detach().to("cpu", torch.float64)

    return Output(move(output.logits), move(output.features), {name: move(output.layers[name]) for name in layers})


def _take(parts: Sequence[Output], rows: Tensor) -> Output:
    logits = torch.cat([p.logits for p in parts])[rows]
    features = torch.cat([p.features for p in parts])[rows]
    names = parts[0].layers
    return Output(logits, features, {n: torch.cat([p.layers[n] for p in parts])[rows] for n in names})
