"""Taking things away: the report as a file, and the export of all data, which a worker builds."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies.access import study_for
from studies.artefact_files import CorruptArtefact
from studies.reports.archive_rules import export_hand_out, export_request, exports_of
from studies.reports.archive_tables import TABLES
from studies.reports.codebook import FILES
from studies.reports.export import FILES as FORMATS
from studies.reports.export import render as render_report
from studies.reports.shape import Report
from studies.reports.stored import ReportFailed, ReportRefused, built_row, is_blinded
from studies.views.researcher.report import REFRESH_SECONDS, look, refused


@require_safe
@login_required
def report_file(request: HttpRequest, slug: str, format: str) -> HttpResponse:
    """The stored report as a file; where none is built yet, the page that has it built."""
    study = study_for(request.user, slug, role="owner")
    if format not in FORMATS:
        raise Http404
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_report")
    try:
        row = built_row(study.version)
    except ReportFailed:
        row = None
    if row is None:
        return redirect("study_report", slug=study.slug)
    ending, media_type = FORMATS[format]
    content = render_report(Report.model_validate(row.body), format, row.charts)
    return _attachment(content.encode(), f"{study.slug}-report.{ending}", media_type)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """What an export holds, the newest one, and how far the next one is; posted, it is asked for."""
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_export")
    if request.method == "POST":
        export_request(study.version)
        return redirect("study_export", slug=study.slug)
    exports = exports_of(study.version)
    files = [(f"{table.name}.csv", table.about) for table in TABLES] + list(FILES.items())
    context = {"study": study, "exports": exports, "files": files, "is_peek": is_blinded(study)}
    response = render(request, "researcher/export.html", context)
    if exports.under_way:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


@require_POST
@login_required
def export_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest export. Each time is logged: that is why it is no link."""
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_export")
    job = exports_of(study.version).built
    try:
        content = export_hand_out(job, actor=request.user.get_username()) if job else None
    except CorruptArtefact:
        content = None
    if job is None or content is None:
        messages.error(request, "There is no export, or its file is gone or damaged: have it built again.")
        return redirect("study_export", slug=study.slug)
    return _attachment(content, f"{study.slug}.zip", job.result["type"])


def _attachment(content: bytes, name: str, media_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    charset = "" if media_type == "application/zip" else "; charset=utf-8"
    return HttpResponse(content, content_type=f"{media_type}{charset}", headers=headers)
