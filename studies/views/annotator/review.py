"""The review: every answer once more, each with a way to change it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.models import Sheet
from studies.services.sheets import sheet_review_done
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.REVIEW)
def review(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """After this nothing can be changed."""
    if request.method == "POST":
        sheet_review_done(sheet=sheet)
        return redirect("where")
    return render(request, "annotator/review.html", {"page": pages.review(sheet)})
