"""What every way in shares: GET only shows, so that link-preview bots claim nothing; POST starts or goes on."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from studies import pages
from studies.access import bind_sheet, sheets_held
from studies.models import Invite, Sheet, Study
from studies.models.sheet import Kind
from studies.services.identities import IdsRefused, PlatformIds, platform_ids, sheet_of_identity
from studies.services.sheets import SheetRefused, link_state, sheet_begun, sheet_start
from studies.views.annotator.steps import other_sheets


def landing(request: HttpRequest, study: Study, invite: Invite | None) -> HttpResponse:
    """The landing page of a link; without an invite that of open recruitment."""
    try:
        # The form brings the ids of the page on which it stands: no later address carries them.
        ids = platform_ids(study, request.POST if request.method == "POST" else request.GET)
    except IdsRefused:
        return _welcome(request, study, invite, "incomplete", status=400)
    mine = _mine(request, study, invite, ids)
    if request.method != "POST":
        state = _own_state(mine) if mine else link_state(study=study, invite=invite, ids=ids)
        return _welcome(request, study, invite, state, ids=ids)
    try:
        mine = mine or sheet_start(study=study, invite=invite, ids=ids, browser=_browser(request))
    except SheetRefused as refused:
        return _welcome(request, study, invite, refused.state, status=409)
    bind_sheet(request, mine)
    return redirect("where")


def _mine(request: HttpRequest, study: Study, invite: Invite | None, ids: PlatformIds | None) -> Sheet | None:
    """The sheet that this browser began with this link."""
    held = [sheet for sheet in sheets_held(request) if sheet.version.study_id == study.pk and sheet.kind == Kind.LIVE]
    if invite is None and ids is not None:
        known = sheet_of_identity(study, ids)
        held = [sheet for sheet in held if sheet == known]
    else:
        held = [sheet for sheet in held if sheet.invite == invite]
    return held[-1] if held else sheet_begun(study=study, invite=invite, ids=ids, browser=_browser(request))


def _own_state(sheet: Sheet) -> str:
    return "withdrawn" if sheet.step == Sheet.Step.WITHDRAWN else "yours"


def _browser(request: HttpRequest) -> str:
    """The browser's own random cookie against forged requests: it has one before it has a session."""
    return str(request.META.get("CSRF_COOKIE", ""))


def _welcome(
    request: HttpRequest,
    study: Study,
    invite: Invite | None,
    state: str,
    *,
    ids: PlatformIds | None = None,
    status: int = 200,
) -> HttpResponse:
    page = pages.welcome(
        study,
        kind=invite.kind if invite else Kind.LIVE,
        state=state,
        is_personal=invite is not None,
        hidden=ids.fields if ids else (),
        held=other_sheets(request, study),
    )
    return render(request, "annotator/welcome.html", {"page": page}, status=status)
