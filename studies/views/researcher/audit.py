"""The audit log: who did what to a study, and whether the chain of hashes holds."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import study_for
from studies.services.audit import broken_links

PER_PAGE = 100
ACTS = {
    "freeze": "froze the plan",
    "open": "opened the study",
    "close": "closed the study",
    "unblind": "unblinded the outcomes",
    "peek": "looked at outcomes before unblinding",
    "export": "took the data away",
    "coder_add": "added a coder",
    "coder_remove": "removed a coder",
    "condition_close": "closed an arm",
    "condition_reopen": "reopened an arm",
}


@require_safe
@login_required
def audit(request: HttpRequest, slug: str) -> HttpResponse:
    """The entries, the newest first."""
    study = study_for(request.user, slug, role="owner")
    page = Paginator(study.audit.order_by("-number"), PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "entry": entry,
            "act": ACTS.get(entry.act, entry.act.replace("_", " ")),
            "details": [(name.replace("_", " "), str(value)) for name, value in sorted(entry.details.items())],
        }
        for entry in page
    ]
    context = {"study": study, "page": page, "rows": rows, "broken": broken_links(study)}
    return render(request, "researcher/audit.html", context)
