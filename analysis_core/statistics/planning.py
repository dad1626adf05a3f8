"""The smallest design that answers a question: enough annotators or items for a power, or for an interval's width."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import expit, logit

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics.design import Design
from analysis_core.statistics.simulated_power import planned_power, right_counts, smallest_p
from analysis_core.statistics.simulation import Population, normal_rule, shares_right
from analysis_core.statistics.widths import alpha_widths, expected

OVER = {"annotators": "annotators per condition", "items": "items"}
#: Where a search for a width begins: of fewer annotators or items alpha has no interval that says anything
FEWEST = {"annotators": 3, "items": 5}
#: How far a search goes unless told otherwise
LIMITS = {"annotators": 100, "items": 200}


@dataclass(frozen=True)
class Smallest:
    """What a search has found.

    design: the smallest sufficient design, or None
    value:  its power or width (of the last one tried, where none suffices)
    over:   what was varied: "annotators" (per condition) or "items"
    tried:  (number, power or width) in ascending order; None where a width does not exist
    reason: why nothing within the limit suffices, a sentence; None where something does
    """

    design: Design | None
    value: float | None
    over: str
    tried: tuple[tuple[int, float | None], ...]
    reason: str | None


def smallest_design(
    design: Design,
    *,
    power: float = 0.8,
    over: str = "annotators",
    limit: int | None = None,
    simulations: int = 2000,
    seed: int = 0,
) -> Smallest:
    """The fewest annotators per condition (or items) with which the planned test has this power.

    The rest of the design stays as it is; conditions of different sizes are made equal. Doubling and bisection over
    seeded simulations: the answer is right to within the simulation's error of the power.
    limit:  where the search ends (100 annotators per condition, 200 items)
    raises: BadInput (a power outside 0 to 1, one condition), UnknownName (over)
    """
    if not 0 < power < 1:
        raise BadInput(f"power: a chance between 0 and 1, as .8, not {power:g}")
    if len(design.accuracies) < 2:
        raise BadInput("power: with one condition there is nothing to compare; ask for the width of an interval")
    last = _limit(design, over, limit)
    if not design.differs:
        return Smallest(None, None, over, (), "All conditions have the same accuracy: there is no difference to find.")
    least = _fewest_annotators(design, last) if over == "annotators" else 1
    if least is None or (over == "items" and (smallest_p(design) or 0) > design.level):
        return Smallest(None, None, over, (), _too_few_people(design, last, over))

    def is_enough(value: float | None) -> bool:
        return value is not None and value >= power

    tried = _search(lambda n: _power(design, over, n, simulations, seed), is_enough, least, last)
    return _found(design, over, tried, is_enough, lambda: _power_reason(design, tried, over, power))


def for_alpha_width(
    design: Design,
    *,
    width: float = 0.3,
    over: str = "annotators",
    limit: int | None = None,
    tables: int = 100,
    seed: int = 0,
) -> Smallest:
    """The fewest annotators per condition (or items) with which alpha's 95 % interval is at most this wide.

    The expected width in the condition where it is widest; the interval is for new annotators and new items.
    raises: BadInput, UnknownName (over)
    """
    if not 0 < width < 2:
        raise BadInput(f"width: a number between 0 and 2, as .3, not {width:g}")
    last = _limit(design, over, limit)

    def is_enough(value: float | None) -> bool:
        return value is not None and value <= width

    tried = _search(lambda n: _alpha_width(design, over, n, tables, seed), is_enough, FEWEST[over], last)
    return _found(design, over, tried, is_enough, lambda: _width_reason(design, tried, over, width))


def power_of_endless_items(design: Design, *, simulations: int = 2000, seed: int = 0) -> float:
    """The power that more items lead to: each annotator's share of right answers over all items there could be."""
    rng = np.random.default_rng([seed, 4])
    nodes, weights = normal_rule()
    means = np.repeat(logit(design.accuracies), design.sizes)
    skill = means + design.annotator_sd * rng.standard_normal((simulations, len(means)))
    shares = sum(w * expit(skill + design.item_sd * x) for x, w in zip(nodes, weights, strict=True))
    return planned_power(design, np.rint(np.asarray(shares) * 1e6).astype(np.int64), seed)


