"""The run monitor: how far the computing and the annotators are, and what can be done about it. No outcomes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies.access import study_for
from studies.models import Artefact, Condition, DeskJob, Study, StudyVersion
from studies.monitoring import drop_off, fill, is_worker_missing, phases, run_facts, unassigned
from studies.secret_ids import public_id
from studies.services.assignment import condition_close, condition_reopen
from studies.services.desk_jobs import DeskRefused, desk_job_request
from studies.services.freezing import StudyRefused
from studies.services.leasing import artefacts_retry
from studies.services.ringing import workers_ring
from studies.views.researcher.confirming import Question, ask, is_sure
from studies.views.researcher.standing import Progress, progress_of

SHOWN_FAILURES = 50
FAST_SECONDS, SLOW_SECONDS = 2, 10
ALL = "all"


@require_safe
@login_required
def run(request: HttpRequest, slug: str) -> HttpResponse:
    """The monitor; its script fetches this page again and brings the marked parts up to date."""
    study = study_for(request.user, slug, role="owner")
    version = study.version
    progress, job = progress_of(version), _job(version)
    failed = version.artefacts.filter(state=Artefact.State.FAILED).order_by("pk")
    arms = fill(version)
    context = {
        "study": study,
        "progress": progress,
        "job": job,
        "button": _button(study, progress, job),
        "phases": phases(version),
        "is_worker_missing": is_worker_missing(version),
        "failures": [(_name(study, row), row) for row in failed[:SHOWN_FAILURES]],
        "failed": failed.count(),
        "facts": run_facts(version),
        "arms": arms,
        "has_minutes": any(arm.minutes is not None for arm in arms),
        "unassigned": unassigned(version),
        "drop_off": drop_off(version),
        "said": _said(progress),
        "every": _seconds(study, progress, job),
    }
    return render(request, "researcher/run.html", {**context, "steps": _transposed(context["drop_off"])})


@require_POST
@login_required
def precompute(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a worker begin or continue the precomputation."""
    study = study_for(request.user, slug, role="owner")
    try:
        desk_job_request(version=study.version, kind=DeskJob.Kind.PRECOMPUTE)
    except DeskRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Asked for. A worker begins as soon as one is free.")
    return redirect("study_run", slug=study.slug)


@require_POST
@login_required
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Want one failed artefact again, or all of them."""
    study = study_for(request.user, slug, role="owner")
    failed = study.version.artefacts.filter(state=Artefact.State.FAILED)
    wanted = request.POST.get("row", "")
    if wanted != ALL:
        failed = failed.filter(pk__in=[row.pk for row in failed.only("pk") if _name(study, row) == wanted])
    # The rows of one version only, by their keys: an update cannot span the table that ties them to it.
    count = artefacts_retry(rows=Artefact.objects.filter(pk__in=list(failed.values_list("pk", flat=True))))
    if count:
        workers_ring()
        messages.success(
            request, "One artefact is tried again." if count == 1 else f"{count} artefacts are tried again."
        )
    else:
        messages.error(request, "There is nothing to try again: it is being computed already, or done.")
    return redirect("study_run", slug=study.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def arm(request: HttpRequest, slug: str, position: int) -> HttpResponse:
    """Close an arm while the study runs, or reopen it: asked first, then done."""
    study = study_for(request.user, slug, role="owner")
    condition = get_object_or_404(study.version.conditions, position=position)
    if request.method != "POST":
        return ask(request, study, _question(study, condition))
    act = {"close": condition_close, "reopen": condition_reopen}.get(request.POST.get("act", ""))
    if act is None or not is_sure(request):
        return redirect("study_arm", slug=study.slug, position=position)
    try:
        act(study=study, name=condition.name, actor=request.user.get_username())
    except StudyRefused as refused:
        for reason in refused.reasons:
            messages.error(request, reason)
    else:
        messages.success(request, f"Arm {condition.name}: {'closed' if act is condition_close else 'open again'}.")
    return redirect("study_run", slug=study.slug)


def _question(study: Study, condition: Condition) -> Question:
    closing = [
        "Nobody new is assigned to this arm. Who is in it goes on and is counted.",
        "It can be reopened while the study is open. With its last open arm closed the study is full for newcomers.",
    ]
    opening = ["Newcomers are assigned to this arm again, as long as it has places."]
    return Question(
        title=f"{'Close' if condition.is_open else 'Reopen'} arm {condition.name}?",
        meaning=closing if condition.is_open else opening,
        tick="Yes, and write it into the audit log with my name.",
        button="Close the arm" if condition.is_open else "Reopen the arm",
        action=reverse("study_arm", args=[study.slug, condition.position]),
        back=reverse("study_run", args=[study.slug]),
        fields={"act": "close" if condition.is_open else "reopen"},
    )


def _job(version: StudyVersion) -> DeskJob | None:
    """The latest request to begin the precomputation, as long as it has something to tell."""
    job = version.desk_jobs.filter(kind=DeskJob.Kind.PRECOMPUTE).last()
    return None if job is None or job.state == DeskJob.State.DONE else job


def _button(study: Study, progress: Progress, job: DeskJob | None) -> str:
    """The words of the button that has the work begun, or "" where there is nothing to begin."""
    is_asked = job is not None and job.state != DeskJob.State.FAILED
    if study.state != Study.State.DRAFT or progress.is_done or progress.is_moving or is_asked:
        return ""
    return "Continue the precomputation" if progress.total else "Precompute"


def _seconds(study: Study, progress: Progress, job: DeskJob | None) -> int:
    """How often the page asks again: quickly while something is computed, slowly while people answer, else never."""
    if progress.is_moving or (job is not None and job.state != DeskJob.State.FAILED):
        return FAST_SECONDS
    return SLOW_SECONDS if study.state == Study.State.OPEN else 0


def _said(progress: Progress) -> str:
    """What a screen reader is told: it changes with every tenth, not with every artefact."""
    if progress.is_done:
        return "The precomputation is finished."
    if not progress.total:
        return ""
    tenth = progress.ready * 10 // progress.total
    return f"{tenth * 10} percent of the artefacts are ready{', some have failed' if progress.failed else ''}."


def _transposed(arms: list[Any]) -> list[tuple[str, list[tuple[int, int]]]]:
    """One row per step, with (number, assigned) of each arm."""
    if not arms:
        return []
    return [
        (name, [(arm.reached[place][1], arm.assigned) for arm in arms])
        for place, (name, _, _) in enumerate(arms[0].reached)
    ]


def _name(study: Study, row: Artefact) -> str:
    """A failed row's name in the form: no primary key."""
    return public_id(study.secret, "artefact", row.pk)
