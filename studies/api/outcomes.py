"""Outcomes: the report and the export. Before unblinding only after a peek, which is logged."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from studies import artefact_files
from studies.api.operation import Conflict, NotOpen, Operation
from studies.api.shapes import BuildingShape, JobShape, PeekShape
from studies.models import DeskJob, Study
from studies.reports.archive_rules import export_allow, export_key
from studies.reports.stored import ReportRefused, is_blinded, report_allow, stored_report
from studies.services.desk_jobs import desk_job_request
from studies.services.ringing import report_ring

PEEK = timedelta(minutes=15)
REFUSED = OpenApiResponse(OpenApiTypes.OBJECT, description="outcomes are not shown yet: `detail` says why")


def peeked_until(study: Study, actor: str) -> datetime | None:
    """Until when the caller's last peek is good; the audit log is what remembers it."""
    last = study.audit.filter(act="peek", actor=actor, at__gt=timezone.now() - PEEK).last()
    return last.at + PEEK if last else None


class Outcome(Operation):
    """Something that shows outcomes."""

    def allow(self, study: Study) -> None:
        """raises: NotOpen with the sentence of the report"""
        if peeked_until(study, self.actor) is None:
            try:
                report_allow(study, actor=self.actor)
            except ReportRefused as refused:
                raise NotOpen(str(refused)) from refused


class StudyReport(Outcome):
    """The report."""

    @extend_schema(
        operation_id="report",
        responses={200: OpenApiTypes.OBJECT, 202: BuildingShape, 403: REFUSED},
    )
    def get(self, request: Request, slug: str) -> Response:
        """The report of the present data; 202 while a worker builds it."""
        study = self.study()
        self.allow(study)
        found = stored_report(study.version)
        if found is not None:
            return Response(found.model_dump(mode="json"))
        report_ring(study.version.pk)
        return _building()


class StudyPeek(Operation):
    """A look before unblinding."""

    @extend_schema(operation_id="report_peek", request=None, responses=PeekShape)
    def post(self, request: Request, slug: str) -> Response:
        """Log a peek; the report and the export can then be fetched for 15 minutes."""
        study = self.study()
        report_allow(study, peek=True, actor=self.actor)
        return Response(PeekShape({"until": peeked_until(study, self.actor)}).data)


class ExportRequest(Outcome):
    """A zip with all data."""

    @extend_schema(operation_id="export_request", request=None, responses={202: JobShape, 403: REFUSED})
    def post(self, request: Request, slug: str) -> Response:
        """Ask a worker for the export of the present data, and log it. The same data are written once."""
        study = self.study()
        self.allow(study)
        export_allow(study, peek=is_blinded(study), actor=self.actor)
        version = study.version
        job = desk_job_request(version=version, kind=DeskJob.Kind.EXPORT, key=export_key(version))
        return Response(JobShape(job).data, status=status.HTTP_202_ACCEPTED)


class ExportDownload(Outcome):
    """The zip."""

    @extend_schema(
        operation_id="export_download",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 202: BuildingShape, 403: REFUSED},
    )
    def get(self, request: Request, slug: str) -> Response | HttpResponse:
        """The export of the present data; 404 where none was asked for, 202 while a worker writes it."""
        study = self.study()
        self.allow(study)
        version = study.version
        job = version.desk_jobs.filter(kind=DeskJob.Kind.EXPORT, key=export_key(version)).first()
        if job is None:
            raise Http404
        if job.state == DeskJob.State.FAILED:
            raise Conflict([job.reason])
        return _file(job.result, slug) if job.state == DeskJob.State.DONE else _building()


class Export(ExportRequest, ExportDownload):
    """One address, two operations."""


def _building() -> Response:
    return Response({"state": "building"}, status=status.HTTP_202_ACCEPTED, headers={"Retry-After": "3"})


def _file(entry: dict[str, Any], slug: str) -> HttpResponse:
    try:
        content = artefact_files.load(entry)
    except artefact_files.CorruptArtefact as error:
        raise Conflict(["the file is damaged; ask for the export again"]) from error
    headers = {"Content-Disposition": f'attachment; filename="{slug}.zip"'}
    return HttpResponse(content, content_type=entry["type"], headers=headers)
