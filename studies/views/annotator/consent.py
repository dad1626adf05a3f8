"""The consent page: what was agreed to is stored by the hash of its text."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.models import Sheet
from studies.page_step_types import ConsentPage
from studies.services.sheets import sheet_consent
from studies.views.annotator.steps import sheet_page


@sheet_page(Sheet.Step.CONSENT)
def consent(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Read and agree."""
    page = pages.consent(sheet)
    if request.method != "POST":
        return render(request, "annotator/consent.html", {"page": page})
    if problem := _problem(request, page):
        return render(request, "annotator/consent.html", {"page": replace(page, problem=problem)}, status=422)
    sheet_consent(sheet=sheet, text=page.text)
    return redirect("where")


def _problem(request: HttpRequest, page: ConsentPage) -> str:
    if request.POST.get("sha256") != page.sha256:
        return "The text has changed since you opened this page. Please read it again."
    if request.POST.get("agree") != "yes":
        return "Please tick the box if you agree, or leave the study below."
    return ""
