"""The steps of a study's life, and the log of them."""

from __future__ import annotations

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studies.api.operation import Conflict, Operation
from studies.api.shapes import AuditShape, ReasonsShape, StatusShape
from studies.models import Study
from studies.selectors import status_facts
from studies.services.audit import broken_links
from studies.services.freezing import StudyRefused, study_close, study_freeze, study_open, study_unblind


class LifeStep(Operation):
    """One step; it cannot be taken back."""

    service: Callable[..., Study]

    @extend_schema(request=None, responses={200: StatusShape, 409: ReasonsShape})
    def post(self, request: Request, slug: str) -> Response:
        """Take the step and log it, or refuse with reasons (409)."""
        study = self.study()
        try:
            study = type(self).service(study=study, actor=self.actor)
        except StudyRefused as refused:
            raise Conflict(refused.reasons) from refused
        return Response(StatusShape(status_facts(study)).data)


class StudyFreeze(LifeStep):
    """Fix the plan."""

    service = study_freeze


class StudyOpen(LifeStep):
    """Let annotators in."""

    service = study_open


class StudyClose(LifeStep):
    """Let nobody new in."""

    service = study_close


class StudyUnblind(LifeStep):
    """Show outcomes by condition from now on."""

    service = study_unblind


class StudyAudit(Operation):
    """The audit log."""

    @extend_schema(operation_id="studies_audit", responses=AuditShape)
    def get(self, request: Request, slug: str) -> Response:
        """Every entry, and whether the chain of their hashes holds."""
        study = self.study()
        broken = broken_links(study)
        found = {"intact": not broken, "broken": broken, "entries": study.audit.order_by("number")}
        return Response(AuditShape(found).data)
