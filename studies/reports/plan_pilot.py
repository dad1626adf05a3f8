"""A pilot's variances for a planner, from a study's sheets or from a file of answers. Loads numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis_core.errors import AnalysisError
from analysis_core.statistics import Columns, Pilot, pilot_estimates, read_answers
from studies.models import Study
from studies.models.sheet import Kind
from studies.reports.figures import counted
from studies.reports.plan_request import STANDARD_DEVIATIONS, PlanRequest
from studies.reports.plan_source import hidden_until, plan_key
from studies.reports.ratings import ratings_of

OF_NOBODY = "Simulated annotators say nothing about people: their standard deviations only try the planner out."


class PilotRefused(Exception):
    """Answers that a plan cannot or must not be made from; the text is a sentence for the researcher."""


@dataclass(frozen=True)
class Found:
    """A request with what a pilot tells, and where that comes from, in sentences."""

    request: PlanRequest
    notes: tuple[str, ...]


def pilot_of_study(study: Study, request: PlanRequest, *, wanted: str, keep: frozenset[str] = frozenset()) -> Found:
    """Take standard deviations and accuracies from a study's sheets.

    wanted: "pilot", "simulated", "live", or "any": pilot sheets, else simulated ones; live ones are taken only where
            they are asked for, and only after unblinding: before it they would be a look at outcomes
    keep:   parameters that were given and stay as they are
    raises: PilotRefused
    """
    if hidden := hidden_until(study, wanted):
        raise PilotRefused(hidden)
    for kind in (Kind.PILOT, Kind.SIMULATED) if wanted == "any" else (wanted,):
        tables = ratings_of(study.version, kind).tables
        if any(table.annotators for table in tables):
            cells = {table.condition: table.correct for table in tables if table.annotators}
            found = _with(request, cells, f"{kind} sheets of {study.slug}", keep)
            return replace(found, notes=(*found.notes, OF_NOBODY)) if kind == Kind.SIMULATED else found
    sheets = "pilot or simulated" if wanted == "any" else wanted
    raise PilotRefused(f"The study {study.slug} has no finished {sheets} sheets to learn from.")


def pilot_of_page(study: Study, request: PlanRequest, *, key: str) -> Found:
    """Take only the standard deviations, from the sheets that the request names; what people wrote stays.

    key:    what the plan is known by: another one means that the answers have changed since
    raises: PilotRefused
    """
    if plan_key(request, study) != key:
        raise PilotRefused("The answers that this plan was to learn from have changed: compute it again.")
    keep = frozenset(PlanRequest.model_fields) - {*STANDARD_DEVIATIONS}
    return pilot_of_study(study, request, wanted=request.pilot, keep=keep)


def pilot_of_file(
    path: Path, columns: Mapping[str, str | None], request: PlanRequest, *, keep: frozenset[str] = frozenset()
) -> Found:
    """The same from a file of answers with a column that has the right ones.

    columns: the file's columns: unit, rater, value, truth, and group (None: one condition)
    raises: PilotRefused
    """
    try:
        of = Columns(
            str(columns["unit"]),
            str(columns["rater"]),
            str(columns["value"]),
            group=columns.get("group"),
            truth=columns["truth"],
        )
        groups = read_answers(path, of, "nominal").groups
        cells = {group.name or f"condition {number}": group.correct() for number, group in enumerate(groups, 1)}
        return _with(request, cells, path.name, keep)
    except AnalysisError as error:
        raise PilotRefused(str(error)) from error


def _with(request: PlanRequest, cells: dict[str, Any], source: str, keep: frozenset[str]) -> Found:
    try:
        pilot = pilot_estimates(list(cells.values()), choices=request.choices)
    except AnalysisError as error:
        raise PilotRefused(f"{source}: {error}") from error
    people, items = pilot.populations[0].annotator_sd, pilot.populations[0].item_sd
    found: dict[str, Any] = {"annotator_sd": round(people, 2), "item_sd": round(items, 2)}
    if len(cells) > 1:
        found["accuracies"] = tuple(_inside(one.accuracy) for one in pilot.populations)
        found["conditions"] = tuple(cells)
        if len(request.annotators) not in (1, len(cells)):
            found["annotators"] = (max(request.annotators),)
    taken = {name: value for name, value in found.items() if name not in keep}
    if "accuracies" in keep:
        taken.pop("conditions", None)
    whole = PlanRequest.model_validate({**request.model_dump(), **taken})
    return Found(whole, (_note(pilot, list(cells), source), *pilot.warnings))


def _inside(share: float) -> float:
    return min(max(round(share, 3), 0.01), 0.99)


def _note(pilot: Pilot, names: Sequence[str], source: str) -> str:
    people, items = pilot.populations[0].annotator_sd, pilot.populations[0].item_sd
    shares = ", ".join(f"{name} {one.accuracy:.2f}" for name, one in zip(names, pilot.populations, strict=True))
    return (
        f"From {source} ({counted(len(names), 'condition')}; 95 % intervals): standard deviation of annotators"
        f" {people:.2f} ({_range(pilot.annotator_sd)}), of items {items:.2f} ({_range(pilot.item_sd)}); accuracy"
        f" of the average annotator on the average item: {shares}."
    )


def _range(found: tuple[float, float]) -> str:
    high = "3 or more" if found[1] >= 2.99 else f"{found[1]:.2f}"
    return f"{found[0]:.2f} to {high}"
