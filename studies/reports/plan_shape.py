"""A computed plan: what the worker stores, the page shows and `study plan --json` prints. No numpy."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from studies.reports.plan_request import PlanRequest


class Shape(BaseModel):
    """Strict and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanArm(Shape):
    """One condition.

    accuracy: of the average annotator on the average item, as asked; share: of all annotators and items
    alpha:    expected, of endless annotators and items; widths: of 95 % intervals, None where there is none
    """

    name: str
    accuracy: float
    share: float
    annotators: int
    alpha: float
    alpha_width: float | None
    accuracy_width: float | None
    hours: float
    money: float


class PlanPair(Shape):
    """How often two conditions are found to differ, with Holm's correction over all pairs."""

    a: str
    b: str
    power: float


class PlanOption(Shape):
    """The smallest number of annotators per condition (or items) that reaches a goal, or why there is none.

    goal: "power" or "alpha_width"; over: "annotators" or "items"; number: None where nothing suffices
    """

    goal: str
    over: str
    number: int | None
    value: float | None
    reason: str | None
    hours: float | None = None
    money: float | None = None


class PlanGrid(Shape):
    """Figures for several numbers of annotators per condition (columns) and items (rows)."""

    annotators: tuple[int, ...]
    items: tuple[int, ...]
    power: tuple[tuple[float, ...], ...] | None
    alpha_width: tuple[tuple[float | None, ...], ...]
    money: tuple[tuple[float, ...], ...]


class Plan(Shape):
    """Everything about one design.

    answer:   sentences, the most important first
    notes:    what a pilot was too small for, and the like
    charts:   rows for studies/reports/charts.py
    """

    request: PlanRequest
    answer: tuple[str, ...]
    notes: tuple[str, ...] = ()
    power: float | None
    error: float | None
    trend: float | None
    smallest_p: float | None
    pairs: tuple[PlanPair, ...]
    arms: tuple[PlanArm, ...]
    minutes: float
    hours: float
    money: float
    options: tuple[PlanOption, ...]
    grid: PlanGrid
    simulations: int
    charts: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs: without the drawings."""
        return self.model_dump(mode="json", exclude={"charts"})

    def option(self, goal: str, over: str) -> PlanOption | None:
        """One of the answers to "how many"."""
        return next((one for one in self.options if (one.goal, one.over) == (goal, over)), None)
