"""A study's design: the form, its file, the check against the data, the precomputation, previews."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies.access import study_for
from studies.forms.posted import fill
from studies.forms.yaml_text import study_file
from studies.models import DeskJob, Study, StudyVersion
from studies.models.sheet import Kind
from studies.services.authoring import StudyExists, study_create
from studies.services.desk_jobs import DeskRefused, desk_job_request
from studies.services.inviting import invite_url, preview_invites
from studies.views.researcher.form_jobs import Desk, desk_of
from studies.views.researcher.form_posted import Posted, read_posted
from studies.views.researcher.new import form_context
from studies.yaml_strict import Problem


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def design(request: HttpRequest, slug: str) -> HttpResponse:
    """The design; POST saves it as the draft's next version and has it checked."""
    study = study_for(request.user, slug)
    version = study.version
    if request.method != "POST":
        desk = desk_of(study, version)
        way = "file" if request.GET.get("as") == "file" else "form"
        values = version.config.model_dump(mode="json")
        shown = Posted(way, data=fill(values), text=study_file(version.config), problems=desk.problems)
        return _page(request, study, version, shown, desk)
    if study.state != Study.State.DRAFT:
        messages.error(request, _frozen(study))
        return redirect("study_design", slug=study.slug)
    return _save(request, study, version)


@require_safe
@login_required
def file(request: HttpRequest, slug: str) -> HttpResponse:
    """The study file of the newest version."""
    version = study_for(request.user, slug).version
    headers = {"Content-Disposition": f'attachment; filename="{slug}.yaml"'}
    return HttpResponse(study_file(version.config), content_type="application/yaml; charset=utf-8", headers=headers)


@require_safe
@login_required
def progress(request: HttpRequest, slug: str) -> JsonResponse:
    """How far check and precomputation are, for the page's poll."""
    study = study_for(request.user, slug)
    desk = desk_of(study, study.version)
    return JsonResponse({"works": [desk.check.as_json(), desk.precompute.as_json()], "is_moving": desk.is_moving})


@require_POST
@login_required
def act(request: HttpRequest, slug: str) -> HttpResponse:
    """The buttons: check again, precompute, make preview links."""
    study = study_for(request.user, slug)
    wanted, desk = request.POST.get("act"), desk_of(study, study.version)
    if wanted not in ("check", "precompute", "preview"):
        return HttpResponseBadRequest("unknown act", content_type="text/plain")
    refused = {"check": desk.check.refused, "precompute": desk.precompute.refused, "preview": _no_preview(desk)}[wanted]
    if refused:
        messages.error(request, refused)
    elif wanted == "preview":
        preview_invites(study=study)
    else:
        try:
            desk_job_request(version=study.version, kind=wanted)
        except DeskRefused as reason:  # frozen since the page was loaded
            messages.error(request, str(reason))
    return redirect("study_design", slug=study.slug)


def _save(request: HttpRequest, study: Study, version: StudyVersion) -> HttpResponse:
    assert isinstance(request.user, User)
    posted = read_posted(request, version.config.model_dump(mode="json"))
    problems, config = list(posted.problems), posted.config
    if config is not None and config.study != study.slug:
        problems.append(Problem("study", f"a study keeps its name, {study.slug}; another name is a new study"))
    elif config is not None:
        try:
            saved = study_create(config=config, owner=study.owner, author=request.user, after=_seen(request, version))
        except StudyExists as error:
            problems.append(Problem("", str(error)))
        else:
            messages.success(
                request, "Nothing has changed." if saved == version else f"Saved as version {saved.number}."
            )
            if not saved.desk_jobs.filter(kind=DeskJob.Kind.CHECK).exists():
                desk_job_request(version=saved, kind=DeskJob.Kind.CHECK)
            return redirect("study_design", slug=study.slug)
    shown = Posted(posted.way, posted.data, posted.text, None, problems)
    return _page(request, study, version, shown, desk_of(study, version), status=422)


def _seen(request: HttpRequest, version: StudyVersion) -> int:
    """The version that the page showed."""
    number = request.POST.get("version", "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else version.number


def _page(
    request: HttpRequest, study: Study, version: StudyVersion, shown: Posted, desk: Desk, status: int = 200
) -> HttpResponse:
    context = {
        "study": study,
        "version": version,
        "desk": desk,
        "closed": "" if study.state == Study.State.DRAFT else _frozen(study),
        "is_saved": status == 200,
        "previews": _previews(study, version),
        "no_preview": _no_preview(desk),
        **form_context(shown),
    }
    return render(request, "researcher/design.html", context, status=status)


def _previews(study: Study, version: StudyVersion) -> list[dict[str, Any]]:
    """The conditions, each with its preview link where it was made."""
    links = {
        invite.condition_id: invite_url(invite)
        for invite in study.invites.filter(kind=Kind.PILOT, revoked=False).select_related("study")
    }
    return [{"name": arm.name, "url": links.get(arm.pk)} for arm in version.conditions.order_by("position")]


def _no_preview(desk: Desk) -> str:
    return "" if desk.progress.is_done else f"Previews show computed artefacts. {desk.progress.text}"


def _frozen(study: Study) -> str:
    return f"The study is {study.state}: its definition can no longer be changed. Start a new study from it instead."
