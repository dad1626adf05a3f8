"""Alpha without each annotator, each item, each answer, in time linear in the answers: what the jackknife needs.

Leaving something out takes a few answers away: each way of alpha's sums is corrected for these alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_core.statistics.disagreement import scale_of, to_all, weighted_alpha, within
from analysis_core.statistics.pairable import Counts, Pairable, counted, pairable
from analysis_core.statistics.ratings import Floats, Integers, Ratings
from analysis_core.statistics.shifted_ranks import without_ranked

#: Where less than this share of the expected disagreement is left, the difference of sums has lost digits.
RECOMPUTED = 1e-3


@dataclass(frozen=True, eq=False)
class Removed:
    """What each left-out thing takes away from the pairable answers.

    counts:   the answers that go, by value (an answer that is left alone in its unit goes with it)
    answers:  int64 [removals]: annotators' answers that are taken out of units; empty where whole units go
    group:    int64 [removals]: of which left-out thing
    """

    counts: Counts
    answers: Integers
    group: Integers


def leave_one_out(coded: Ratings) -> tuple[Floats, Floats]:
    """(by_annotator, by_item): alpha without each of those that take part in it; nan where it is undefined.

    by_annotator: float64, one per annotator with an answer to an item that others answered, in order
    by_item:      float64, one per item with at least two answers, in order
    cost:         O(answers) at nominal and interval level; ordinal: O(answers x values of a unit + values^2); ratio:
                  O(answers x values of a unit or annotator, at most 1,000); memory O(answers). A million answers of
                  1,000 annotators take 0.4 s (nominal, interval), 1.5 s (ordinal, 5 values), 28 s (ordinal, 2,000)
    """
    p = pairable(coded)
    if len(p.values) < 2:
        return np.full(len(np.unique(p.rater)), np.nan), np.full(p.units.groups, np.nan)
    return without_each_annotator(p), without_each_item(p)


def without_each_item(p: Pairable) -> Floats:
    """Alpha without each pairable unit: float64 [units]."""
    nothing = np.empty(0, dtype=np.int64)
    found, doubtful = _alphas(p, Removed(p.units, nothing, nothing))
    for unit in doubtful:
        weights = np.ones(p.units.groups)
        weights[unit] = 0
        found[unit] = weighted_alpha(p, weights)
    return found


def without_each_annotator(p: Pairable) -> Floats:
    """Alpha without each annotator who has pairable answers: float64 [those annotators], in order."""
    return _without_groups(p, np.unique(p.rater, return_inverse=True)[1])


def without_each_answer(p: Pairable) -> Floats:
    """Alpha without each pairable answer alone: float64 [answers]. Its variance is what both other ways contain."""
    return _without_groups(p, np.arange(len(p.rater)))


def _without_groups(p: Pairable, group: Integers) -> Floats:
    """Alpha without the answers of each group; group: int64 [answers], every number from 0 on occurs."""
    groups = int(group.max(initial=-1)) + 1
    codes = p.units.code[p.entry]
    alone = p.units.size[p.position] == 2
    # The other answer of a unit with two answers: the answers are sorted by unit, so the pair stands side by side.
    pairs = np.flatnonzero(alone)
    partner = codes[pairs.reshape(-1, 2)[:, ::-1].ravel()]
    counts, _ = counted(np.concatenate([group, group[pairs]]), np.concatenate([codes, partner]), groups, len(p.values))
    found, doubtful = _alphas(p, Removed(counts, np.arange(len(codes)), group))
    for index in doubtful:
        found[index] = _alpha_of(p, group != index)
    return found


def _alphas(p: Pairable, removed: Removed) -> tuple[Floats, Integers]:
    """Alpha without each, and which of them have to be computed from scratch."""
    totals = p.totals
    left = totals.sum() - removed.counts.size
    gone = removed.counts.sums((removed.counts.count == totals[removed.counts.code]).astype(np.float64))
    undefined = len(totals) - gone < 2
    if p.level == "ordinal":
        observed, expected, whole = without_ranked(p, removed.counts, removed.answers, removed.group)
    else:
        observed, expected, whole = _at_fixed_distances(p, removed)
    doubtful = ~undefined & ~(expected > RECOMPUTED * whole)
    sound = ~undefined & ~doubtful
    found = np.full(len(left), np.nan)
    found[sound] = 1 - (left[sound] - 1) * observed[sound] / expected[sound]
    return found, np.flatnonzero(doubtful)


def _at_fixed_distances(p: Pairable, removed: Removed) -> tuple[Floats, Floats, float]:
    """Observed and expected disagreement without each, and the expected one of the whole table."""
    totals = p.totals
    scale = scale_of(p, totals)
    to_values = to_all(totals, p.level, scale)
    whole = float(totals @ to_values)
    counts = removed.counts
    _, among = within(counts, p.level, scale)
    expected = whole - 2 * counts.sums(counts.count * to_values[counts.code]) + among
    z, q = within(p.units, p.level, scale)
    per_unit = q / (p.units.size - 1)
    if not len(removed.answers):
        return per_unit.sum() - per_unit, expected, whole
    position, size = p.position[removed.answers], p.units.size[p.position[removed.answers]]
    rest = q[position] - 2 * z[p.entry[removed.answers]]
    change = np.where(size > 2, rest / np.maximum(size - 2, 1), 0) - per_unit[position]
    observed = per_unit.sum() + np.bincount(removed.group, weights=change, minlength=counts.groups)
    return observed, expected, whole


def _alpha_of(p: Pairable, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Alpha of some of the pairable answers, from scratch."""
    code = p.units.code[p.entry]
    raters = int(p.rater.max()) + 1
    part = Ratings(p.rater[kept], p.position[kept], code[kept], raters, p.units.groups, p.values, p.level)
    again = pairable(part)
    return weighted_alpha(again, np.ones(again.units.groups)) if again.units.groups else float("nan")
