"""Coalitions of atoms: all of them, or pairs of complements drawn by size; and what the model says to them.

SHAP and the cross-modal games stand on it, above the masking engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from analysis_core.errors import BadInput
from analysis_core.stages.masking import Masking, layers_of
from analysis_core.targets import Target, select
from analysis_core.types import Output

#: 2^20 forwards; more atoms than this are never enumerated.
MOST_ENUMERATED = 20
#: Rows that go to the engine at once: it keeps logits and features of all of them, of which only the targets are kept.
ROWS_AT_ONCE = 8192
#: Sizes with fewer coalitions than this are listed and chosen from; of larger ones repetitions are rare.
LISTED = 100_000


def evaluate(game: Masking, Z: Tensor, targets: Sequence[Target], *, atoms: Tensor | None = None) -> Tensor:
    """The targets' values for coalitions: float64 CPU [S, targets].

    Z:       bool [S, n], True keeps the atom
    targets: resolved
    atoms:   int64 [n], the game's columns that Z is about; all others stay present. None = all
    raises:  BadInput (the model answers NaN or infinite values: to the sample itself, or to perturbed inputs)
    """
    require_finite(game.unperturbed, targets)
    layers = layers_of(targets)
    parts = []
    for rows in Z.split(ROWS_AT_ONCE):
        output = game.predict_masks(rows if atoms is None else _among(game, rows, atoms), layers=layers)
        parts.append(torch.stack([select(t, output) for t in targets], dim=1))
    values = torch.cat(parts)
    require_answers(values)
    return values


def require_answers(values: Tensor) -> None:
    """Targets' values on perturbed inputs [S, targets]. raises: BadInput (NaN or infinite)"""
    bad = int((~values.isfinite()).any(dim=1).sum())
    if bad:
        raise BadInput(
            f"the model answers {bad} of {len(values)} perturbed inputs with NaN or infinite values: give it a "
            "baseline() that it can work on"
        )


def require_finite(unperturbed: Output, targets: Sequence[Target]) -> None:
    """Resolved targets on the sample itself [1, ...]. raises: BadInput (NaN or infinite: no baseline would help)"""
    for target in targets:
        value = float(select(target, unperturbed)[0])
        if not math.isfinite(value):
            raise BadInput(
                f"the model's output on the sample itself is not finite ({value}): look for NaN or infinite inputs or "
                "weights"
            )


def _among(game: Masking, Z: Tensor, atoms: Tensor) -> Tensor:
    whole = torch.ones(len(Z), game.n_atoms, dtype=torch.bool)
    whole[:, atoms] = Z
    return whole


def enumerable(n: int, wanted: int, exact_up_to: int) -> bool:
    """Whether all coalitions of n atoms are taken, in place of `wanted` sampled ones.

    raises: BadInput (more atoms to enumerate than MOST_ENUMERATED)
    """
    if exact_up_to > MOST_ENUMERATED:
        raise BadInput(
            f"exact_up_to must be at most {MOST_ENUMERATED} (2^{MOST_ENUMERATED} coalitions), not {exact_up_to}"
        )
    return n <= exact_up_to or (n <= MOST_ENUMERATED and wanted >= 2**n)


def every(n: int) -> Tensor:
    """All coalitions of n atoms, none first and all last: bool [2^n, n]."""
    return (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1 == 1


def halves(n: int, pairs: int, random: torch.Generator) -> Tensor:
    """One coalition of each of `pairs` distinct pairs of complements, all (and none) first: bool [pairs, n].

    Sizes get shares by the geometric mean of Shapley's kernel and the leverage scores, that is in proportion to
    1 / sqrt(k (n - k)); a size that is smaller than its share is enumerated. Within a size pairs are drawn evenly
    without replacement.

    source: Chen et al. 2025 (arXiv 2506.05216) for the shares; Musco & Witter 2025 for drawing without replacement
    """
    rows = [torch.ones(1, n, dtype=torch.bool)]
    for size, count in shares(n, pairs - 1):
        rows.append(_of_size(n, size, count, random))
    return torch.cat(rows)


def shares(n: int, pairs: int) -> list[tuple[int, int]]:
    """(size, number of pairs) for sizes 1 to n / 2, adding up to `pairs` (or to all there are)."""
    sizes = range(1, n // 2 + 1)
    there = {k: _pairs_of_size(n, k) for k in sizes}
    # Of the middle size a pair holds two coalitions of the same stratum.
    weight = {k: (0.5 if 2 * k == n else 1.0) / math.sqrt(k * (n - k)) for k in sizes}
    given: dict[int, float] = {}
    left = min(pairs, sum(there.values()))
    while True:
        total = sum(weight[k] for k in sizes if k not in given)
        full = [k for k in sizes if k not in given and left * weight[k] / total >= there[k]]
        if not full:
            break
        given |= {k: there[k] for k in full}
        left -= sum(there[k] for k in full)
    wanted = {k: left * weight[k] / total for k in sizes if k not in given}
    given |= {k: math.floor(share) for k, share in wanted.items()}
    largest = sorted(wanted, key=lambda k: math.floor(wanted[k]) - wanted[k])
    for k in largest[: left - sum(math.floor(share) for share in wanted.values())]:
        given[k] += 1
    return [(k, int(given[k])) for k in sizes if given[k]]


def _pairs_of_size(n: int, size: int) -> int:
    return math.comb(n, size) // (2 if 2 * size == n else 1)


def _of_size(n: int, size: int, count: int, random: torch.Generator) -> Tensor:
    if _pairs_of_size(n, size) <= LISTED:
        # In dictionary order. Of the middle size those with atom 0 come first, and stand for their complements too.
        chosen = torch.randperm(_pairs_of_size(n, size), generator=random)[:count]
        members = _numbered(n, size, chosen)
        return torch.zeros(count, n, dtype=torch.bool).scatter_(1, members, True)
    rows = torch.zeros(0, n, dtype=torch.bool)
    while len(rows) < count:
        members = torch.rand(count - len(rows), n, generator=random).argsort(dim=1)[:, :size]
        drawn = torch.zeros(len(members), n, dtype=torch.bool).scatter_(1, members, True)
        if 2 * size == n:
            drawn ^= ~drawn[:, :1]
        rows = torch.unique(torch.cat([rows, drawn]), dim=0)
    return rows


def _numbered(n: int, size: int, numbers: Tensor) -> Tensor:
    """The coalitions of a size with these numbers in dictionary order, from 0: members int64 [len(numbers), size].

    Counted from the last one, a number is C(a, size) + C(b, size - 1) + ... with a > b > ..., which are the members
    counted from the last atom: each is the largest that leaves nothing negative.

    source: the combinatorial number system, Knuth, The Art of Computer Programming 4A, 7.2.1.3
    """
    left = math.comb(n, size) - 1 - numbers
    members = torch.empty(len(numbers), size, dtype=torch.int64)
    for place, among in enumerate(range(size, 0, -1)):
        below = torch.tensor([math.comb(a, among) for a in range(n)])
        member = torch.searchsorted(below, left, right=True) - 1
        left = left - below[member]
        members[:, place] = n - 1 - member
    return members
