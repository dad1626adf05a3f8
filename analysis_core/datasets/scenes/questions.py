"""Questions about a scene with answer, functional program and what they refer to.

Every "the ..." has exactly one referent; wanted answers are drawn before descriptions, so that the wording says little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from analysis_core.datasets.scenes.programs import Builder, Program
from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES, DESCRIPTIONS, FITS, KINDS, NAMES, Description

Bools = NDArray[np.bool_]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Question:
    """first, second: the objects that the phrases name (-1 = none); sets: objects counted [n_objects] or None.

    spans: where the text holds each phrase, without its article: characters [start, stop), first phrase first
    """

    kind: str
    text: str
    answer: str
    program: Program
    first: int = -1
    second: int = -1
    sets: tuple[Bools | None, Bools | None] = (None, None)
    spans: Spans = ()


class Asker:
    """Draws questions about one scene's objects."""

    def __init__(self, kinds: NDArray[np.int64], rng: np.random.Generator) -> None:
        """kinds: [n_objects] indices into vocabulary.KINDS"""
        self._rng = rng
        self._looks = [KINDS[k] for k in kinds]
        self._fits = FITS[kinds]
        self._counts = self._fits.sum(0)

    def ask(self, n: int) -> list[Question]:
        """n different questions (fewer where a scene does not offer so many)."""
        found: dict[str, Question] = {}
        for kind in self._kinds(4 * n):
            family, _, attribute = kind.partition("_")
            question = _FAMILIES[family](self, attribute)
            if question is not None:
                found.setdefault(question.text, question)
                if len(found) == n:
                    break
        return list(found.values())

    def _kinds(self, n: int) -> Iterator[str]:
        for i in np.searchsorted(_CUMULATIVE, self._rng.random(n), side="right"):
            yield _KIND_NAMES[i]

    def query(self, attribute: str) -> Question | None:
        """What color is the small cube?"""
        for i in self._order():
            the = self._name(i, attribute)
            if the is not None:
                program = Builder()
                program.add(f"query_{attribute}", program.the(the))
                text, spans = _worded(f"What {attribute} is the {{}}?", the.phrase())
                answer = getattr(self._looks[i], attribute)
                return Question(f"query_{attribute}", text, answer, program.program, i, i, spans=spans)
        return None

    def pair(self, attribute: str) -> Question | None:
        """What color are the small cube and the red sphere? -> gray+red, in the question's order."""
        named = [(i, the) for i in self._order() if (the := self._name(i, attribute)) is not None][:2]
        if len(named) < 2:
            return None
        (i, a), (j, b) = named
        program = Builder()
        values = [program.add(f"query_{attribute}", program.the(the)) for the in (a, b)]
        program.add("pair", *values)
        text, spans = _worded(f"What {attribute} are the {{}} and the {{}}?", a.phrase(), b.phrase())
        answer = f"{getattr(self._looks[i], attribute)}+{getattr(self._looks[j], attribute)}"
        return Question(f"pair_{attribute}", text, answer, program.program, i, j, spans=spans)

    def same(self, attribute: str) -> Question | None:
        """Do the small cube and the red sphere have the same color?"""
        wanted, order = self._rng.random() < 0.5, self._order()
        for i, j in ((i, j) for i in order for j in order if i != j):
            if (getattr(self._looks[i], attribute) == getattr(self._looks[j], attribute)) != wanted:
                continue
            a, b = self._name(i, attribute), self._name(j, attribute)
            if a is None or b is None:
                continue
            program = Builder()
            values = [program.add(f"query_{attribute}", program.the(the)) for the in (a, b)]
            program.add(f"equal_{attribute}", *values)
            text, spans = _worded(f"Do the {{}} and the {{}} have the same {attribute}?", a.phrase(), b.phrase())
            return Question(f"same_{attribute}", text, _yes(wanted), program.program, i, j, spans=spans)
        return None

    def besides(self, attribute: str) -> Question | None:
        """Besides the red cube, what color is the cube? Two objects fit the last phrase."""
        twos = np.flatnonzero((self._counts == 2) & _silent_about(attribute))
        if not len(twos):
            return None
        b = int(twos[self._rng.integers(len(twos))])
        i, j = self._rng.permutation(np.flatnonzero(self._fits[:, b])).tolist()
        a, other = self._name(i, ""), DESCRIPTIONS[b]
        if a is None:
            return None
        program = Builder()
        away = program.the(a)
        rest = program.add("except", program.matching(other), away)
        program.add(f"query_{attribute}", program.add("unique", rest))
        text, spans = _worded(f"Besides the {{}}, what {attribute} is the {{}}?", a.phrase(), other.phrase())
        answer = getattr(self._looks[j], attribute)
        return Question(f"besides_{attribute}", text, answer, program.program, i, j, spans=spans)

    def count(self, attribute: str) -> Question | None:
        """How many metal things are there?"""
        choices = _SAYING[int(np.searchsorted((0.08, 0.6, 0.92), self._rng.random()))]
        counts = self._counts[choices]
        d = self._one_of(choices[counts == self._rng.choice(np.unique(counts))])
        program = Builder()
        program.add("count", program.matching(DESCRIPTIONS[d]))
        text, spans = _worded("How many {} are there?", DESCRIPTIONS[d].phrase(plural=True))
        sets = (self._fits[:, d], None)
        return Question("count", text, str(self._counts[d]), program.program, sets=sets, spans=spans)

    def exist(self, attribute: str) -> Question | None:
        """Is there a small red thing?"""
        choices = _SAYING[1 + int(np.searchsorted((0.45, 0.85), self._rng.random()))]
        wanted = self._rng.random() < 0.5
        fitting = choices[(self._counts[choices] > 0) == wanted]
        if not len(fitting):
            return None
        d = self._one_of(fitting)
        program = Builder()
        program.add("exist", program.matching(DESCRIPTIONS[d]))
        text, spans = _worded("Is there a {}?", DESCRIPTIONS[d].phrase())
        return Question("exist", text, _yes(wanted), program.program, sets=(self._fits[:, d], None), spans=spans)

    def compare(self, attribute: str) -> Question | None:
        """Are there more red things than cubes?"""
        word, wanted = ("more", "fewer")[self._rng.integers(2)], self._rng.random() < 0.5
        for _ in range(12):
            a, b = (self._one_of(_SAYING[1 + int(self._rng.random() < 0.4)]) for _ in range(2))
            more, less = (a, b) if word == "more" else (b, a)
            if not self._counts[a] + self._counts[b] or _nested(a, b):
                continue
            if (self._counts[more] > self._counts[less]) == wanted:
                return self._comparison(word, a, b, _yes(wanted))
        return None

    def _comparison(self, word: str, a: int, b: int, answer: str) -> Question:
        program = Builder()
        counts = [program.add("count", program.matching(DESCRIPTIONS[d])) for d in (a, b)]
        program.add("greater_than" if word == "more" else "less_than", *counts)
        first, second = (DESCRIPTIONS[d].phrase(plural=True) for d in (a, b))
        text, spans = _worded(f"Are there {word} {{}} than {{}}?", first, second)
        sets = (self._fits[:, a], self._fits[:, b])
        return Question("compare_number", text, answer, program.program, sets=sets, spans=spans)

    def _name(self, i: int, hidden: str) -> Description | None:
        """A description that fits object i alone and does not name the attribute `hidden`; short ones preferred."""
        found = np.flatnonzero((self._counts == 1) & self._fits[i] & _silent_about(hidden))
        if not len(found):
            return None
        if self._rng.random() < 0.7:
            found = found[_LENGTHS[found] == _LENGTHS[found].min()]
        return DESCRIPTIONS[self._one_of(found)]

    def _order(self) -> list[int]:
        return self._rng.permutation(len(self._looks)).tolist()

    def _one_of(self, choices: NDArray[np.int64]) -> int:
        return int(choices[self._rng.integers(len(choices))])


