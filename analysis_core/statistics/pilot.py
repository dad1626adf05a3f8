"""What a pilot tells about the people and items of a study: accuracy and the two standard deviations, in logits.

Method of moments for crossed logistic-normal effects. Two answers of one annotator share that person's effect, two
answers to one item the item's: how much more often both are right than two answers that share neither is an integral
over the effects, here by quadrature and not by the usual approximation of a logistic by a normal curve. Share of right
answers and the two covariances are solved for accuracy, annotator SD and item SD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit

from analysis_core.errors import BadInput
from analysis_core.statistics import ratings as table
from analysis_core.statistics.ratings import Floats
from analysis_core.statistics.scores import crossed_accuracy
from analysis_core.statistics.simulation import Population, draw_items, simulate_answers

#: Standard deviations are looked for between 0 and this, in logits
MOST_SD = 3.0
#: Fewer than these leave a standard deviation all but unknown
FEW_ANNOTATORS, FEW_ITEMS = 5, 10
#: Shares nearer to 0 or 1 have no logit that a pilot could tell
EDGE = 0.005
STEPS = 16
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
#: The axes of [annotators, items] along which answers share an effect
BY_ANNOTATOR, BY_ITEM = 1, 0

Range = tuple[float, float]


@dataclass(frozen=True)
class Pilot:
    """Estimates from a pilot, with 95 % intervals.

    populations: one per condition, with standard deviations in common
    accuracy:    intervals, one per condition (None where all its answers are alike); annotator_sd, item_sd: intervals
    warnings:    sentences: what the pilot is too small for
    """

    populations: tuple[Population, ...]
    accuracy: tuple[Range | None, ...]
    annotator_sd: Range
    item_sd: Range
    warnings: tuple[str, ...]


def from_pilot(correct: Any, *, choices: int = 4) -> Population:
    """The population that a pilot's answers look like.

    Mean and standard deviation of the estimates in 300 simulated pilots of 10 x 20 with accuracy .7, annotator SD .5
    and item SD 1: .71 ± .06, .48 ± .28, 1.03 ± .34 (`python -m benchmarks.planning`).
    correct: [annotators, items] of 1, 0 (or booleans) and nan or None for missing
    raises:  BadInput (fewer than two annotators or items, all answers alike)
    """
    return _estimate([_cells(correct)], choices)[0]


def pilot_estimates(tables: Sequence[Any], *, choices: int = 4, simulations: int = 400, seed: int = 0) -> Pilot:
    """The same of one or several conditions, with intervals and warnings.

    An interval of a standard deviation holds the values that the observed covariance does not speak against: those
    under which it lies in the middle 95 % of simulated pilots of the same size.
    tables:      one per condition: [annotators, items]
    simulations: pilots per value that is tried
    raises:      BadInput
    """
    if not len(tables):
        raise BadInput("a pilot needs at least one condition")
    cells = [_cells(correct) for correct in tables]
    found = _estimate(cells, choices)
    people, items = found[0].annotator_sd, found[0].item_sd
    shares = [float(np.nanmean(one)) for one in cells]

    def population_ranges(axis: int) -> Range:
        def drawn(sd: float) -> Floats:
            both = (sd, items) if axis == BY_ANNOTATOR else (people, sd)
            return _simulated(shares, both, cells, axis, simulations, seed)

        return _range(drawn, _covariance(cells, axis))

    annotator_sd, item_sd = population_ranges(BY_ANNOTATOR), population_ranges(BY_ITEM)
    accuracy = tuple(_accuracy_range(one, people, items) for one in cells)
    return Pilot(found, accuracy, annotator_sd, item_sd, _warnings(cells, annotator_sd, item_sd))


def _cells(correct: Any) -> Floats:
    coded = table.read(correct, "interval")
    if not np.isin(coded.values, (0.0, 1.0)).all():
        raise BadInput(f"right and wrong are 1 and 0; found {', '.join(f'{value:g}' for value in coded.values)}")
    cells = np.where(coded.codes >= 0, np.append(coded.values, np.nan)[coded.codes], np.nan)
    present = ~np.isnan(cells)
    cells = np.asarray(cells[present.any(axis=1)][:, present.any(axis=0)], dtype=np.float64)
    if min(cells.shape) < 2:
        people, items = cells.shape
        raise BadInput(f"a pilot of {people} x {items} answers tells nothing: it needs two annotators and two items")
    if np.nanmin(cells) == np.nanmax(cells):
        raise BadInput("all answers of the pilot are equally right: it does not tell how people and items differ")
    return cells


def _estimate(cells: Sequence[Floats], choices: int) -> tuple[Population, ...]:
    shares = [float(np.nanmean(one)) for one in cells]
    weights = [float((~np.isnan(one)).sum()) for one in cells]
    by_annotator, by_item = _covariance(cells, BY_ANNOTATOR), _covariance(cells, BY_ITEM)
    people = items = 0.5
    for _ in range(20):
        before = people, items
        people = _solved(partial(_expected, shares, weights, items), by_annotator)
        items = _solved(partial(_expected, shares, weights, people), by_item)
        if abs(people - before[0]) + abs(items - before[1]) < 1e-4:
            break
    return tuple(Population(_accuracy(share, people, items), people, items, choices) for share in shares)


def _covariance(cells: Sequence[Floats], axis: int) -> float:
    """How much more often two answers along an axis are both right than two that share neither person nor item.

    Both are means over pairs of different answers, so that the difference is unbiased for the covariance; conditions
    are weighted by their number of answers.
    """
    found = [_covariances(np.nan_to_num(one)[None], ~np.isnan(one), axis)[0] for one in cells]
    return float(np.average(found, weights=[(~np.isnan(one)).sum() for one in cells]))


def _covariances(right: Floats, present: np.ndarray[Any, np.dtype[np.bool_]], axis: int) -> Floats:
    """The same for many tables [tables, annotators, items] with the same missing answers."""
    given = present.astype(np.float64)
    right = right * given
    rows, columns = right.sum(axis=2), right.sum(axis=1)
    squares = (right**2).sum(axis=(1, 2))
    within = {BY_ANNOTATOR: (rows**2).sum(axis=1), BY_ITEM: (columns**2).sum(axis=1)}
    pairs = {BY_ANNOTATOR: (given.sum(axis=1) ** 2).sum(), BY_ITEM: (given.sum(axis=0) ** 2).sum()}
    answers = given.sum()
    apart = right.sum(axis=(1, 2)) ** 2 - within[BY_ANNOTATOR] - within[BY_ITEM] + squares
    pairs_apart = answers**2 - pairs[BY_ANNOTATOR] - pairs[BY_ITEM] + answers
    if pairs[axis] <= answers or pairs_apart <= 0:
        return np.zeros(len(right))
    return np.asarray((within[axis] - squares) / (pairs[axis] - answers) - apart / pairs_apart)


def _expected(shares: Sequence[float], weights: Sequence[float], other_sd: float, shared_sd: float) -> float:
    """The covariance of two answers that share an effect with the SD `shared_sd`, averaged over the conditions."""
    found = []
    for share in shares:
        mean = _mean(share, float(np.hypot(shared_sd, other_sd)))
        chance = expit(mean + shared_sd * _NODES[:, None] + other_sd * _NODES) @ _WEIGHTS
        found.append(float(_WEIGHTS @ chance**2 - (_WEIGHTS @ chance) ** 2))
    return float(np.average(found, weights=weights))


def _solved(expected: Callable[[float], float], observed: float) -> float:
    """The SD with this covariance, by bisection; 0 where the covariance is not positive."""
    low, high = 0.0, MOST_SD
    if observed <= 0:
        return 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < observed else (low, middle)
    return (low + high) / 2


def _mean(share: float, spread: float) -> float:
    """m such that the mean of expit(m + spread * z) over a standard normal z is this share, by Newton's method."""
    wanted = min(max(share, EDGE), 1 - EDGE)
    mean = float(logit(wanted)) * (1 + 0.35 * spread**2) ** 0.5
    for _ in range(8):
        chance = expit(mean + spread * _NODES)
        mean += float(wanted - _WEIGHTS @ chance) / max(1e-3, float(_WEIGHTS @ (chance * (1 - chance))))
    return mean


