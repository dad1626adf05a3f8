"""Taking things away: the report as a file, and the export of all data, which a worker builds."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies import artefact_files
from studies.access import study_for
from studies.models import DeskJob, Study
from studies.reports.archive_rules import export_key
from studies.reports.archive_tables import TABLES
from studies.reports.codebook import FILES
from studies.reports.export import render as render_report
from studies.reports.stored import ReportRefused, is_blinded, stored_report
from studies.services.audit import audit_record
from studies.services.desk_jobs import desk_job_request
from studies.views.researcher.report import REFRESH_SECONDS, look, refused

#: format -> ending and media type
FORMATS = {"text": ("txt", "text/plain"), "json": ("json", "application/json"), "html": ("html", "text/html")}
UNDER_WAY = (DeskJob.State.WANTED, DeskJob.State.LEASED)


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
    found = stored_report(study.version)
    if found is None:
        return redirect("study_report", slug=study.slug)
    ending, media_type = FORMATS[format]
    return _attachment(render_report(found, format).encode(), f"{study.slug}-report.{ending}", media_type)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """What an export holds, and how far the one of the present data is; posted, it is asked for."""
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_export")
    version = study.version
    key = export_key(version)
    if request.method == "POST":
        desk_job_request(version=version, kind=DeskJob.Kind.EXPORT, key=key)
        return redirect("study_export", slug=study.slug)
    job = _job(study, key)
    files = [(f"{table.name}.csv", table.about) for table in TABLES] + list(FILES.items())
    context = {"study": study, "job": job, "files": files, "is_peek": is_blinded(study)}
    response = render(request, "researcher/export.html", context)
    if job is not None and job.state in UNDER_WAY:
        response.headers["Refresh"] = str(REFRESH_SECONDS)
    return response


@require_POST
@login_required
def export_file(request: HttpRequest, slug: str) -> HttpResponse:
    """The export of the present data. Each time is logged: that is why it is no link."""
    study = study_for(request.user, slug, role="owner")
    try:
        look(request, study)
    except ReportRefused as reason:
        return refused(request, study, reason, "study_export")
    job = _job(study, export_key(study.version))
    try:
        content = artefact_files.load(job.result) if job and job.state == DeskJob.State.DONE else None
    except artefact_files.CorruptArtefact:
        content = None
    if content is None:
        messages.error(request, "The data have changed since, or the file is gone: have it built again.")
        return redirect("study_export", slug=study.slug)
    assert job is not None
    actor, version = request.user.get_username(), study.version.sha256
    audit_record(study=study, act="export", actor=actor, version=version, sha256=job.result["sha256"])
    return _attachment(content, f"{study.slug}.zip", job.result["type"])


def _job(study: Study, key: str) -> DeskJob | None:
    """The job of this state of the data; a finished one whose file is gone counts as none."""
    job = DeskJob.objects.filter(version=study.version, kind=DeskJob.Kind.EXPORT, key=key).first()
    is_gone = job is not None and job.state == DeskJob.State.DONE and not artefact_files.is_there(job.result)
    return None if is_gone else job


def _attachment(content: bytes, name: str, media_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    charset = "" if media_type == "application/zip" else "; charset=utf-8"
    return HttpResponse(content, content_type=f"{media_type}{charset}", headers=headers)
