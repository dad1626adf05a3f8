"""The instructions: one section per stage that this sheet's condition shows."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.models import Sheet
from studies.services.sheets import sheet_begin
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.INSTRUCTIONS)
def instructions(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Read, then begin."""
    if request.method == "POST":
        sheet_begin(sheet=sheet)
        return redirect("where")
    return render(request, "annotator/instructions.html", {"page": pages.instructions(sheet)})
