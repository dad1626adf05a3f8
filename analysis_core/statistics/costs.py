"""What a design costs: hours of annotators, and money."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis_core.errors import BadInput
from analysis_core.statistics.design import Design


@dataclass(frozen=True)
class ArmCost:
    """One condition: hours are those of all its annotators together."""

    annotators: int
    hours: float
    money: float


@dataclass(frozen=True)
class Cost:
    """minutes: of one annotator; hours, money: of all; arms: per condition. Money is in the currency of the pay."""

    minutes: float
    hours: float
    money: float
    arms: tuple[ArmCost, ...]


def cost(
    design: Design,
    *,
    minutes_per_item: float,
    minutes_fixed: float = 0.0,
    pay_per_hour: float = 0.0,
    fee: float = 0.0,
    further_items: int = 0,
) -> Cost:
    """Hours and money of a design.

    minutes_per_item: one answer, reading included
    minutes_fixed:    consent, quiz, instructions and last questions of one annotator
    pay_per_hour:     what annotators get
    fee:              what a recruitment platform adds, as a share of the pay (.33 for a third)
    further_items:    practice items and attention checks: they take as long as items
    raises:           BadInput
    """
    numbers = {
        "minutes_per_item": minutes_per_item,
        "minutes_fixed": minutes_fixed,
        "pay_per_hour": pay_per_hour,
        "fee": fee,
        "further_items": further_items,
    }
    for name, value in numbers.items():
        if not (math.isfinite(value) and value >= 0):
            raise BadInput(f"{name}: a number of at least 0, not {value:g}")
    minutes = minutes_fixed + minutes_per_item * (design.items + further_items)
    arms = tuple(_arm(size, minutes / 60, pay_per_hour * (1 + fee)) for size in design.sizes)
    return Cost(minutes, sum(arm.hours for arm in arms), sum(arm.money for arm in arms), arms)


def _arm(annotators: int, hours_each: float, money_per_hour: float) -> ArmCost:
    hours = annotators * hours_each
    return ArmCost(annotators, hours, hours * money_per_hour)
