"""Ordinal disagreement without some answers, whose leaving shifts the ranks of all values. leave_one_out.py calls it.

With ranks s and the Laplacian L of the coincidences o (s' L s = sum_ck o_ck (s_c - s_k)^2), an answer of value j lowers
the ranks by h_j: 1 above j, 1/2 at j. Without answers a_j the ranks are s - delta, delta = sum_j a_j h_j, and
(s - delta)' L (s - delta) = s' L s - 2 sum_j a_j h_j' L s + sum_jl a_j a_l h_j' L h_l
needs only the pairs of values that go together. What the units lose is corrected unit by unit at the shifted ranks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis_core.statistics.disagreement import mid_ranks, squared_within
from analysis_core.statistics.pairable import Counts, Pairable, chunks, expanded
from analysis_core.statistics.ratings import Floats, Integers

#: Cells of L that are laid out at a time (float64: 16 MB).
CELLS = 2_000_000


def without_ranked(p: Pairable, counts: Counts, answers: Integers, group: Integers) -> tuple[Floats, Floats, float]:
    """Observed and expected disagreement without each group of answers, and the expected one of the whole table.

    counts:         what each group takes away, by value
    answers, group: single answers that leave their units and for which group; empty: group g is unit g as a whole
    """
    totals = p.totals
    expected, whole = _expected(totals, counts), float(_of_cubes(totals) * totals.sum() / 6)
    observed = _at_shifted_ranks(p, mid_ranks(totals), counts)
    if len(answers):
        observed += _taken_out(p, mid_ranks(totals), counts, answers, group)
    else:
        places = mid_ranks(totals)[counts.code] - _below(counts)
        observed -= counts.sums(counts.count * squared_within(counts, places)) / (counts.size - 1)
    return observed, expected, whole


def _of_cubes(totals: Floats) -> float:
    """n^3 - sum n_c^3 without cancellation: n / 6 of it is the sum of n_c n_k (s_c - s_k)^2 over mid-ranks s."""
    n = totals.sum()
    return float((totals * (n - totals) * (n + totals)).sum())


def _expected(totals: Floats, counts: Counts) -> Floats:
    n, most = totals.sum() - counts.size, int(np.argmax(totals))
    before = totals[counts.code]
    lost = counts.sums((before**3 - (before - counts.count) ** 3) * (counts.code != most))
    of_most = totals[most] - counts.sums(counts.count * (counts.code == most))
    # The most frequent value apart: where nearly all answers are alike, the cubes cancel.
    others = float((np.delete(totals, most) ** 3).sum()) - lost
    return n / 6 * (of_most * (n - of_most) * (n + of_most) + n**2 * (n - of_most) - others)


def _below(counts: Counts) -> Floats:
    """How far the ranks of a group's own values sink when the group goes: float64 [entries]."""
    running = np.cumsum(counts.count)
    before = np.concatenate([[0.0], running])[counts.start[:-1]]
    return running - before[counts.group] - counts.count / 2


def _at_shifted_ranks(p: Pairable, ranks: Floats, counts: Counts) -> Floats:
    """All units' disagreement at the ranks without each group's answers: float64 [groups]. Values^2 time, in blocks."""
    values = len(ranks)
    rows = max(1, CELLS // values)
    by_value, by_removed = _Rows(p.units), _Rows(counts)
    carried, linear, result = np.zeros(values), np.zeros(values), np.zeros(counts.groups)
    for first in range((values - 1) // rows * rows, -1, -rows):
        last = min(first + rows, values)
        laplacian = _laplacian(p, by_value, first, last, values)
        linear[first:last] = laplacian @ ranks
        above = np.cumsum(laplacian[::-1], axis=0)[::-1] + carried
        carried = above[0].copy()
        stepped = above - laplacian / 2
        both = np.cumsum(stepped[:, ::-1], axis=1)[:, ::-1] - stepped / 2
        for entry, partner in by_removed.pairs(first, last):
            product = counts.count[entry] * counts.count[partner]
            product *= both[counts.code[entry] - first, counts.code[partner]]
            result += np.bincount(by_removed.group[entry], weights=product, minlength=counts.groups)
    stepped = np.cumsum(linear[::-1])[::-1] - linear / 2
    return float(ranks @ linear) - 2 * counts.sums(counts.count * stepped[counts.code]) + result


def _laplacian(p: Pairable, by_value: _Rows, first: int, last: int, values: int) -> Floats:
    """Rows first to last of 2 (diag(o 1) - o), without the diagonal of o, which cancels."""
    units, share = p.units, 1 / (p.units.size - 1)
    block = np.zeros((last - first) * values)
    for entry, partner in by_value.pairs(first, last):
        weight = units.count[entry] * units.count[partner] * share[by_value.group[entry]] * (entry != partner)
        cell = (units.code[entry] - first) * values + units.code[partner]
        block += np.bincount(cell, weights=weight, minlength=len(block))
    coincidences = block.reshape(last - first, values)
    laplacian = -2 * coincidences
    laplacian[np.arange(last - first), np.arange(first, last)] += 2 * coincidences.sum(axis=1)
    return laplacian


class _Rows:
    """The entries of counts by value, and each with all entries of its group."""

    def __init__(self, counts: Counts) -> None:
        self.counts, self.group = counts, counts.group
        self.order = np.argsort(counts.code, kind="stable")
        self.sorted = counts.code[self.order]

    def pairs(self, first: int, last: int) -> Iterator[tuple[Integers, Integers]]:
        """(entry, partner) for entries with a value of [first, last), some millions at a time."""
        low, high = np.searchsorted(self.sorted, [first, last])
        entries = self.order[low:high]
        starts = self.counts.start[self.group[entries]]
        lengths = self.counts.start[self.group[entries] + 1] - starts
        for part in chunks(lengths):
            partner, run = expanded(starts[part], lengths[part])
            yield entries[part][run], partner


def _taken_out(p: Pairable, ranks: Floats, counts: Counts, answers: Integers, group: Integers) -> Floats:
    """What units change when one answer goes, at the ranks without all of its group's answers: float64 [groups]."""
    values, units = len(ranks), p.units
    running = np.concatenate([[0.0], np.cumsum(counts.count)])
    keys = counts.group * values + counts.code
    result = np.zeros(counts.groups)
    starts = units.start[p.position[answers]]
    for part in chunks(units.start[p.position[answers] + 1] - starts):
        entry, run = expanded(starts[part], (units.start[p.position[answers[part]] + 1] - starts[part]))
        whose = group[part][run]
        sought = whose * values + units.code[entry]
        at = np.searchsorted(keys, sought)
        own = np.where(keys[np.minimum(at, len(keys) - 1)] == sought, counts.count[np.minimum(at, len(keys) - 1)], 0)
        place = ranks[units.code[entry]] - (running[at] - running[counts.start[whose]]) - own / 2
        fewer = units.count[entry] - (entry == p.entry[answers[part]][run])
        lengths = np.bincount(run, minlength=len(answers[part]))
        start = np.concatenate([[0], np.cumsum(lengths)])
        change = _per_answer(start, fewer, place) - _per_answer(start, units.count[entry], place)
        result += np.bincount(group[part], weights=change, minlength=counts.groups)
    return result


def _per_answer(start: Integers, count: Floats, place: Floats) -> Floats:
    """q / (m - 1) of each group, 0 where a single answer is left."""
    counts = Counts(start, np.empty(0, dtype=np.int64), count)
    q, size = counts.sums(count * squared_within(counts, place)), counts.size
    return np.where(size > 1, q / np.maximum(size - 1, 1), 0)
