"""The points that a failure concerns, fixed before anything is trained: by answer, or by words of the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.chunks import as_array
from analysis_core.errors import BadInput
from analysis_core.evaluation.debugging.matrices import marks


@dataclass(frozen=True, eq=False)
class Subset:
    """name: what the failure is called; members: booleans [n] over the test set"""

    name: str
    members: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.members.sum())

    def share_of_errors(self, wrong: Any) -> float:
        """How much of all errors lies in this subset, 0 to 1; 0 where there is no error.

        wrong: booleans [n] over the test set. raises: BadInput (another length, not booleans)
        """
        errors = marks(f"{self.name}: wrong", wrong, len(self.members))
        return float(errors[self.members].sum() / errors.sum()) if errors.any() else 0.0


def by_answer(name: str, classes: Iterable[int], *, labels: Any, predicted: Any) -> Subset:
    """Points whose truth or original prediction is one of the classes.

    labels, predicted: [n] class ids, the prediction before any fine-tuning
    raises: BadInput (no class, unequal lengths, no such point)
    """
    wanted, truth, said = list(classes), np.asarray(as_array(labels)), np.asarray(as_array(predicted))
    if not wanted or truth.shape != said.shape or truth.ndim != 1:
        raise BadInput(f"{name}: a subset by answer needs classes, and a truth and a prediction per point")
    return _of_some(name, np.isin(truth, wanted) | np.isin(said, wanted))


def by_words(name: str, words: Iterable[str], *, texts: Sequence[str]) -> Subset:
    """Points whose text has one of the words, whole words in any case. raises: BadInput (no word, no such point)"""
    wanted = [re.escape(word) for word in words if word.strip()]
    if not wanted:
        raise BadInput(f"{name}: a subset by words needs words")
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE)
    return _of_some(name, np.array([pattern.search(text) is not None for text in texts], dtype=bool))


def _of_some(name: str, members: NDArray[np.bool_]) -> Subset:
    if not members.any():
        raise BadInput(f"{name}: no point of the test set belongs to this subset")
    return Subset(name, members)
