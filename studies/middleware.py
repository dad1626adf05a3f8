"""What holds for every page: response headers, no NUL in what a researcher sends, and patience with guessers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict, UnreadablePostError

from studies.access import holds_a_sheet
from studies.rate_limits import count_failure, retry_after
from studies.views.errors import bad_request, too_many

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Addresses whose last part somebody could guess, by name, and what a failure counts as.
LINKS = {"welcome": "link", "resume": "link"}
# Pictures are looked up inside the visitor's own sheet, so a right guess tells nothing: those are never held back.
PICTURES = {"media": "link"}
#: Where annotators are. What they write may hold a NUL, which is taken out when it is stored: nothing is refused there.
ANNOTATORS = ("/t/", "/s/", "/r/", "/m/")
API = "/api/"
NUL = "\x00"


class ContentSecurityPolicy:
    """Own host only, nothing inline, no eval; and no caching of anything but static files."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class NoNul:
    """Refuses a NUL before anything is looked up by it: no form sends one, and PostgreSQL raises at it.

    Bodies of the API are left to its parsers, which refuse it with the key it stands at.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not _has_nul(request):
            return self.get_response(request)
        if request.path.startswith(API):
            return JsonResponse({"detail": "The address holds a NUL character."}, status=400)
        return bad_request(request)


class GuessLimit:
    """Counts unknown links and wrong passwords; beyond a limit the address is asked to wait."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        what = _failed(request, response)
        if not what:
            return response
        count_failure(request, what)
        wait = retry_after(request, what)
        return too_many(request, wait) if wait else response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Before the look-up: a right guess after too many wrong ones must not show."""
        what = _attempt(request)
        wait = retry_after(request, what) if what else 0
        return too_many(request, wait) if wait else None


def _has_nul(request: HttpRequest) -> bool:
    # A session's cookie is looked up on every page; a browser can be made to send a NUL in it as "\\000".
    if any(NUL in value for value in request.COOKIES.values()):
        return True
    if request.path.startswith(ANNOTATORS):
        return False
    if NUL in request.path or _values_have_nul(request.GET):
        return True
    try:
        return not request.path.startswith(API) and _values_have_nul(request.POST)
    except UnreadablePostError:
        return False  # somebody who has gone away: the next to read it says so


def _values_have_nul(data: QueryDict) -> bool:
    return any(NUL in text for name, texts in data.lists() for text in (name, *texts))


def _name(request: HttpRequest) -> str:
    return str(request.resolver_match.url_name) if request.resolver_match else ""


def _attempt(request: HttpRequest) -> str:
    if _name(request) == "login" and request.method == "POST":
        return "login"
    return LINKS.get(_name(request), "")


def _failed(request: HttpRequest, response: HttpResponse) -> str:
    """What kind of failure this was. The login form comes back with 200 only when it was refused."""
    if response.status_code == 404:
        # A damaged picture fails for everybody who sees its page: that must not hold back a campus.
        return (LINKS if holds_a_sheet(request) else LINKS | PICTURES).get(_name(request), "")
    return "login" if response.status_code == 200 and _attempt(request) == "login" else ""
