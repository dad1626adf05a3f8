"""Making links: previews of each condition, and links for annotators."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from studies.access import study_for
from studies.services.inviting import invites_create, preview_invites

MOST = 500


@require_POST
@login_required
def make(request: HttpRequest, slug: str) -> HttpResponse:
    """`count` links for annotators, or without it the preview links."""
    study = study_for(request.user, slug)
    count = request.POST.get("count", "")
    if not count:
        preview_invites(study=study)
    elif count.isdecimal() and 1 <= int(count) <= MOST:
        invites_create(study=study, count=int(count))
    else:
        messages.error(request, f"The number of links is a whole number from 1 to {MOST}.")
    return redirect("study", slug=study.slug)
