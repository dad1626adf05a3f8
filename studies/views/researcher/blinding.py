"""The blinding audit of a study: which fields the annotators of each condition receive."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.access import study_for
from studies.blinding_audit import ALWAYS_HIDDEN, audits
from studies.selectors import is_precomputed


@require_safe
@login_required
def blinding(request: HttpRequest, slug: str) -> HttpResponse:
    """Per condition, as soon as everything that they show is computed."""
    study = study_for(request.user, slug, role="owner")
    is_ready = is_precomputed(study.version)
    context = {
        "study": study,
        "audits": audits(study.version) if is_ready else [],
        "always_hidden": ALWAYS_HIDDEN,
        "policy": study.version.config.target_class_policy.replace("_", " "),
    }
    return render(request, "researcher/blinding.html", context)
