"""Outcomes: the report and the export. Before unblinding only after a peek, which is logged."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from studies.api.operation import Conflict, NotOpen, Operation
from studies.api.shapes import BuildingShape, JobShape, PeekShape, ReasonsShape
from studies.artefact_files import CorruptArtefact
from studies.models import Study
from studies.reports.archive_rules import export_hand_out, export_request, exports_of
from studies.reports.export import FILES, FORMATS, render
from studies.reports.shape import Report
from studies.reports.stored import (
    ReportFailed,
    ReportRefused,
    built_row,
    failures_forget,
    outcomes_allow,
    peeked_until,
    report_allow,
    stored_report,
)
from studies.services.ringing import report_ring

REFUSED = OpenApiResponse(OpenApiTypes.OBJECT, description="outcomes are not shown yet: `detail` says why")
GONE = OpenApiResponse(OpenApiTypes.OBJECT, description="no such study, no export yet, or its file is gone")


class Outcome(Operation):
    """Something that shows outcomes."""

    def allow(self, study: Study) -> None:
        """raises: NotOpen with the sentence of the report"""
        try:
            outcomes_allow(study, actor=self.actor)
        except ReportRefused as refused:
            raise NotOpen(str(refused)) from refused


class ReportFile(Outcome):
    """The report in another form."""

    @extend_schema(
        operation_id="report_file",
        parameters=[OpenApiParameter("form", str, OpenApiParameter.PATH, enum=list(FORMATS))],
        responses={
            **{(200, media_type): OpenApiTypes.STR for _, media_type in FILES.values()},
            202: BuildingShape,
            403: REFUSED,
            409: ReasonsShape,
        },
    )
    def get(self, request: Request, slug: str, form: str) -> Response | HttpResponse:
        """The report as a file: text, json, html, csv or latex; 202 while a worker builds it, 409 where that failed."""
        study = self.study()
        self.allow(study)
        if form not in FORMATS:
            raise NotFound(f"A report can be {', '.join(FORMATS)}.")
        try:
            row = built_row(study.version)
        except ReportFailed as failed:
            raise Conflict([f"the report could not be built: {failed}"]) from failed
        if row is None:
            report_ring(study.version.pk)
            return _building()
        ending, media_type = FILES[form]
        content = render(Report.model_validate(row.body), form, row.charts)
        headers = {"Content-Disposition": f'attachment; filename="{slug}-report.{ending}"'}
        return HttpResponse(content, content_type=f"{media_type}; charset=utf-8", headers=headers)


class ReportAgain(Outcome):
    """A report that failed."""

    @extend_schema(operation_id="report_again", request=None, responses={202: BuildingShape, 403: REFUSED})
    def post(self, request: Request, slug: str) -> Response:
        """Have a worker build the report, also where that failed before."""
        study = self.study()
        self.allow(study)
        failures_forget(study.version)
        report_ring(study.version.pk)
        return _building()


class ReportGet(Outcome):
    """The report."""

    @extend_schema(
        operation_id="report",
        responses={200: OpenApiTypes.OBJECT, 202: BuildingShape, 403: REFUSED, 409: ReasonsShape},
    )
    def get(self, request: Request, slug: str) -> Response:
        """The report of the present data; 202 while a worker builds it, 409 where that failed."""
        study = self.study()
        self.allow(study)
        try:
            found = stored_report(study.version)
        except ReportFailed as failed:
            raise Conflict([f"the report could not be built: {failed}"]) from failed
        if found is not None:
            return Response(found.model_dump(mode="json"))
        report_ring(study.version.pk)
        return _building()


class StudyReport(ReportAgain, ReportGet):
    """One address, two operations."""


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
        """Ask a worker for the export of the present data. The same data are written once."""
        study = self.study()
        self.allow(study)
        return Response(JobShape(export_request(study.version)).data, status=status.HTTP_202_ACCEPTED)


class ExportDownload(Outcome):
    """The zip."""

    @extend_schema(
        operation_id="export_download",
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            202: BuildingShape,
            403: REFUSED,
            404: GONE,
            409: ReasonsShape,
        },
    )
    def get(self, request: Request, slug: str) -> Response | HttpResponse:
        """The newest export, which is logged; 202 while a worker writes one, 404 where there is none or it is gone.

        `Last-Modified` says when it was built, `Export-Is-Current` whether it was asked for with the present data.
        """
        study = self.study()
        self.allow(study)
        exports = exports_of(study.version)
        if exports.under_way:
            return _building()
        if exports.failed:
            raise Conflict([exports.failed.reason])
        if exports.built is None:
            raise NotFound("There is no export, or its file is gone: ask for it with POST.")
        try:
            content = export_hand_out(exports.built, actor=self.actor)
        except CorruptArtefact as error:
            raise Conflict(["the file is damaged; ask for the export again"]) from error
        headers = {
            "Content-Disposition": f'attachment; filename="{slug}.zip"',
            "Export-Is-Current": "true" if exports.is_current else "false",
        }
        if exports.built.finished:
            headers["Last-Modified"] = http_date(exports.built.finished.timestamp())
        return HttpResponse(content, content_type=exports.built.result["type"], headers=headers)


class Export(ExportRequest, ExportDownload):
    """One address, two operations."""


def _building() -> Response:
    return Response({"state": "building"}, status=status.HTTP_202_ACCEPTED, headers={"Retry-After": "3"})
