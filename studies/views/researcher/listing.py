"""The list of a researcher's studies."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import role_in, studies_for
from studies.views.researcher.standing import standing


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    """Own studies and those to code, the newest first."""
    found = studies_for(request.user, role="coder").order_by("-created", "slug")
    rows = [(role_in(study, request.user), standing(study)) for study in found]
    return render(request, "researcher/studies.html", {"rows": rows})
