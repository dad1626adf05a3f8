"""The planner: a form whose parameters stay in the address; a worker computes, the page shows words and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError

from studies.access import study_for
from studies.models import DeskJob, Study
from studies.reports import plan_tables
from studies.reports.charts import charts_of
from studies.reports.plan_request import EXPECTED, MOST_ARMS, PlanRequest, plan_of_study, plan_read
from studies.reports.plan_shape import Plan
from studies.reports.plan_source import SOURCES, offered_sources, plan_key, source_problem
from studies.services.planning import plan_request, plans_of
from studies.views.researcher.plan_fields import GROUPS

REFRESH_SECONDS = 2
_MOVING = (DeskJob.State.WANTED, DeskJob.State.LEASED)


@dataclass(frozen=True)
class Control:
    """One parameter as the form shows it."""

    name: str
    label: str
    help: str
    text: str
    problem: str
    options: tuple[tuple[str, str], ...]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, and the plan of the parameters in the address; posted, a worker is asked to compute it."""
    study = study_for(request.user, slug, role="owner")
    sent = request.POST if request.method == "POST" else request.GET
    texts = {name: str(sent[name])[:200] for name in EXPECTED if name in sent}
    defaults = plan_of_study(study.version.config)
    asked, problems = plan_read(texts, defaults)
    if asked.pilot and (refusal := source_problem(study, asked.pilot)):
        problems["pilot"] = refusal
    key = "" if problems else plan_key(asked, study)
    job = study.version.desk_jobs.filter(kind=DeskJob.Kind.PLAN, key=key).first() if key else None
    if request.method == "POST" and not problems:
        parameters, anew = asked.model_dump(mode="json"), _is_of_another_release(job)
        plan_request(version=study.version, request=parameters, key=key, anew=anew)
        return redirect(f"{reverse('study_plan', args=[slug])}?{asked.query()}")
    context = {
        "study": study,
        "groups": _form({**asked.texts(), **(texts if problems else {})}, problems, defaults, offered_sources(study)),
        "problems": problems,
        "is_asked": bool(texts),
        "left_out": max(0, len(study.version.config.arms) - MOST_ARMS),
        **_standing(study, asked, job),
    }
    response = render(request, "researcher/plan.html", context, status=422 if problems else 200)
    if job is not None and job.state in _MOVING:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


def _standing(study: Study, asked: PlanRequest, job: DeskJob | None) -> dict[str, Any]:
    """What there is of the plan that is asked for, and the others that are kept."""
    found: dict[str, Any] = {"job": job, "earlier": list(_earlier(study, asked.query()).items())}
    if job is None or job.state != DeskJob.State.DONE:
        return found
    if _is_of_another_release(job):
        return found | {"job": None}
    computed = Plan.model_validate(job.result)
    charts, failure = charts_of(list(computed.charts))
    per_condition = ", ".join(str(size) for size in sorted(set(asked.sizes)))
    return found | {
        "plan": computed,
        "charts": charts,
        "charts_failure": failure,
        "arms": plan_tables.arm_table(computed),
        "pairs": plan_tables.pair_table(computed) if len(computed.pairs) > 1 else None,
        "ways": plan_tables.option_table(computed),
        "grid": plan_tables.grid_table(computed),
        "per_condition": per_condition,
    }


def _is_of_another_release(job: DeskJob | None) -> bool:
    """Whether a plan was computed with parts that this release does not know, or lacks."""
    if job is None or job.state != DeskJob.State.DONE:
        return False
    try:
        Plan.model_validate(job.result)
    except ValidationError:
        return True
    return False


def _earlier(study: Study, shown: str) -> dict[str, str]:
    """Other plans: the query of each one's address, and its first sentence. shown: the query of this one

    Plans that a pilot gave before it had more answers have the same address as the newest one, and are not listed.
    """
    found: dict[str, str] = {}
    for job in plans_of(study).filter(state=DeskJob.State.DONE):
        try:
            computed = Plan.model_validate(job.result)
        except ValidationError:  # of another release
            continue
        source = f" (Standard deviations {SOURCES[computed.request.pilot]}.)" if computed.request.pilot else ""
        found.setdefault(computed.request.query(), f"{computed.answer[0]}{source}")
    found.pop(shown, None)
    return found


def _form(
    texts: Mapping[str, str], problems: Mapping[str, str], defaults: PlanRequest, sources: tuple[tuple[str, str], ...]
) -> list[tuple[str, list[Control]]]:
    """The groups of controls; whose answers to learn from is asked only where there are any."""
    names = ", ".join(defaults.conditions)
    is_asked_for = bool(sources) or "pilot" in problems
    return [
        (
            heading,
            [
                Control(
                    field.name,
                    field.label,
                    field.help.format(conditions=names),
                    texts.get(field.name, ""),
                    problems.get(field.name, ""),
                    (*field.options, *sources) if field.name == "pilot" else field.options,
                )
                for field in fields
                if field.name != "pilot" or is_asked_for
            ],
        )
        for heading, fields in GROUPS
    ]