def _accuracy(share: float, people: float, items: float) -> float:
    return float(expit(_mean(share, float(np.hypot(people, items)))))


def _simulated(
    shares: Sequence[float], sds: tuple[float, float], cells: Sequence[Floats], axis: int, tables: int, seed: int
) -> Floats:
    """Covariances of simulated pilots with these SDs and the shape of the real one: float64 [tables]."""
    rng, found = np.random.default_rng(seed), []
    for share, one in zip(shares, cells, strict=True):
        population = Population(_accuracy(share, *sds), *sds)
        people, items = one.shape
        effects = draw_items(population, items=items, tables=tables, rng=rng)
        answers = simulate_answers(
            population, annotators=people, items=items, tables=tables, rng=rng, item_effects=effects
        )
        found.append(_covariances((answers == 0).astype(np.float64), ~np.isnan(one), axis))
    return np.average(found, axis=0, weights=[(~np.isnan(one)).sum() for one in cells])


def _range(drawn: Callable[[float], Floats], observed: float) -> Range:
    """The SDs under which the observed covariance is neither among the lowest nor the highest 2.5 %."""

    def is_too_low(sd: float) -> bool:
        return float((drawn(sd) >= observed).mean()) < 0.025

    def is_too_high(sd: float) -> bool:
        return float((drawn(sd) <= observed).mean()) < 0.025

    return _border(is_too_low, default=0.0), _border(lambda sd: not is_too_high(sd), default=MOST_SD)


def _border(is_below: Callable[[float], bool], default: float) -> float:
    """Where a condition that holds for small SDs stops to hold."""
    low, high = 0.0, MOST_SD
    if not is_below(low):
        return 0.0
    if is_below(high):
        return default
    for _ in range(9):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def _accuracy_range(cells: Floats, people: float, items: float) -> Range | None:
    found = crossed_accuracy(cells).interval
    return None if found is None else (_accuracy(found[0], people, items), _accuracy(found[1], people, items))


def _warnings(cells: Sequence[Floats], annotator_sd: Range, item_sd: Range) -> tuple[str, ...]:
    people, items = sum(len(one) for one in cells), min(one.shape[1] for one in cells)
    found = []
    if people < FEW_ANNOTATORS:
        found.append(f"{people} annotators do not tell how much people differ: {_between(annotator_sd)}.")
    if items < FEW_ITEMS:
        found.append(f"{items} items do not tell how much items differ: {_between(item_sd)}.")
    if any(abs(float(np.nanmean(one)) - 0.5) > 0.45 for one in cells):
        found.append("In a condition nearly all answers are alike: its accuracy and the SDs are guesses.")
    return tuple(found)


def _between(found: Range) -> str:
    if found[1] >= MOST_SD - 0.01:
        return f"a standard deviation of {found[0]:.1f} to {MOST_SD:.0f} or more logits fits"
    return f"a standard deviation between {found[0]:.1f} and {found[1]:.1f} logits fits"
