"""Studies: list, create, validate, status, check, precompute."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from studies.access import studies_for
from studies.api.operation import Conflict, Operation
from studies.api.shapes import JobShape, ProblemShape, ReasonsShape, StatusShape, StudyShape, ValidShape
from studies.api.study_files import PARSERS, study_file
from studies.models import DeskJob, Study
from studies.selectors import status_facts, with_newest_versions
from studies.services.authoring import StudyExists, study_create
from studies.services.desk_jobs import DeskRefused, desk_job_request

STUDY_FILE = {"application/json": OpenApiTypes.OBJECT, "application/yaml": OpenApiTypes.STR}
ORDERINGS = ["-created", "created", "slug", "-slug"]


class ListQuery(serializers.Serializer[Any]):
    """What a list of studies can be narrowed to and ordered by; anything else is refused."""

    state = serializers.ChoiceField(choices=Study.State.choices, required=False)
    ordering = serializers.ChoiceField(choices=ORDERINGS, default=ORDERINGS[0])


class StudyList(ListAPIView[Study], Operation):
    """The caller's own studies."""

    serializer_class = StudyShape

    def get_queryset(self) -> QuerySet[Study]:
        """Narrowed and ordered by the allow-list of ListQuery."""
        own = with_newest_versions(studies_for(self.request.user, "owner"))
        query = ListQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        return own.filter(**{"state": asked["state"]} if "state" in asked else {}).order_by(asked["ordering"], "slug")

    @extend_schema(operation_id="studies_list", parameters=[ListQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List own studies, the newest first."""
        return super().get(request, *args, **kwargs)


class StudyCreate(Operation):
    """A study from a study file."""

    parser_classes = PARSERS

    @extend_schema(
        operation_id="studies_create",
        request=STUDY_FILE,
        responses={201: StatusShape, 200: StatusShape, 409: ReasonsShape, 422: ProblemShape(many=True)},
    )
    def post(self, request: Request) -> Response:
        """Create a study, or a new version of a draft; the same definition again changes nothing (200).

        A worker then checks the file against its data: the result is among the `jobs` of the study's status.
        """
        before = studies_for(request.user, "owner").values_list("versions__pk", flat=True)
        known = set(before)
        try:
            version = study_create(config=study_file(request.data), owner=request.user, author=request.user)
        except StudyExists as error:
            raise Conflict([error]) from error
        if version.pk in known:
            return Response(StatusShape(status_facts(version.study)).data)
        desk_job_request(version=version, kind=DeskJob.Kind.CHECK)
        return Response(StatusShape(status_facts(version.study)).data, status=status.HTTP_201_CREATED)


class Studies(StudyCreate, StudyList):
    """One address, two operations."""


class StudyValidate(Operation):
    """A study file's form."""

    parser_classes = PARSERS

    @extend_schema(
        operation_id="studies_validate",
        request=STUDY_FILE,
        responses={200: ValidShape, 422: ProblemShape(many=True)},
    )
    def post(self, request: Request) -> Response:
        """Check the form of a study file and which files it names; store nothing, read no data."""
        config = study_file(request.data)
        found = {"study": config.study, "version": config.sha256, "conditions": [arm.name for arm in config.arms]}
        return Response(ValidShape(found).data)


class StudyStatus(Operation):
    """Where a study stands."""

    @extend_schema(operation_id="studies_status", responses=StatusShape)
    def get(self, request: Request, slug: str) -> Response:
        """State, artefacts, sheets per condition and jobs. No outcomes."""
        return Response(StatusShape(status_facts(self.study())).data)


class DeskWork(Operation):
    """Something that a worker does."""

    kind = DeskJob.Kind.CHECK

    @extend_schema(request=None, responses={202: JobShape, 409: ReasonsShape})
    def post(self, request: Request, slug: str) -> Response:
        """Ask a worker for it; how it went is among the `jobs` of the study's status. Asked twice, it is done once.

        What a study shows is fixed with its plan: a precomputation is begun for drafts only.
        """
        try:
            job = desk_job_request(version=self.study().version, kind=self.kind)
        except DeskRefused as refused:
            raise Conflict([refused]) from refused
        return Response(JobShape(job).data, status=status.HTTP_202_ACCEPTED)


class StudyCheck(DeskWork):
    """The study file against its data and checkpoint."""

    kind = DeskJob.Kind.CHECK


class StudyPrecompute(DeskWork):
    """Everything that the conditions show."""

    kind = DeskJob.Kind.PRECOMPUTE
