"""The buttons that move a study on: freeze, open, close, unblind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from studies.access import study_for
from studies.models import Study
from studies.services.freezing import StudyRefused, study_close, study_freeze, study_open, study_unblind


@dataclass(frozen=True)
class Step:
    """One button: its act, its words, what it means, and whether it cannot be taken back."""

    act: str
    label: str
    meaning: str
    is_final: bool
    service: Callable[..., Study]


STEPS = {
    Study.State.DRAFT: Step(
        "freeze",
        "Freeze the plan",
        "Definition, items, choices and artefacts get a hash. The report will say whether the data match it.",
        False,
        study_freeze,
    ),
    Study.State.FROZEN: Step(
        "open", "Open for annotators", "People with a link can take part from now on.", False, study_open
    ),
    Study.State.OPEN: Step(
        "close", "Close the study", "Nobody new can take part, and the study cannot be opened again.", True, study_close
    ),
    Study.State.CLOSED: Step(
        "unblind", "Unblind", "Outcomes by condition are shown to you from now on.", True, study_unblind
    ),
}


def step_from(study: Study) -> Step | None:
    """The button of a study's state; an unblinded study has none."""
    return STEPS.get(Study.State(study.state))


@require_POST
@login_required
def step(request: HttpRequest, slug: str) -> HttpResponse:
    """Take one step; reasons of a refusal are shown on the overview."""
    study = study_for(request.user, slug)
    wanted = next((s for s in STEPS.values() if s.act == request.POST.get("act")), None)
    if wanted is None:
        return HttpResponseBadRequest("unknown act", content_type="text/plain")
    try:
        study = wanted.service(study=study, actor=request.user.get_username())
    except StudyRefused as error:
        for reason in error.reasons:
            messages.error(request, reason)
    else:
        messages.success(request, f"The study is {study.state} now.")
    return redirect("study", slug=study.slug)
