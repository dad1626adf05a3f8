"""Which page a sheet may see: the server owns the progress, and every other address leads to where the sheet is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from studies import pages
from studies.access import sheet_for, sheets_held
from studies.models import Sheet, Study
from studies.services.sheets import sheet_seen

SheetView = Callable[[HttpRequest, Sheet], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]
PLAIN_STEPS = (Sheet.Step.FULL, Sheet.Step.SCREENED_OUT, Sheet.Step.WITHDRAWN)


def sheet_page(
    *steps: str, sent_before: Callable[[HttpRequest, Sheet], HttpResponse | None] | None = None
) -> Callable[[SheetView], View]:
    """A view of this browser's sheet while it is at one of `steps`; at any other step, on to where it is.

    sent_before: the response to a form that was carried out already, wherever the sheet is by now
    """

    def decorate(view: SheetView) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def page(request: HttpRequest) -> HttpResponse:
            sheet = sheet_for(request)
            if is_of_another_sheet(request, sheet):
                return moved(request)
            if request.method == "POST" and sent_before and (response := sent_before(request, sheet)):
                return response
            if sheet.is_cut_off or sheet.step not in steps:
                return moved(request)
            sheet_seen(sheet=sheet)
            return view(request, sheet)

        return page

    return decorate


def is_of_another_sheet(request: HttpRequest, sheet: Sheet) -> bool:
    """Whether a form was made for another sheet than the one that this browser has open."""
    return request.method == "POST" and request.POST.get("sheet", key := pages.form_key(sheet)) != key


def moved(request: HttpRequest) -> HttpResponse:
    """To where the sheet is; a script is told so."""
    return moved_json() if wants_json(request) else redirect("where")


def moved_json() -> JsonResponse:
    """The answer to a script whose sheet is elsewhere: nothing was changed."""
    return JsonResponse({"state": "moved", "next": reverse("where")}, status=409)


def wants_json(request: HttpRequest) -> bool:
    """Whether a script sent the form, and reads the answer itself."""
    return "application/json" in request.headers.get("Accept", "")


def other_sheets(request: HttpRequest, study: Study) -> list[Sheet]:
    """What else this browser has begun, in other studies: a sheet of the same one may be somebody else's."""
    return [held for held in sheets_held(request) if held.version.study_id != study.pk]
