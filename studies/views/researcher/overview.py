"""One study's overview: what it is, how far it is, its links, and the next step. No outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import role_in, study_for
from studies.config import StudyConfig
from studies.models import Artefact, Study, StudyVersion
from studies.models.sheet import Kind
from studies.selectors import sheets_per_condition
from studies.services.inviting import invite_url, live_invites
from studies.views.researcher.life import step_from
from studies.views.researcher.standing import progress_of, standing


@require_safe
@login_required
def study(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview. A coder's says what coders do, and nothing about conditions, links or outcomes."""
    found = study_for(request.user, slug, role="coder")
    version = found.version
    if role_in(found, request.user) == "coder":
        context = {"study": found, "title": version.config.title}
        return render(request, "researcher/study_coder.html", context)
    links = Counter(live_invites(found).values_list("use", flat=True))
    context = {
        "study": found,
        "version": version,
        "standing": standing(found),
        "step": step_from(found),
        "definition": _definition(version.config),
        "conditions": _conditions(found, version),
        "links": [(use, links[use]) for use in ("unclaimed", "claimed", "finished", "revoked") if links[use]],
        "failed": version.artefacts.filter(state=Artefact.State.FAILED).count(),
    }
    return render(request, "researcher/study.html", context)


@require_safe
@login_required
def progress(request: HttpRequest, slug: str) -> JsonResponse:
    """How far the precomputation is, for the page's poll."""
    return JsonResponse(progress_of(study_for(request.user, slug, role="owner").version).as_json())


def _conditions(study: Study, version: StudyVersion) -> list[dict[str, Any]]:
    previews = {
        invite.condition_id: invite_url(invite)
        for invite in study.invites.filter(kind=Kind.PILOT, revoked=False).select_related("study")
    }
    fill = {row["name"]: row for row in sheets_per_condition(version, Kind.LIVE)}
    return [
        {**fill[arm.name], "stages": ", ".join(arm.stages), "preview": previews.get(arm.pk)}
        for arm in version.conditions.order_by("position")
    ]


def _definition(config: StudyConfig) -> list[tuple[str, str]]:
    """The study file in words, for someone who wants to recognise it."""
    stages, answers = config.stages, config.answers
    choices = f"{len(answers.fixed)} fixed choices" if answers.fixed else f"up to {answers.choices} choices per item"
    questions = [question if isinstance(question, str) else question.id for question in config.questions]
    return [
        ("Kind", config.kind),
        ("Data", f"{config.dataset.name}, split {config.dataset.split}"),
        ("Model", f"{config.model.name} ({config.model.checkpoint})"),
        ("Items", f"{config.items.count} and {config.items.practice} for practice"),
        ("Answers", choices),
        ("Explained class", config.target_class_policy.replace("_", " ")),
        ("Methods", f"U {stages.U.method}, C {stages.C.method}, R {stages.R.method}, P {stages.P.family}"),
        ("Questions", ", ".join(["choice", *questions])),
        ("Minutes", str(config.pages.minutes)),
    ]
