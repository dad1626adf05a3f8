"""Encodings by number, each made once and kept while it fits and is still wanted.

Masking keeps masked states of one sample here, EMAP and DIME the modalities of many samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from analysis_core.batching import CPU_BUDGET
from analysis_core.stages.towers import Part


class Budget:
    """Bytes that several shelves may keep together."""

    def __init__(self, device: torch.device, limit: int | None = None) -> None:
        """limit: None = as much as one batch may take; an eighth of the memory on an accelerator"""
        if limit is None:
            limit = CPU_BUDGET
            if device.type == "cuda":
                limit = torch.cuda.get_device_properties(device).total_memory // 8
        self.left = limit

    def spend(self, nbytes: int) -> bool:
        """Whether that much was left; if so, it is taken."""
        if nbytes > self.left:
            return False
        self.left -= nbytes
        return True

    def give_back(self, nbytes: int) -> None:
        self.left += nbytes


class Shelf:
    """Rows of one modality by number 0, 1, ...; what is not kept is made again when it is asked for."""

    def __init__(self, make: Callable[[Tensor], Part], budget: Budget, *, wanted: Tensor | None = None) -> None:
        """make:   numbers int64 [n], all different -> their rows
        wanted: int64, how many rows of each number will be taken in all; kept no longer than that. None = unknown
        """
        self._make, self._budget = make, budget
        self._left = None if wanted is None else wanted.clone()
        self._kept: dict[int, Part] = {}

    def put(self, number: int, row: Part) -> None:
        """Keep a row that is known already, if it fits."""
        if number not in self._kept and self._budget.spend(row.nbytes):
            self._kept[number] = row.copy()

    def take(self, numbers: Tensor) -> Part:
        """Rows of int64 [n], repeats allowed. A row that all have in common is expanded, not copied."""
        unique, inverse, counts = torch.unique(numbers, return_inverse=True, return_counts=True)
        wanted = unique.tolist()
        if self._left is not None:
            self._left[unique] -= counts
        known = {k: self._kept[k] for k in wanted if k in self._kept}
        missing = torch.tensor([k for k in wanted if k not in known], dtype=torch.int64)
        made = self._make(missing) if len(missing) else None
        if made is not None:
            for i, k in enumerate(missing.tolist()):
                if self._left is None or self._left[k] > 0:
                    self.put(k, made.span(i, i + 1))
        self._drop(wanted)
        if len(wanted) == 1:
            return (known[wanted[0]] if made is None else made).over(len(numbers))
        if made is not None and not known:
            in_order = len(numbers) == len(wanted) and bool((inverse == torch.arange(len(inverse))).all())
            return made if in_order else made.at(inverse)
        if made is not None:
            known |= {k: made.span(i, i + 1) for i, k in enumerate(missing.tolist())}
        return Part.joined([known[k] for k in numbers.tolist()])

    def _drop(self, numbers: Sequence[int]) -> None:
        if self._left is None:
            return
        for k in numbers:
            if k in self._kept and self._left[k] <= 0:
                self._budget.give_back(self._kept.pop(k).nbytes)
