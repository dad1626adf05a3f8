"""Extremes without repetitions: no two datapoints that show the same picture or the same words (stage R, global)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from analysis_core.arguments import count, whole
from analysis_core.errors import BadInput
from analysis_core.stages.extremes import Extremes, ExtremesSoFar
from analysis_core.stages.streaming import extremes_of, layer_of

#: Candidates per place in the first pass, and how many times as many in the next one.
_SPARES = 4

Marks = frozenset[Hashable]


def distinct(
    store: Any,
    marks: Callable[[int], Iterable[Hashable]],
    *,
    k: int = 3,
    features: Sequence[int] | None = None,
    exclude: Iterable[int] = (),
    pool: int | None = None,
    layer: str = "penultimate",
) -> Extremes:
    """Top and bottom k datapoints of which no two share a mark, nor one with an excluded datapoint.

    store, exclude, pool, layer: as for `extremes`; `store` is read again with more candidates until k are distinct, so
              it must not be an iterator
    marks:    of a dataset index: what the datapoint shows, such as its picture's path and its words. Asked once for
              each candidate
    features: the features wanted, the rows of the result; None = all d
    returns:  Extremes [len(features), k]. Where fewer than k are distinct, repeated ones follow, the most extreme first
    raises:   as `extremes`; BadInput (features that do not exist, marks that cannot be compared)
    """
    k = count("k", k)
    if isinstance(store, Iterable) and iter(store) is store:
        raise BadInput("an iterator can be read only once: give a matrix, a feature store or a list of chunks")
    known: dict[int, Marks] = {}

    def marks_of(row: int) -> Marks:
        if row not in known:
            known[row] = _frozen(marks(row), row)
        return known[row]

    excluded, wanted, candidates = left_out(exclude), _wanted(features), _SPARES * k
    taken: Marks | None = None
    while True:
        ends = ExtremesSoFar(candidates, exclude=excluded, pool=pool)
        extremes_of(layer_of(store, layer), ends)
        found = ends.found(at_least=k)
        if taken is None:
            # After the pass, which has refused what does not exist: a stream's length is not known before.
            taken = frozenset().union(*map(marks_of, excluded))
        chosen = {
            name: [_first(row, marks_of, k, taken) for row in _rows(getattr(found, name), wanted)]
            for name in ("top", "bottom")
        }
        lacking = any(len(places) < k for each in chosen.values() for places in each)
        if not lacking or candidates >= ends.considered:
            return _taken(found, chosen, wanted, k)
        candidates *= _SPARES


def left_out(exclude: Iterable[int]) -> tuple[int, ...]:
    """Dataset indices that must not come up. raises: BadInput (no list of indices from 0 on)"""
    return tuple(count("an index in exclude", i, least=0) for i in _each("exclude", exclude))


def _wanted(features: Sequence[int] | None) -> list[int] | None:
    if features is None:
        return None
    return [whole("an index in features", j) for j in _each("features", features)]


def _each(name: str, indices: Any) -> Iterator[Any]:
    try:
        # The letters of a text are no indices: they are refused one by one.
        return iter(indices)
    except TypeError as error:
        raise BadInput(f"{name} must be a list of indices, such as [3, 17], not {indices!r}") from error


def _frozen(marks: Any, row: int) -> Marks:
    # A text is a collection too, of its letters.
    if isinstance(marks, str | bytes) or not isinstance(marks, Iterable):
        raise BadInput(f"marks of datapoint {row} must be a list, such as [path, words], not {marks!r}")
    try:
        return frozenset(marks)
    except TypeError as error:
        raise BadInput(f"marks of datapoint {row} must be texts, numbers or tuples of them ({error})") from error


def _rows(table: Tensor, features: list[int] | None) -> list[list[int]]:
    if features is not None and not all(0 <= j < len(table) for j in features):
        raise BadInput(f"features must be from 0 to {len(table) - 1}, not {features}")
    rows: list[list[int]] = (table if features is None else table[features]).tolist()
    return rows


def _first(candidates: Sequence[int], marks_of: Callable[[int], Marks], k: int, taken: Marks) -> list[int]:
    """Places in `candidates` of the first k that share no mark with one before, nor with `taken`."""
    places: list[int] = []
    for place, row in enumerate(candidates):
        if len(places) == k:
            break
        own = marks_of(row)
        if not own & taken:
            places.append(place)
            taken |= own
    return places


def _taken(found: Extremes, chosen: dict[str, list[list[int]]], features: list[int] | None, k: int) -> Extremes:
    parts: dict[str, Tensor] = {}
    for name, each in chosen.items():
        whole = [[*places, *(i for i in range(k + len(places)) if i not in places)][:k] for places in each]
        at = torch.tensor(whole, dtype=torch.int64).reshape(-1, k)
        for table in (name, f"{name}_values"):
            rows = getattr(found, table) if features is None else getattr(found, table)[features]
            parts[table] = rows.gather(1, at)
    return Extremes(**parts)
