"""The list of a researcher's studies."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import role_in, studies_for
from studies.selectors import with_newest_versions
from studies.views.researcher.standing import standings

PER_PAGE = 50


@require_safe
@login_required
def studies(request: HttpRequest) -> HttpResponse:
    """Own studies and those to code, the newest first."""
    found = with_newest_versions(studies_for(request.user, role="coder").order_by("-created", "slug"))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(role_in(each.study, request.user), each) for each in standings(list(page))]
    return render(request, "researcher/studies.html", {"page": page, "rows": rows})