def alpha_width_of_endless_annotators(population: Population, items: int) -> float:
    """The width of alpha's 95 % interval that more annotators lead to: what is left comes from the items.

    With endless annotators an item's disagreement d is a function of its share of right answers q, and alpha is 1 -
    mean(d) / (1 - 1 / choices): a mean over items, with a normal interval.
    """
    nodes, weights = normal_rule()
    share = shares_right(population, population.item_sd * nodes)
    disagreement = 1 - share**2 - (1 - share) ** 2 / (population.choices - 1)
    variance = float(weights @ disagreement**2 - (weights @ disagreement) ** 2)
    spread = math.sqrt(max(0.0, variance) / items) / (1 - 1 / population.choices)
    return 2 * NormalDist().inv_cdf(0.975) * spread


def _limit(design: Design, over: str, limit: int | None) -> int:
    if over not in OVER:
        raise UnknownName("what a search varies", str(over), tuple(OVER))
    last = LIMITS[over] if limit is None else limit
    _at(design, over, last)  # a limit that no design may have is refused here
    return last


def _at(design: Design, over: str, number: int) -> Design:
    return design.resized(annotators=number) if over == "annotators" else design.resized(items=number)


def _power(design: Design, over: str, number: int, simulations: int, seed: int) -> float:
    there = _at(design, over, number)
    return planned_power(there, right_counts(there, [there.items], simulations=simulations, seed=seed)[0], seed)


def _alpha_width(design: Design, over: str, number: int, tables: int, seed: int) -> float | None:
    there = _at(design, over, number)
    widths = []
    for population, size in set(zip(there.populations, there.sizes, strict=True)):
        found = alpha_widths(population, size, there.items, tables=tables, seed=seed)
        widths.append(expected(found, tables)[0])
    return None if None in widths else max(width for width in widths if width is not None)


def _fewest_annotators(design: Design, last: int) -> int | None:
    """From how many annotators per condition on the planned test can reach its level at all."""
    for number in range(1, last + 1):
        least = smallest_p(design.resized(annotators=number))
        if least is not None and least <= design.level:
            return number
    return None


def _search(
    value_of: Callable[[int], float | None], is_enough: Callable[[float | None], bool], least: int, last: int
) -> dict[int, float | None]:
    """Double from `least` until enough, then halve the gap: number -> value of all that were tried."""
    tried: dict[int, float | None] = {}

    def enough(number: int) -> bool:
        tried[number] = value_of(number)
        return is_enough(tried[number])

    low, high = least - 1, min(least, last)
    while not enough(high):
        if high == last:
            return tried
        low, high = high, min(last, max(high + 1, 2 * high))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return tried


def _found(
    design: Design,
    over: str,
    tried: dict[int, float | None],
    is_enough: Callable[[float | None], bool],
    reason: Callable[[], str],
) -> Smallest:
    numbers = sorted(tried)
    steps = tuple((number, tried[number]) for number in numbers)
    # The search ends at the smallest number that was enough when it was tried, with the one below it not enough.
    enough = [number for number, value in steps if is_enough(value)]
    if not enough:
        return Smallest(None, tried[numbers[-1]], over, steps, reason())
    return Smallest(_at(design, over, enough[0]), tried[enough[0]], over, steps, None)


def _too_few_people(design: Design, last: int, over: str) -> str:
    there = design if over == "items" else design.resized(annotators=last)
    who = f"{min(there.sizes)} annotators per condition" if min(there.sizes) > 1 else "1 annotator per condition"
    return (
        f"With {who} the test cannot go below p = {smallest_p(there):.2g}, whatever the answers: it needs more"
        f" annotators{' rather than items' if over == 'items' else ''}."
    )


def _power_reason(design: Design, tried: dict[int, float | None], over: str, wanted: float) -> str:
    last = max(tried)
    said = f"With {last} {OVER[over]} the power is {tried[last]:.2f}, less than {wanted:g}."
    if over == "annotators":
        return f"{said} The difference is small for {design.items} items: more items help each annotator to tell."
    floor = power_of_endless_items(design)
    if floor < wanted:
        return (
            f"{said} Endless items would give {floor:.2f}: what remains is that people differ, and only more annotators"
            " help."
        )
    return f"{said} Endless items would give {floor:.2f}; more annotators help sooner."


def _width_reason(design: Design, tried: dict[int, float | None], over: str, wanted: float) -> str:
    last = max(tried)
    value = tried[last]
    if value is None:
        return f"With {last} {OVER[over]} alpha has no interval in most studies: it needs at least three annotators."
    said = f"With {last} {OVER[over]} the interval is {value:.2f} wide, more than {wanted:g}."
    if over == "items":
        return f"{said} What remains is that people differ: more annotators help."
    floor = max(alpha_width_of_endless_annotators(population, design.items) for population in design.populations)
    return f"{said} Endless annotators would give {floor:.2f}: what remains is that items differ, and more items help."
