"""The two ends: the completion code, and withdrawing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies import pages
from studies.access import sheet_for
from studies.models import Sheet
from studies.services.sheets import sheet_seen
from studies.services.withdrawing import sheet_withdraw
from studies.views.annotator.steps import is_of_another_sheet, other_sheets, sheet_page


@sheet_page(Sheet.Step.DONE)
def done(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """The completion code."""
    return render(
        request, "annotator/done.html", {"page": pages.done(sheet, other_sheets(request, sheet.version.study))}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Asks first, then deletes; possible at every step, and after the study closed."""
    sheet = sheet_for(request)
    if is_of_another_sheet(request, sheet):
        return redirect("where")
    frame = pages.frame(sheet)
    if not frame.can_withdraw:
        return redirect("where")
    if request.method == "POST":
        sheet_withdraw(sheet=sheet)
        return redirect("where")
    sheet_seen(sheet=sheet)
    return render(request, "annotator/withdraw.html", {"page": {"frame": frame, "can_return": not sheet.is_over}})
