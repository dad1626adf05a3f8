"""What the API's operations share: the study of the caller, refusals as JSON, a limit on what is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from studies.access import study_for
from studies.models import Study
from studies.yaml_strict import Problem


class Pages(PageNumberPagination):
    """`?page=2&page_size=100`."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"


class Operation(GenericAPIView[Any]):
    """One thing that a script may ask for. Its first line fetches through access.py, as a page's does."""

    pagination_class = Pages

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """raises: TooLong; the framework's parsers would read a body of any length"""
        super().initial(request, *args, **kwargs)
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLong

    def study(self) -> Study:
        """The study in the address, if it is the caller's own; a 404 otherwise, as if there were none."""
        return study_for(self.request.user, self.kwargs["slug"])

    @property
    def actor(self) -> str:
        """Who is written into the audit log."""
        return str(self.request.user.get_username())


class TooLong(APIException):
    """A body that is longer than any study file."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body is longer than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes."


class Conflict(APIException):
    """What cannot be done as things stand; one sentence per reason."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, reasons: Iterable[object]) -> None:
        self.detail = {"reasons": [str(reason) for reason in reasons]}


class NotOpen(PermissionDenied):
    """Outcomes that may not be seen yet."""


class InvalidStudyFile(APIException):
    """A study file with problems: a list of path, line (where known) and message."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.detail = [{"path": p.path, "line": p.line, "message": p.message} for p in problems]
