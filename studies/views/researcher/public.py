"""Pages for machines: the schema of a study file, and whether the service is up."""

from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from studies.config import json_schema


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """The JSON Schema of a study file, for editors."""
    return JsonResponse(json_schema(), json_dumps_params={"indent": 2})


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Plain "ok" when the database answers; an error of the database is a 500."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")
