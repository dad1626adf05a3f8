"""What a planner is asked: its parameters, their bounds and defaults, read from a form or a command line. No numpy.

The page, the command line and the worker use it; the computation stands in studies/reports/planning.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studies.config import StudyConfig
from studies.config_parts import ConditionPart

#: Part of every key: raise it when the same parameters give another plan, and kept ones are computed anew.
FORMAT = 1
MOST_ARMS, MOST_PEOPLE, MOST_ITEMS = 10, 400, 200
#: What a study is guessed to find where nobody knows better, and how long its pages around the items take
LEAST_ACCURACY, MOST_ACCURACY, ONE_ACCURACY = 0.55, 0.80, 0.70
MINUTES_AROUND = 10.0
#: What a pilot's answers take the place of
STANDARD_DEVIATIONS = ("annotator_sd", "item_sd")
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})")

Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class PlanRequest(BaseModel):
    """A design to judge, the power and the width that are wanted, and what an hour costs.

    accuracies, annotators: one per condition (annotators: or one for all)
    conditions: their names, where there are as many as accuracies
    further_items: practice items and attention checks, which take time as well
    fee: what a recruitment platform adds to the pay, in percent
    pilot: whose answers the two standard deviations are taken from; "" where they are as written
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracies: Annotated[tuple[Share, ...], Field(min_length=1, max_length=MOST_ARMS)] = (
        LEAST_ACCURACY,
        MOST_ACCURACY,
    )
    annotators: Annotated[tuple[Annotated[int, Field(ge=1, le=200)], ...], Field(min_length=1)] = (8,)
    items: Annotated[int, Field(ge=2, le=MOST_ITEMS)] = 20
    choices: Annotated[int, Field(ge=2, le=40)] = 4
    annotator_sd: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 0.5
    item_sd: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)] = 1.0
    test: Literal["pairs", "trend"] = "pairs"
    level: Annotated[float, Field(ge=0.001, le=0.5, allow_inf_nan=False)] = 0.05
    power: Annotated[float, Field(ge=0.1, le=0.99, allow_inf_nan=False)] = 0.8
    width: Annotated[float, Field(ge=0.05, le=1.5, allow_inf_nan=False)] = 0.3
    minutes_per_item: Annotated[float, Field(ge=0, le=120, allow_inf_nan=False)] = 1.5
    minutes_fixed: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = MINUTES_AROUND
    pay: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 12.0
    fee: Annotated[float, Field(ge=0, le=200, allow_inf_nan=False)] = 0.0
    further_items: Annotated[int, Field(ge=0, le=40)] = 0
    conditions: tuple[str, ...] = ()
    pilot: Literal["", "pilot", "simulated", "live"] = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The conditions' names, numbers where they have none."""
        if len(self.conditions) == len(self.accuracies):
            return self.conditions
        return tuple(f"condition {number}" for number in range(1, len(self.accuracies) + 1))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Annotators of each condition."""
        return self.annotators * len(self.accuracies) if len(self.annotators) == 1 else self.annotators

    @property
    def sha256(self) -> str:
        """What a job is known by: the hash of all parameters."""
        content = json.dumps([FORMAT, self.model_dump(mode="json")], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def texts(self) -> dict[str, str]:
        """The parameters as a form shows them."""
        return {name: _text(value, ", ") for name, value in self if name != "conditions"}

    def query(self) -> str:
        """The parameters as the query of an address: those that count."""
        left_out = {"conditions", *(STANDARD_DEVIATIONS if self.pilot else ("pilot",))}
        return urlencode({name: _text(value, ",") for name, value in self if name not in left_out}, safe=",")


#: What each parameter may be, as the end of a sentence
EXPECTED = {
    "accuracies": f"1 to {MOST_ARMS} numbers between 0 and 1, one per condition, with decimal points, as in .55, .80",
    "annotators": "a whole number from 1 to 200, or one for each condition, as in 8, 8, 10",
    "items": f"a whole number from 2 to {MOST_ITEMS}",
    "choices": "a whole number from 2 to 40",
    "annotator_sd": "a number from 0 to 3",
    "item_sd": "a number from 0 to 3",
    "test": "pairs or trend",
    "level": "a number from .001 to .5, as in .05",
    "power": "a number from .1 to .99, as in .8",
    "width": "a number from .05 to 1.5, as in .3",
    "minutes_per_item": "a number from 0 to 120",
    "minutes_fixed": "a number from 0 to 600",
    "pay": "a number from 0 to 10000",
    "fee": "a number of percent from 0 to 200",
    "further_items": "a whole number from 0 to 40",
    "pilot": "pilot, simulated or live, or empty",
}


def plan_read(texts: Mapping[str, str], defaults: PlanRequest) -> tuple[PlanRequest, dict[str, str]]:
    """A request from texts, what is missing or empty taken from the defaults; and problems: parameter -> sentence.

    With problems the request is that of the defaults. With a pilot the standard deviations are those of the defaults,
    whatever was written: they do not count.
    """
    values: dict[str, Any] = defaults.model_dump()
    problems = {}
    for name, expected in EXPECTED.items():
        text = texts.get(name, "").strip()
        if not text:
            continue
        try:
            values[name] = _value(name, text)
            PlanRequest.model_validate({name: values[name]})
        except (ValueError, ValidationError):
            problems[name] = f"{text[:40]!r} is not {expected}."
    if not problems:
        problems = _together(values)
    if problems:
        return defaults, problems
    if values["pilot"]:
        values |= {name: getattr(defaults, name) for name in STANDARD_DEVIATIONS}
    return PlanRequest.model_validate(values), {}


def plan_of_study(config: StudyConfig) -> PlanRequest:
    """What a study's own definition says about its design; accuracies are guesses, evenly between .55 and .80."""
    arms = config.arms[:MOST_ARMS]
    quotas = tuple(min(200, arm.quota, MOST_PEOPLE // len(arms)) for arm in arms)
    further = min(40, config.items.practice + config.items.checks)
    items = min(max(2, config.items.count), MOST_ITEMS)
    around = min(MINUTES_AROUND, config.pages.minutes / 4)
    choices = len(config.answers.fixed) if config.answers.fixed else config.answers.choices or 4
    return PlanRequest(
        accuracies=_evenly(len(arms)),
        annotators=quotas[:1] if len(set(quotas)) == 1 else quotas,
        items=items,
        choices=choices,
        test=config.plan.primary if len(arms) > 1 and _is_ordered(arms) else "pairs",
        level=min(max(config.plan.alpha, 0.001), 0.5),
        minutes_fixed=around,
        minutes_per_item=min(120.0, round((config.pages.minutes - around) / (items + further), 2)),
        pay=_hourly(config.pages.pay, config.pages.minutes),
        further_items=further,
        conditions=tuple(arm.name for arm in arms),
    )


def _is_ordered(arms: Sequence[ConditionPart]) -> bool:
    """Whether each arm shows all stages of the one before and more: a report tests no other order for a trend."""
    return all(set(a.stages) < set(b.stages) for a, b in pairwise(arms))


def _evenly(number: int) -> tuple[float, ...]:
    if number == 1:
        return (ONE_ACCURACY,)
    step = (MOST_ACCURACY - LEAST_ACCURACY) / (number - 1)
    return tuple(round(LEAST_ACCURACY + step * place, 2) for place in range(number))


def _hourly(pay: str | None, minutes: int) -> float:
    """The pay per hour that a text such as "£6" or "12 EUR per hour" speaks of; 12 where it names no one sum."""
    sums = re.findall(r"\d{1,6}(?:\.\d{1,2})?", pay or "")
    if len(sums) != 1:
        return 12.0
    is_hourly = re.search(r"hour|/ ?h\b", pay or "", re.IGNORECASE)
    return min(10_000.0, round(float(sums[0]) * (1 if is_hourly else 60 / minutes), 2))


def _together(values: Mapping[str, Any]) -> dict[str, str]:
    """What single values do not show: numbers of annotators that do not fit the conditions, too many people."""
    arms, sizes = len(values["accuracies"]), values["annotators"]
    if len(sizes) not in (1, arms):
        return {"annotators": f"{len(sizes)} numbers for {arms} conditions: give one for all, or one for each."}
    people = sizes[0] * arms if len(sizes) == 1 else sum(sizes)
    if people > MOST_PEOPLE:
        return {"annotators": f"{people} people in all; a plan can have {MOST_PEOPLE}."}
    if arms == 1 and values["test"] == "trend":
        return {"test": "one condition has no trend: choose pairs, or name more accuracies."}
    return {}


def _value(name: str, text: str) -> Any:
    """raises: ValueError"""
    if name in ("test", "pilot"):
        return text
    is_whole = name in ("annotators", "items", "choices", "further_items")
    if name in ("accuracies", "annotators"):
        return tuple(_number(part, is_whole=is_whole) for part in re.split(r"[\s,;]+", text.strip(" ,;")))
    return _number(text, is_whole=is_whole)


def _number(text: str, *, is_whole: bool) -> float:
    if not _NUMBER.fullmatch(text) or not text.isascii():
        raise ValueError(text)
    return int(text) if is_whole else float(text)


def _text(value: Any, between: str) -> str:
    if isinstance(value, tuple):
        return between.join(_text(part, between) for part in value)
    return value if isinstance(value, str) else f"{value:.10g}"
