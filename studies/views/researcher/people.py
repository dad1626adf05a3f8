"""Who works on a study beside its owner: coders, by the names of their accounts."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies.access import study_for
from studies.services.people import PeopleRefused, coder_add, coder_remove

ACTS = {
    "add": (coder_add, "{name} may code this study from now on."),
    "remove": (coder_remove, "{name} no longer sees this study."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """The list; posted, one person is added or removed."""
    study = study_for(request.user, slug, role="owner")
    if request.method != "POST":
        members = study.memberships.select_related("user").order_by("user__username")
        return render(request, "researcher/people.html", {"study": study, "members": members})
    if request.POST.get("act") not in ACTS:
        return HttpResponseBadRequest("unknown act", content_type="text/plain")
    act, done = ACTS[request.POST["act"]]
    name = request.POST.get("name", "").strip()
    try:
        act(study=study, name=name, actor=request.user.get_username())
    except PeopleRefused as refused:
        for reason in refused.reasons:
            messages.error(request, reason)
    else:
        messages.success(request, done.format(name=name))
    return redirect("study_people", slug=study.slug)
