"""The report page: it shows what a worker has built and stored, rings one where nothing is, and never computes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from studies.access import study_for
from studies.models import Study
from studies.reports.html import report_context
from studies.reports.stored import ReportRefused, is_blinded, report_allow, stored_report
from studies.services.ringing import report_ring

REFRESH_SECONDS = 3
RING_AGAIN_SECONDS = 10
PEEK_SECONDS = 15 * 60


@require_safe
@login_required
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """The report of the present data; before unblinding an explanation why there is none."""
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_report")
    found = stored_report(study.version)
    if found is None:
        return _being_built(request, study)
    context = {"study": study, "is_peek": is_blinded(study), **report_context(found)}
    return render(request, "researcher/report.html", context)


@require_POST
@login_required
def peek(request: HttpRequest, slug: str) -> HttpResponse:
    """Look at outcomes before unblinding: logged, and good for a while in this browser."""
    study = study_for(request.user, slug, role="owner")
    report_allow(study, peek=True, actor=request.user.get_username())
    request.session[_peek_key(study)] = timezone.now().timestamp()
    return redirect("study_export" if request.POST.get("then") == "study_export" else "study_report", slug=study.slug)


def look(request: HttpRequest, study: Study) -> None:
    """Let this browser see outcomes: after unblinding, or for a while after a peek. raises: ReportRefused"""
    if not _has_peeked(request, study):
        report_allow(study, actor=request.user.get_username())


def refused(request: HttpRequest, study: Study, reason: ReportRefused, then: str) -> HttpResponse:
    """The page that says why there is nothing to see yet. then: where a peek leads"""
    context = {"study": study, "reason": str(reason), "minutes": PEEK_SECONDS // 60, "then": then}
    return render(request, "researcher/report_blinded.html", context, status=403)


def _has_peeked(request: HttpRequest, study: Study) -> bool:
    return timezone.now().timestamp() - request.session.get(_peek_key(study), 0) < PEEK_SECONDS


def _peek_key(study: Study) -> str:
    return f"peek {study.slug}"


def _being_built(request: HttpRequest, study: Study) -> HttpResponse:
    version_pk = study.version.pk
    # The page asks again every few seconds; the worker need not be rung each time.
    if cache.add(f"report-rung-{version_pk}", True, RING_AGAIN_SECONDS):
        report_ring(version_pk)
    response = render(request, "researcher/report_building.html", {"study": study})
    response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response
