"""From words to phrases: rows of a cross-modal result are added up after the norm."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from analysis_core.arguments import one_attribution
from analysis_core.errors import BadInput
from analysis_core.types import Attribution


def phrases(result: Attribution, groups: Sequence[Sequence[int]]) -> Attribution:
    """Interactions of phrases: the sum of their words' rows, in pairs and in pixels.

    result:  of second_order, removal or finite_step, with the phrases' words as source atoms
    groups:  source atoms of each phrase; a word may stand in several phrases, or in none
    returns: Attribution with pairs float64 [len(groups), n_atoms(to)], pixels [len(groups), H, W] where there were any
    raises:  BadInput (no pairs, rows that are phrases already, an empty phrase, a word that is no whole number, twice
             in one phrase, or not covered by the result)
    source:  Liang et al. 2023, appendix D.2, sums a phrase's words
    """
    result = one_attribution(result)
    words = _words(groups)
    rows, pairs = _rows(result, words), result.pairs
    assert pairs is not None
    summed = _sums(pairs, rows)
    return replace(
        result,
        values={str(result.config["to"]): summed.abs().sum(0)},
        pairs=summed,
        pixels=None if result.pixels is None else _sums(result.pixels, rows),
        method=f"{result.method}/phrases",
        config={**result.config, "phrases": words},
    )


def _words(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    try:
        words = [[operator.index(i) for i in group] for group in groups]
    except TypeError as error:
        raise BadInput(f"phrases are lists of atoms' whole numbers, such as [[0, 1], [2]], not {groups!r}") from error
    if not words or not all(words):
        raise BadInput("every phrase needs at least one word")
    return words


def _rows(result: Attribution, groups: Sequence[Sequence[int]]) -> list[list[int]]:
    if result.pairs is None or "atoms" not in result.config or "to" not in result.config:
        raise BadInput(f"{result.method} has no pairs with source atoms: give a result of second_order or removal")
    if "phrases" in result.config:
        raise BadInput(f"the rows of {result.method} are phrases already: give the result of words they were made from")
    row = {int(atom): i for i, atom in enumerate(result.config["atoms"])}
    missing = sorted({i for group in groups for i in group} - row.keys())
    if missing:
        raise BadInput(f"atoms {missing} are not among the result's source atoms {sorted(row)}: ask for them as well")
    if any(len(set(group)) < len(group) for group in groups):
        raise BadInput("a phrase names one of its words twice")
    return [[row[i] for i in group] for group in groups]


def _sums(figures: Tensor, rows: Sequence[Sequence[int]]) -> Tensor:
    return torch.stack([figures[list(group)].sum(0) for group in rows])
