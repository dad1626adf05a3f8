"""Deleting a study: its name has to be typed, and where people's answers go with it, that has to be ticked."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies.access import study_for
from studies.models import Answer, Sheet
from studies.models.sheet import Kind
from studies.services.authoring import DeletionInterrupted, study_delete
from studies.views.researcher.confirming import is_sure


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """The page that asks; posted with the study's name, the study is gone."""
    study = study_for(request.user, slug, role="owner")
    live = Sheet.objects.filter(version__study=study, kind=Kind.LIVE)
    context = {
        "study": study,
        "sheets": live.count(),
        "answers": Answer.objects.filter(sheet__in=live).count(),
        "others": Sheet.objects.filter(version__study=study).exclude(kind=Kind.LIVE).count(),
        "problems": [],
    }
    if request.method != "POST":
        return render(request, "researcher/delete.html", context)
    if request.POST.get("name", "").strip() != study.slug:
        context["problems"] += [f"Type the study's name, {study.slug}, exactly."]
    if context["sheets"] and not is_sure(request):
        context["problems"] += ["Say that people's answers may be deleted."]
    if context["problems"]:
        return render(request, "researcher/delete.html", context, status=422)
    try:
        study_delete(study=study)
    except DeletionInterrupted as interrupted:
        context["problems"] += [str(interrupted)]
        return render(request, "researcher/delete.html", context, status=409)
    messages.success(request, f"The study {slug} is deleted.")
    return redirect("studies")
