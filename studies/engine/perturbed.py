"""What the model answers to a datapoint's perturbed rows, kept in bounded memory: one datapoint is often an example of
several features.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from studies.computed import Source
from studies.engine import loading

if TYPE_CHECKING:
    from analysis_core.stages.lime import Answers

#: Rows switch one modality and leave the other whole: steadier and truer at half the cost (docs/adr/0012).
DESIGN = "apart"
#: Answers of the demo's model to 200 rows take 0.5 MB.
MOST_BYTES = 48 * 2**20
#: Answers to more rows are too large to be held whole; each feature has rows of its own then.
MOST_ROWS = 8192


class Shelf:
    """Answers by key, the most recently used that fit."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, Answers] = OrderedDict()

    def get(self, key: Hashable) -> Answers | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: Hashable, answers: Answers) -> None:
        """Keep answers; such as would not fit by themselves are not kept, and push nothing out."""
        if answers.nbytes > self.most_bytes:
            return
        self._kept[key] = answers
        while sum(kept.nbytes for kept in self._kept.values()) > self.most_bytes:
            self._kept.popitem(last=False)


_SHELF = Shelf(MOST_BYTES)


def lime_answers(source: Source, split: str, index: int, *, layer: str, samples: int, seed: int) -> tuple[Answers, int]:
    """A datapoint's answers to LIME's rows, and the forward passes that they took now: none where still known.

    Whether they were known changes no result: the rows follow from the arguments alone.
    """
    from analysis_core.stages.lime import Answers

    key = (tuple(sorted(source.items())), loading.device(), split, index, layer, samples, seed)
    known = _SHELF.get(key)
    if known is not None:
        return known, 0
    sample: Any = loading.dataset(source, split)[index]
    layers = () if layer == "penultimate" else (layer,)
    found = Answers(loading.model(source), sample, samples=samples, seed=seed, design=DESIGN, layers=layers)
    _SHELF.put(key, found)
    return found, found.forwards
