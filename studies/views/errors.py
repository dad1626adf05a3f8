"""Pages for requests that go wrong."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: most often cookies are off, or the browser was asleep for long."""
    return render(request, "csrf.html", status=403)