@cache
def _silent_about(attribute: str) -> Bools:
    if not attribute:
        return np.ones(len(DESCRIPTIONS), bool)
    return ~NAMES[:, list(ATTRIBUTES).index(attribute)]


@cache
def _nested(a: int, b: int) -> bool:
    """Does one description follow from the other? Then one word alone would often give the answer away."""
    return bool((FITS[:, a] <= FITS[:, b]).all() or (FITS[:, b] <= FITS[:, a]).all())


def _worded(template: str, *phrases: str) -> tuple[str, Spans]:
    """A text with phrases in the places of {}, and where each of them lies in it."""
    before, *between = template.split("{}")
    text, spans = before, []
    for phrase, after in zip(phrases, between, strict=True):
        spans.append((len(text), len(text) + len(phrase)))
        text += phrase + after
    return text, tuple(spans)


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


_LENGTHS = NAMES.sum(1)
#: How many attributes are named -> the descriptions that name so many.
_SAYING = [np.flatnonzero(n == _LENGTHS) for n in range(len(ATTRIBUTES) + 1)]
_WEIGHTS = {
    **{f"query_{name}": 0.06 for name in ATTRIBUTES},
    "count": 0.16,
    "exist": 0.10,
    **{f"same_{name}": 0.03 for name in ATTRIBUTES},
    "compare_number": 0.10,
    **{f"pair_{name}": 0.065 for name in ("color", "shape")},
    **{f"besides_{name}": 0.0375 for name in ATTRIBUTES},
}
#: Every question type that is asked.
QUESTION_TYPES = tuple(_WEIGHTS)
_KIND_NAMES = QUESTION_TYPES
_CUMULATIVE = np.cumsum(list(_WEIGHTS.values()))[:-1]
_FAMILIES: dict[str, Callable[[Asker, str], Question | None]] = {
    "query": Asker.query,
    "pair": Asker.pair,
    "same": Asker.same,
    "besides": Asker.besides,
    "count": Asker.count,
    "exist": Asker.exist,
    "compare": Asker.compare,
}
