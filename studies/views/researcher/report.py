"""The report page: it shows what a worker has built and stored, rings one where nothing is, and never computes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from studies.access import study_for
from studies.models import Study
from studies.reports.html import report_context
from studies.reports.shape import Report
from studies.reports.stored import (
    PEEK,
    ReportFailed,
    ReportRefused,
    built_row,
    failures_forget,
    is_blinded,
    outcomes_allow,
    report_allow,
)
from studies.services.ringing import report_ring

REFRESH_SECONDS = 3
RING_AGAIN_SECONDS = 10
#: format -> words of its link
DOWNLOADS = {"html": "web page", "text": "text", "json": "JSON", "csv": "CSV", "latex": "LaTeX"}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """The report of the present data; before unblinding an explanation why there is none.

    Posted, one that could not be built is tried again.
    """
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_report")
    if request.method == "POST":
        failures_forget(study.version)
        report_ring(study.version.pk)
        return redirect("study_report", slug=study.slug)
    try:
        row = built_row(study.version)
    except ReportFailed as failed:
        return render(request, "researcher/report_failed.html", {"study": study, "reason": str(failed)})
    if row is None:
        return _being_built(request, study)
    shown = report_context(Report.model_validate(row.body), row.charts)
    context = {"study": study, "is_peek": is_blinded(study), "downloads": DOWNLOADS, **shown}
    return render(request, "researcher/report.html", context)


@require_POST
@login_required
def peek(request: HttpRequest, slug: str) -> HttpResponse:
    """Look at outcomes before unblinding: logged, and good for a while for this account."""
    study = study_for(request.user, slug, role="owner")
    report_allow(study, peek=True, actor=request.user.get_username())
    return redirect("study_export" if request.POST.get("then") == "study_export" else "study_report", slug=study.slug)


def look(request: HttpRequest, study: Study) -> None:
    """Let this account see outcomes: after unblinding, or for a while after a peek. raises: ReportRefused"""
    outcomes_allow(study, actor=request.user.get_username())


def refused(request: HttpRequest, study: Study, reason: ReportRefused, then: str) -> HttpResponse:
    """The page that says why there is nothing to see yet. then: where a peek leads"""
    context = {"study": study, "reason": str(reason), "minutes": int(PEEK.total_seconds()) // 60, "then": then}
    return render(request, "researcher/report_blinded.html", context, status=403)


def _being_built(request: HttpRequest, study: Study) -> HttpResponse:
    version_pk = study.version.pk
    # The page asks again every few seconds; the worker need not be rung each time.
    if cache.add(f"report-rung-{version_pk}", True, RING_AGAIN_SECONDS):
        report_ring(version_pk)
    response = render(request, "researcher/report_building.html", {"study": study})
    response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response
