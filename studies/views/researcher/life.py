"""The buttons that move a study on: freeze, open, close, unblind. The final ones ask first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from studies.access import study_for
from studies.models import Study
from studies.monitoring import fill, unassigned
from studies.services.freezing import StudyRefused, study_close, study_freeze, study_open, study_unblind
from studies.views.researcher.confirming import Question, ask, is_sure


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
        "Definition, items, choices and artefacts get a hash. The report will say whether the data match it. After this"
        " the design cannot be changed.",
        True,
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


@require_safe
@login_required
def confirm(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """The page before a final step. In a state that has no such step: back to the overview."""
    study = study_for(request.user, slug, role="owner")
    if act not in {step.act for step in STEPS.values() if step.is_final}:
        raise Http404
    wanted = step_from(study)
    if wanted is None or wanted.act != act:
        messages.error(request, f"The study is {study.state}: this step cannot be taken now.")
        return redirect("study", slug=study.slug)
    return ask(request, study, _question(study, wanted))


@require_POST
@login_required
def step(request: HttpRequest, slug: str) -> HttpResponse:
    """Take one step; reasons of a refusal are shown on the overview."""
    study = study_for(request.user, slug, role="owner")
    wanted = next((s for s in STEPS.values() if s.act == request.POST.get("act")), None)
    if wanted is None:
        return HttpResponseBadRequest("unknown act", content_type="text/plain")
    if wanted.is_final and not is_sure(request):
        return redirect("study_confirm", slug=study.slug, act=wanted.act)
    try:
        study = wanted.service(study=study, actor=request.user.get_username())
    except StudyRefused as error:
        for reason in error.reasons:
            messages.error(request, reason)
    else:
        messages.success(request, f"The study is {study.state} now.")
    return redirect("study", slug=study.slug)


def _question(study: Study, wanted: Step) -> Question:
    return Question(
        title=f"{wanted.label}?",
        meaning=[wanted.meaning, *_more(study, wanted.act)],
        tick="I want this: it cannot be taken back.",
        button=wanted.label,
        action=reverse("study_life", args=[study.slug]),
        back=reverse("study", args=[study.slug]),
        fields={"act": wanted.act},
    )


def _more(study: Study, act: str) -> list[str]:
    if act == "close":
        return _before_closing(study)
    return _BEFORE_UNBLINDING if act == "unblind" else ["The links are given out after the next step, opening it."]


_BEFORE_UNBLINDING = [
    "Whatever has to be decided without knowing the outcomes (exclusions, coding of texts) is decided before this:"
    " afterwards it is no longer blind.",
    "The step is written into the audit log with your name.",
]


def _before_closing(study: Study) -> list[str]:
    version = study.version
    arms, early = fill(version), unassigned(version)
    open_sheets = sum(arm.under_way + arm.away for arm in arms) + early.consent + early.quiz
    finished, wanted = sum(arm.finished for arm in arms), sum(arm.quota for arm in arms)
    count = f"{finished} of {wanted} wanted sheets are finished."
    if not open_sheets:
        return [f"{count} Nobody is under way."]
    people = "1 sheet is" if open_sheets == 1 else f"{open_sheets} sheets are"
    return [
        f"{count} {people} open.",
        "Who is under way cannot go on: at the next page they read that the study has closed. What they answered is"
        " kept and exported, and not counted in the report.",
        "To let them finish, close the arms instead (page Run): then nobody new comes in, and who is in goes on.",
    ]
