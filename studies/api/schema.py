"""The API's description for programs, at /api/schema/."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI as JSON. It holds no data, so everybody may read it."""
    return HttpResponse(described(), content_type="application/vnd.oai.openapi+json")


@cache
def described() -> bytes:
    """Made once per process: it takes modules that no other request needs, and time."""
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    return bytes(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))
