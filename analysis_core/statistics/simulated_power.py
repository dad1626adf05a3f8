"""Power of a design by simulation: how often its test finds the difference that is guessed to be there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from analysis_core.errors import BadInput
from analysis_core.statistics import permutation, relabelling
from analysis_core.statistics.design import Design
from analysis_core.statistics.ratings import Floats, Integers
from analysis_core.statistics.widths import Width, interval_widths

Booleans = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

#: Items drawn at a time
CHUNK = 25


@dataclass(frozen=True)
class PairPower:
    """How often a pair of conditions (by place) is found to differ, with Holm's correction over all pairs."""

    a: int
    b: int
    power: float
    error: float


@dataclass(frozen=True)
class Power:
    """What a design can find.

    power:          trend: how often the trend is found; pairs: how often the two conditions that differ most are found
                    to differ. None with one condition
    error:          its standard error from the number of simulations
    pairs, trend:   the power of either test, whichever is planned (None with one condition)
    smallest_p:     what the planned test cannot go below, whatever the answers; for pairs after Holm's correction
    widths:         of the 95 % intervals of alpha and accuracy, per condition; empty where not asked for
    """

    design: Design
    power: float | None
    error: float | None
    pairs: tuple[PairPower, ...]
    trend: float | None
    smallest_p: float | None
    widths: tuple[Width, ...]
    simulations: int

    @property
    def alpha_width(self) -> tuple[float | None, ...]:
        """Expected width of the 95 % interval of alpha, per condition; None where most tables have none."""
        return tuple(width.alpha for width in self.widths)

    @property
    def accuracy_width(self) -> tuple[float | None, ...]:
        """The same of accuracy."""
        return tuple(width.accuracy for width in self.widths)


def power(design: Design, *, simulations: int = 2000, seed: int = 0, tables: int = 100) -> Power:
    """Simulate studies of a design and test each of them.

    simulations: studies for the power; its standard error is at most .5 / sqrt(simulations)
    tables:      rating tables per condition for the widths of the intervals; 0 leaves them out
    seed:        the same seed gives the same figures
    raises:      BadInput
    Items are drawn anew in each study and shared by its conditions. With one condition there is nothing to test.
    """
    if simulations < 1 or tables < 0:
        raise BadInput("simulations: at least 1; tables: at least 0")
    widths = interval_widths(design, tables=tables, seed=seed) if tables else ()
    if len(design.accuracies) < 2:
        return Power(design, None, None, (), None, None, widths, simulations)
    scores = right_counts(design, [design.items], simulations=simulations, seed=seed)[0]
    powers = found_pairs(design, scores, seed).mean(axis=0)
    found = tuple(
        PairPower(a, b, float(share), _error(share, simulations))
        for (a, b), share in zip(design.pairs, powers, strict=True)
    )
    trend = float(found_trends(design, scores, seed).mean())
    share = (
        trend if design.test == "trend" else max(found, key=lambda pair: (pair.a, pair.b) == design.widest_pair).power
    )
    return Power(
        design,
        share,
        _error(share, simulations),
        found,
        trend,
        smallest_p(design),
        widths,
        simulations,
    )


def power_grid(
    design: Design, annotators: Sequence[int], items: Sequence[int], *, simulations: int = 2000, seed: int = 0
) -> Floats:
    """Power for several numbers of annotators per condition and of items: float64 [items, annotators].

    All points use the same simulated studies, so that a curve is smooth; each is what power() says of that design, with
    its error.
    raises: BadInput (one condition)
    """
    if len(design.accuracies) < 2:
        raise BadInput("power: with one condition there is nothing to compare")
    most = design.resized(annotators=max(annotators), items=max(items))
    scores = right_counts(most, items, simulations=simulations, seed=seed)
    by_arm = scores.reshape(len(items), simulations, len(design.accuracies), max(annotators))
    grid = np.empty((len(items), len(annotators)))
    for row, table in enumerate(by_arm):
        for column, n in enumerate(annotators):
            smaller = design.resized(annotators=n)
            grid[row, column] = planned_power(smaller, table[:, :, :n].reshape(simulations, -1), seed)
    return grid


def right_counts(design: Design, items: Sequence[int], *, simulations: int, seed: int) -> Integers:
    """Right answers of each annotator on the first k items: int64 [len(items), simulations, annotators of all arms].

    Each annotator's answers come from a stream of their own, item by item: the same seed gives the first annotators
    and the first items of a larger design the same answers as those of a smaller one, so that designs are compared on
    the same studies.
    """
    most, arms = max(items), len(design.accuracies)
    easiness = design.item_sd * np.random.default_rng([seed, 1]).standard_normal((most, simulations))
    counts = np.zeros((len(items), simulations, arms, max(design.sizes)), dtype=np.int64)
    for place in range(max(design.sizes)):
        rng = np.random.default_rng([seed, 2, place])
        skill = logit(design.accuracies) + design.annotator_sd * rng.standard_normal((simulations, arms))
        for start in range(0, most, CHUNK):
            stop = min(start + CHUNK, most)
            chance = expit(skill + easiness[start:stop, :, None])
            right = rng.random((stop - start, simulations, arms)) < chance
            for row, k in enumerate(items):
                counts[row, :, :, place] += right[: max(0, k - start)].sum(axis=0)
    own = [counts[:, :, arm, :size] for arm, size in enumerate(design.sizes)]
    return np.concatenate(own, axis=2)


def planned_power(design: Design, scores: Integers, seed: int) -> float:
    """The share of studies in which the planned test finds the trend, or the pair that differs most.

    scores: int [studies, annotators of all conditions in turn]
    """
    if design.test == "trend" or design.widest_pair is None:
        return float(found_trends(design, scores, seed).mean())
    return float(found_pairs(design, scores, seed)[:, design.pairs.index(design.widest_pair)].mean())


def found_pairs(design: Design, scores: Integers, seed: int) -> Booleans:
    """Which pairs are found to differ, with Holm's correction over all of them: bool [studies, pairs]."""
    sizes, ends = design.sizes, np.cumsum(design.sizes)
    groups = [scores[:, end - size : end] for size, end in zip(sizes, ends, strict=True)]
    p = [
        relabelling.p_values(np.hstack([groups[a], groups[b]]), (sizes[a], sizes[b]), (0, 1), seed)
        for a, b in design.pairs
    ]
    return relabelling.holm_rejections(np.stack(p, axis=1), design.level)


def found_trends(design: Design, scores: Integers, seed: int) -> Booleans:
    """Whether the trend over the conditions' order is found: bool [studies]."""
    p = relabelling.p_values(scores, design.sizes, range(len(design.sizes)), seed)
    return np.asarray(p <= design.level)


def smallest_p(design: Design) -> float | None:
    """What the planned test cannot go below; for pairs the smallest of all, times the number of pairs (Holm)."""
    if len(design.sizes) < 2:
        return None
    if design.test == "trend":
        return permutation.smallest_p(design.sizes)
    least = min(permutation.smallest_p((design.sizes[a], design.sizes[b])) for a, b in design.pairs)
    return min(1.0, least * len(design.pairs))


def _error(share: float, simulations: int) -> float:
    return math.sqrt(share * (1 - share) / simulations)
