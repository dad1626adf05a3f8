"""Many samples taken apart by modality, to be mixed with each other. EMAP and DIME use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from analysis_core import leaves
from analysis_core.errors import BadInput
from analysis_core.models.base import MultimodalModel
from analysis_core.stages.towers import Fusion, Part, divided
from analysis_core.stages.towers_grid import Axis
from analysis_core.stages.towers_shelf import Budget, Shelf
from analysis_core.types import Encoded


class Crowd:
    """Samples of equal shapes behind one fusion; each is encoded once per modality, as far as memory allows.

    aux[modality] stays with its modality. What does not fit is encoded again when it is needed; fusion.encodings tells.
    """

    def __init__(
        self, model: MultimodalModel, samples: Iterable[Mapping[str, Any]], *, budget: Budget | None = None
    ) -> None:
        """samples: never changed

        raises: BadInput (no list, none in it, NaN, shapes that differ, an empty modality, fewer than two modalities)
        """
        if isinstance(samples, Mapping | str | bytes) or not isinstance(samples, Iterable):
            raise BadInput(f"give a list of samples, such as a dataset, not a {type(samples).__name__}")
        if len(model.modalities) < 2:
            raise BadInput("mixing samples needs a model of at least two modalities")
        self.model, self.samples = model, list(samples)
        if not self.samples:
            raise BadInput("there is no sample to mix: give at least one")
        self.first = leaves.encode(model, self.samples[0])
        self.budget = Budget(next(iter(self.first.x.values())).device) if budget is None else budget
        self.shelves = {m: self._shelf(m) for m in model.modalities}
        self.check(self.first, "sample 0")
        self.fusion = Fusion(model)
        parts, self.output = self.fusion.begin(self.first)
        for m, part in parts.items():
            self.shelves[m].put(0, part)
        self._encode_all()

    def __len__(self) -> int:
        return len(self.samples)

    def axis(self, modalities: Iterable[str], numbers: Tensor | None = None) -> Axis:
        """Some modalities of the samples at int64 [n], in step; None = all samples."""
        chosen = tuple(modalities)
        numbers = torch.arange(len(self)) if numbers is None else numbers
        return Axis({m: self.shelves[m] for m in chosen}, dict.fromkeys(chosen, numbers))

    def check(self, encoded: Encoded, name: str) -> None:
        """Whether a sample may stand in a batch beside the first one. raises: BadInput (names the modality)"""
        for m, x in encoded.x.items():
            if len(encoded.atoms[m]) == 0:
                raise BadInput(f"modality {m!r} of {name} is empty, it has no atom to mix: leave this sample out")
            if not bool(x.isfinite().all()):
                raise BadInput(f"{name} has NaN or infinite values in modality {m!r}: repair it or leave it out")
            ours, theirs = _form(self.first, m), _form(encoded, m)
            for what in {**ours, **theirs}:
                if ours.get(what) != theirs.get(what):
                    raise BadInput(
                        f"{name} and sample 0 differ in modality {m!r} ({what} {theirs.get(what)} and "
                        f"{ours.get(what)}): encode() must give all samples one shape before they can be mixed"
                    )

    def _shelf(self, modality: str) -> Shelf:
        return Shelf(lambda numbers: self._encode(numbers, modality), self.budget)

    def _encode_all(self) -> None:
        """One pass: a sample's encode() is called once for all its modalities."""
        size = self.fusion.encode_batches.size
        for start in range(1, len(self), size):
            found = [self._sample(i) for i in range(start, min(start + size, len(self)))]
            for m, shelf in self.shelves.items():
                part = self._part(found, m)
                for i in range(len(found)):
                    shelf.put(start + i, part.span(i, i + 1))

    def _encode(self, numbers: Tensor, modality: str) -> Part:
        size = self.fusion.encode_batches.size
        return Part.joined([self._part([self._sample(i) for i in n.tolist()], modality) for n in numbers.split(size)])

    def _sample(self, i: int) -> Encoded:
        if i == 0:
            return self.first
        encoded = leaves.encode(self.model, self.samples[i])
        self.check(encoded, f"sample {i}")
        return encoded

    def _part(self, found: list[Encoded], modality: str) -> Part:
        shared = divided(found[0].aux[modality])[1]

        def encode(start: int, stop: int) -> Part:
            some = [(e.x[modality], divided(e.aux[modality])[0]) for e in found[start:stop]]
            own = {name: torch.cat([aux[name] for _, aux in some]) for name in some[0][1]}
            return self.fusion.encode(modality, torch.cat([x for x, _ in some]), own, shared)

        return Part.joined(list(self.fusion.encode_batches.run(len(found), encode)))


def _form(encoded: Encoded, modality: str) -> dict[str, Any]:
    """What must be equal for rows to be stacked: shapes and types; values of aux that has no row per sample."""
    own, shared = divided(encoded.aux[modality])
    rows = {"": encoded.x[modality]} | {f"of aux {name!r}": t for name, t in own.items()}
    form: dict[str, Any] = {f"shape {name}".strip(): tuple(t.shape) for name, t in rows.items()}
    form |= {f"type {name}".strip(): t.dtype for name, t in rows.items()}
    return form | {f"aux {name!r}, shared by all,": t.tolist() for name, t in shared.items()}
