"""Computing a plan: what a worker does for the planner's page, and `study plan` in its own process. Loads numpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from analysis_core.statistics import (
    Cost,
    Design,
    Power,
    Smallest,
    alpha_width_grid,
    cost,
    for_alpha_width,
    marginal_accuracy,
    population_alpha,
    power,
    power_grid,
    smallest_design,
)
from studies.computed import Tick
from studies.reports.plan_request import MOST_ITEMS, MOST_PEOPLE, PlanRequest
from studies.reports.plan_shape import Plan, PlanArm, PlanGrid, PlanOption, PlanPair
from studies.reports.plan_words import plan_answer

SEED = 0
#: Cells (studies x annotators x items) that one simulation may draw: about a second. It bounds the number of studies.
CELLS = 40_000_000
MOST_STUDIES, FEWEST_STUDIES = 2_000, 300
#: Tests of pairs of conditions in one simulation, for the same reason
TESTS = 20_000
#: Rating tables behind one expected width (fewer where there are many conditions), and behind one point of its curve
TABLES, ALL_TABLES, CURVE_TABLES = 100, 300, 50
#: Annotators per condition that a curve reaches at least
CURVE_TO = 12
POINTS = 8


def build_plan(
    request: PlanRequest, *, progress: Tick | None = None, draw: bool = False, notes: tuple[str, ...] = ()
) -> Plan:
    """All figures of a plan, in some ten seconds. draw: with its charts (loads altair)

    raises: BadInput (a design that the statistics refuse)
    """
    steps = Steps(progress, 8 if draw else 7)
    design = design_of(request)
    found = power(design, simulations=studies_of(design), seed=SEED, tables=tables_of(design))
    steps.done()
    options = list(_options(design, request, found.simulations, steps))
    grid = _grid(design, request, found, options, steps)
    costs = cost_of(request, design)
    plan = Plan(
        request=request,
        answer=(),
        notes=notes,
        power=found.power,
        error=found.error,
        trend=found.trend,
        smallest_p=found.smallest_p,
        pairs=tuple(PlanPair(a=request.names[p.a], b=request.names[p.b], power=p.power) for p in found.pairs),
        arms=_arms(request, design, found, costs),
        minutes=costs.minutes,
        hours=costs.hours,
        money=costs.money,
        options=tuple(options),
        grid=grid,
        simulations=found.simulations,
    )
    plan = plan.model_copy(update={"answer": plan_answer(plan)})
    if draw:
        from studies.reports.charts_plan import plan_chart_rows

        plan = plan.model_copy(update={"charts": tuple(plan_chart_rows(plan))})
        steps.done()
    return plan


class Steps:
    """Counts what is done of a known number of steps."""

    def __init__(self, progress: Tick | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def done(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def design_of(request: PlanRequest) -> Design:
    """The design that a request describes."""
    return Design(
        accuracies=request.accuracies,
        annotators=request.annotators[0] if len(request.annotators) == 1 else request.annotators,
        items=request.items,
        choices=request.choices,
        annotator_sd=request.annotator_sd,
        item_sd=request.item_sd,
        level=request.level,
        test=request.test,
    )


def cost_of(request: PlanRequest, design: Design) -> Cost:
    """Hours and money of a design at the request's prices."""
    return cost(
        design,
        minutes_per_item=request.minutes_per_item,
        minutes_fixed=request.minutes_fixed,
        pay_per_hour=request.pay,
        fee=request.fee / 100,
        further_items=request.further_items,
    )


