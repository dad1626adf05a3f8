"""Pages for requests that go wrong; the same words for annotators and researchers."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: most often cookies are off, or the browser was asleep for long."""
    return render(request, "csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What cannot be read: longer than any form here is, or in no form that a browser sends."""
    is_long = isinstance(exception, RequestDataTooBig)
    return render(request, "400.html", {"is_long": is_long}, status=413 if is_long else 400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """One answer for whatever is not there: unknown, hidden, somebody else's or damaged."""
    response = render(request, "404.html", status=404)
    # On every one of them, or its absence would tell the addresses at which something was looked up in the session.
    patch_vary_headers(response, ["Cookie"])
    return response


def too_many(request: HttpRequest, seconds: int) -> HttpResponse:
    """Too many failed attempts from this address."""
    context = {"minutes": max(1, round(seconds / 60))}
    response = render(request, "429.html", context, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
