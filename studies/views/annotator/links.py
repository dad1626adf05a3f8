"""The ways in: an invite's landing page, the personal resume link, and `where am I`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from studies import pages
from studies.access import bind_sheet, holds_sheet_of, invite_for, sheet_by_resume_token, sheet_for
from studies.models import Invite
from studies.services.sheets import SheetRefused, link_state, sheet_seen, sheet_start
from studies.views.annotator.steps import PLAIN_STEPS


@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """GET only shows, so that link-preview bots claim nothing; POST claims the link and starts."""
    invite = invite_for(slug, token)
    if request.method == "POST":
        return _start(request, invite)
    state = link_state(study=invite.study, invite=invite)
    if state == "used" and holds_sheet_of(request, invite):
        state = "yours"
    return _welcome(request, invite, state)


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
    return render(request, "annotator/plain.html", {"page": pages.plain(sheet)})


def _start(request: HttpRequest, invite: Invite) -> HttpResponse:
    try:
        sheet = sheet_start(study=invite.study, invite=invite)
    except SheetRefused as refused:
        # A second click on "Start" finds the link used by the first one.
        if holds_sheet_of(request, invite):
            return redirect("where")
        return _welcome(request, invite, refused.state, status=409)
    bind_sheet(request, sheet)
    return redirect("where")


def _welcome(request: HttpRequest, invite: Invite, state: str, status: int = 200) -> HttpResponse:
    page = pages.welcome(invite.study, kind=invite.kind, state=state)
    return render(request, "annotator/welcome.html", {"page": page}, status=status)