def studies_of(design: Design) -> int:
    """How many studies are simulated, the same in all parts of a plan: fewer of large ones, for a matter of seconds."""
    limits = limits_of(design)
    people = max(sum(design.sizes), len(design.accuracies) * 2 * max(design.sizes))
    cells = max(
        people * min(MOST_ITEMS, 2 * design.items),
        sum(design.sizes) * limits["items"],
        limits["annotators"] * len(design.accuracies) * design.items,
    )
    return max(FEWEST_STUDIES, min(MOST_STUDIES, CELLS // cells, TESTS // max(1, len(design.pairs))))


def tables_of(design: Design) -> int:
    """Rating tables of each condition behind an expected width."""
    return min(TABLES, ALL_TABLES // len(design.accuracies))


def limits_of(design: Design) -> dict[str, int]:
    """How far the smallest sufficient design is looked for."""
    return {"annotators": max(2, min(100, MOST_PEOPLE // len(design.accuracies))), "items": MOST_ITEMS}


def _options(design: Design, request: PlanRequest, simulations: int, steps: Steps) -> Iterator[PlanOption]:
    limits = limits_of(design)
    searches: dict[str, Callable[[str], Smallest]] = {
        "power": lambda over: smallest_design(
            design,
            power=request.power,
            over=over,
            limit=limits[over],
            simulations=simulations,
            seed=SEED,
        ),
        "alpha_width": lambda over: for_alpha_width(
            design, width=request.width, over=over, limit=limits[over], tables=max(2, tables_of(design) // 2), seed=SEED
        ),
    }
    for goal, search in searches.items():
        for over in limits:
            if goal == "alpha_width" or len(design.accuracies) > 1:
                yield _option(goal, search(over), request)
            steps.done()


def _option(goal: str, found: Smallest, request: PlanRequest) -> PlanOption:
    if found.design is None:
        return PlanOption(goal=goal, over=found.over, number=None, value=found.value, reason=found.reason)
    costs = cost_of(request, found.design)
    return PlanOption(
        goal=goal,
        over=found.over,
        number=found.design.sizes[0] if found.over == "annotators" else found.design.items,
        value=found.value,
        reason=None,
        hours=costs.hours,
        money=costs.money,
    )


def _arms(request: PlanRequest, design: Design, found: Power, costs: Cost) -> tuple[PlanArm, ...]:
    return tuple(
        PlanArm(
            name=name,
            accuracy=population.accuracy,
            share=marginal_accuracy(population),
            annotators=arm.annotators,
            alpha=population_alpha(population),
            alpha_width=alpha_width,
            accuracy_width=accuracy_width,
            hours=arm.hours,
            money=arm.money,
        )
        for name, population, arm, alpha_width, accuracy_width in zip(
            request.names, design.populations, costs.arms, found.alpha_width, found.accuracy_width, strict=True
        )
    )


def _grid(design: Design, request: PlanRequest, found: Power, options: list[PlanOption], steps: Steps) -> PlanGrid:
    """Curves: the design's number of items, half and twice as many; annotators up to beyond what suffices."""
    enough = [one.number for one in options if one.over == "annotators" and one.goal == "power" and one.number]
    wanted = max(CURVE_TO, *(2 * size for size in (*design.sizes, *enough)))
    last = max(2, *design.sizes, min(100, MOST_PEOPLE // len(design.accuracies), wanted))
    annotators = points(2, last, {*design.sizes, *enough})
    items = tuple(sorted({max(2, design.items // 2), design.items, min(MOST_ITEMS, 2 * design.items)}))
    powers = None
    if len(design.accuracies) > 1:
        grid = power_grid(design, annotators, items, simulations=found.simulations, seed=SEED)
        powers = tuple(tuple(float(value) for value in row) for row in grid)
    steps.done()
    widest = _widest(design, found)
    widths = [list(row) for row in alpha_width_grid(widest, annotators, items, tables=CURVE_TABLES, seed=SEED)]
    # The design's own point has been simulated with more tables: curve, table and sentence say the same.
    if widest.sizes[0] in annotators:
        own = max((width for width in found.alpha_width if width is not None), default=None)
        widths[items.index(design.items)][annotators.index(widest.sizes[0])] = own
    steps.done()
    money = tuple(
        tuple(round(cost_of(request, replace(design, annotators=n, items=k)).money, 2) for n in annotators)
        for k in items
    )
    return PlanGrid(
        annotators=annotators, items=items, power=powers, alpha_width=tuple(map(tuple, widths)), money=money
    )


def points(first: int, last: int, among: set[int]) -> tuple[int, ...]:
    """Numbers from first to last in about equal ratios, and those of `among` that lie between."""
    ratio = (last / first) ** (1 / (POINTS - 1))
    numbers = {math.floor(first * ratio**place + 0.5) for place in range(POINTS)}
    return tuple(sorted({n for n in numbers | among if first <= n <= last}))


def _widest(design: Design, found: Power) -> Design:
    """The one condition whose alpha has the widest interval; the first one where none has any."""
    widths = [width or 0.0 for width in found.alpha_width]
    place = max(range(len(widths)), key=lambda i: widths[i])
    return replace(design, accuracies=(design.accuracies[place],), annotators=design.sizes[place])
