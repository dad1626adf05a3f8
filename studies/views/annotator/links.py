"""The ways in and on: an invite's landing page, the personal resume link, `where am I`, and another sheet's turn."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies import pages
from studies.access import bind_sheet, invite_for, open_study_for, sheet_by_resume_token, sheet_for
from studies.services.sheets import sheet_seen
from studies.views.annotator.landing import landing
from studies.views.annotator.steps import PLAIN_STEPS, other_sheets


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """One person's link."""
    invite = invite_for(slug, token)
    return landing(request, invite.study, invite)


@require_http_methods(["GET", "HEAD", "POST"])
def recruit(request: HttpRequest, slug: str) -> HttpResponse:
    """The link of open recruitment, where the study has one."""
    return landing(request, open_study_for(slug), None)


@require_safe
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """Give this browser the sheet of a personal link."""
    bind_sheet(request, sheet_by_resume_token(token))
    return redirect("where")


@require_safe
def where(request: HttpRequest) -> HttpResponse:
    """On to the sheet's step; where it cannot go on, a page that says why."""
    sheet = sheet_for(request)
    if not sheet.is_cut_off and sheet.step not in PLAIN_STEPS:
        return redirect(sheet.step)
    sheet_seen(sheet=sheet)
    return render(
        request, "annotator/plain.html", {"page": pages.plain(sheet, other_sheets(request, sheet.version.study))}
    )


@require_POST
def other(request: HttpRequest) -> HttpResponse:
    """Go on with another sheet of this browser."""
    key, others = request.POST.get("other", ""), other_sheets(request, sheet_for(request).version.study)
    chosen = next((sheet for sheet in others if pages.form_key(sheet) == key), None)
    if chosen is not None:
        bind_sheet(request, chosen)
    return redirect("where")
