"""The points that a failure concerns, fixed before anything is trained: by answer, or by words of the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis_core.arguments import whole
from analysis_core.chunks import as_array
from analysis_core.errors import BadInput
from analysis_core.evaluation.debugging.matrices import class_ids, marks


@dataclass(frozen=True, eq=False)
class Subset:
    """name: what the failure is called; members: booleans [n] over the test set, at least one of them true.

    raises: BadInput (members that are no marks, such as indices; none that is true)
    """

    name: str
    members: NDArray[np.bool_]

    def __post_init__(self) -> None:
        found = as_array(self.members)
        if found.ndim != 1 or not bool(np.isin(found, (0, 1)).all()):
            raise BadInput(f"{self.name}: members must be booleans [n], one per point of the test set")
        if not found.any():
            raise BadInput(f"{self.name}: no point of the test set belongs to this subset")
        object.__setattr__(self, "members", found.astype(bool))

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
    raises: BadInput (no class, unequal lengths, NaN or fractions, no such point)
    """
    if not isinstance(classes, Iterable):
        raise BadInput(f"{name}: give a list of classes, such as [3], not {classes!r}")
    wanted = [whole(f"{name}: a class id", k) for k in classes]
    truth, said = class_ids(f"{name}: labels", labels), class_ids(f"{name}: predicted", predicted)
    if not wanted or truth.shape != said.shape:
        raise BadInput(f"{name}: a subset by answer needs classes, and a truth and a prediction per point")
    return Subset(name, np.isin(truth, wanted) | np.isin(said, wanted))


def by_words(name: str, words: Iterable[str], *, texts: Sequence[str]) -> Subset:
    """Points whose text has one of the words, whole words in any case; a string is one word.

    raises: BadInput (no word, a single text in place of a list, a word or text that is none, no such point)
    """
    if isinstance(texts, str):
        raise BadInput(f"{name}: give a list of texts, one per point, not a single one")
    words = [words] if isinstance(words, str) else list(words)
    for what, given in (("word", words), ("text", texts)):
        for one in given:
            if not isinstance(one, str):
                raise BadInput(f"{name}: {one!r:.80} is no {what}")
    wanted = [re.escape(word) for word in words if word.strip()]
    if not wanted:
        raise BadInput(f"{name}: a subset by words needs words")
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE)
    return Subset(name, np.array([pattern.search(text) is not None for text in texts], dtype=bool))
