"""The list of a researcher's studies."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import studies_for
from studies.views.researcher.standing import standing


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    """Own studies, the newest first."""
    rows = [standing(study) for study in studies_for(request.user).order_by("-created", "slug")]
    return render(request, "researcher/studies.html", {"rows": rows})
