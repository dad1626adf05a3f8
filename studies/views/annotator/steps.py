"""Which page a sheet may see: the server owns the progress, and every other address leads to where the sheet is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from studies.access import sheet_for
from studies.models import Sheet
from studies.services.sheets import sheet_seen

SheetView = Callable[[HttpRequest, Sheet], HttpResponse]
View = Callable[[HttpRequest], HttpResponse]
PLAIN_STEPS = (Sheet.Step.FULL, Sheet.Step.SCREENED_OUT, Sheet.Step.WITHDRAWN)


def sheet_page(*steps: str) -> Callable[[SheetView], View]:
    """A view of this browser's sheet while it is at one of `steps`; at any other step, on to where it is."""

    def decorate(view: SheetView) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def page(request: HttpRequest) -> HttpResponse:
            sheet = sheet_for(request)
            if sheet.is_cut_off or sheet.step not in steps:
                return redirect("where")
            sheet_seen(sheet=sheet)
            return view(request, sheet)

        return page

    return decorate
