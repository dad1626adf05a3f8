"""A new study: by the form or as a file, beginning with nothing, a preset, an example or an own study."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies.access import studies_for
from studies.data_roots import checkpoints_there, datasets_there
from studies.forms.posted import fill
from studies.forms.screen import screen
from studies.forms.starting import STUDY, Start, start, start_from_study, starts
from studies.models import DeskJob, Study
from studies.services.authoring import StudyExists, study_create
from studies.services.desk_jobs import desk_job_request
from studies.views.researcher.form_posted import Posted, file_lines, read_posted
from studies.yaml_strict import Problem


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The empty or begun form; POST makes the study and has it checked."""
    own = studies_for(request.user, "owner").order_by("slug")
    if request.method == "POST":
        posted = read_posted(request)
        return _made(request, own, posted)
    begun = _begun(request.GET.get("from", ""), own)
    way = "file" if request.GET.get("as") == "file" else "form"
    return _page(request, own, Posted(way, data=fill(begun.values), text=begun.text), begun)


def _made(request: HttpRequest, own: QuerySet[Study], posted: Posted) -> HttpResponse:
    problems = posted.problems
    if posted.config is not None:
        assert isinstance(request.user, User)
        try:
            version = study_create(config=posted.config, owner=request.user, author=request.user, after=0)
        except StudyExists as error:
            problems = [Problem("study", str(error))]
        else:
            desk_job_request(version=version, kind=DeskJob.Kind.CHECK)
            return redirect("study_design", slug=version.study.slug)
    return _page(request, own, Posted(posted.way, posted.data, posted.text, None, problems), None)


def _begun(key: str, own: QuerySet[Study]) -> Start:
    if key.startswith(STUDY):
        found = own.filter(slug=key.removeprefix(STUDY)).first()
        if found:
            return start_from_study(found.version.config)
    return start(key)


def _page(request: HttpRequest, own: QuerySet[Study], posted: Posted, begun: Start | None) -> HttpResponse:
    context = {
        "starts": [*starts(), *((f"{STUDY}{study.slug}", f"Your study {study.slug}") for study in own)],
        "chosen": request.GET.get("from", ""),
        "begun": begun,
        **form_context(posted),
    }
    return render(request, "researcher/new.html", context, status=422 if posted.problems else 200)


def form_context(posted: Posted) -> dict[str, Any]:
    """What the templates of form and file need."""
    is_form = posted.way == "form"
    return {
        "way": posted.way,
        "screen": screen(posted.data, posted.problems) if is_form else None,
        "text": posted.text,
        "lines": file_lines(posted.text, posted.problems) if posted.problems and not is_form else [],
        "problems": posted.problems,
        "datasets": datasets_there() if is_form else [],
        "checkpoints": checkpoints_there() if is_form else [],
    }
