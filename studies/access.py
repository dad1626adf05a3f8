"""Who may see what: fetch and check in one step. The first line of every view calls one of these."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from studies.models import Invite, Sheet, Study

_SESSION_KEY = "sheet"


class NoSheet(Http404):
    """This browser has no sheet. The same page as for anything that is not there; it asks to open the link again."""


def study_for(user: User | AnonymousUser, slug: str) -> Study:
    """A study that this researcher owns, or one 404 for every other case. Staff see all."""
    return get_object_or_404(studies_for(user), slug=slug)


def studies_for(user: User | AnonymousUser) -> QuerySet[Study]:
    """The studies that this researcher owns. Staff see all."""
    if not user.is_authenticated:
        return Study.objects.none()
    return Study.objects.all() if user.is_staff else Study.objects.filter(owner=user)


def invite_for(slug: str, token: str) -> Invite:
    """The invite behind a link, or one 404 for an unknown study as for an unknown token."""
    return get_object_or_404(Invite.objects.select_related("study"), study__slug=slug, token=token)


def sheet_for(request: HttpRequest) -> Sheet:
    """The sheet of this browser. raises: NoSheet"""
    # The session is read before anything is looked up, so that `Vary: Cookie` says nothing about what exists.
    sheet_pk = request.session.get(_SESSION_KEY)
    sheet = _sheets().filter(pk=sheet_pk).first() if sheet_pk else None
    if sheet is None:
        raise NoSheet
    return sheet


def holds_sheet_of(request: HttpRequest, invite: Invite) -> bool:
    """Whether this browser started the sheet that a link was claimed for."""
    sheet_pk = request.session.get(_SESSION_KEY)
    return sheet_pk is not None and invite.sheets.filter(pk=sheet_pk).exists()


def sheet_by_resume_token(token: str) -> Sheet:
    """The sheet behind a personal resume link, or a 404."""
    return get_object_or_404(_sheets(), resume_token=token)


def bind_sheet(request: HttpRequest, sheet: Sheet) -> None:
    """Give this browser the sheet; the session key is cycled on entry."""
    request.session.cycle_key()
    request.session[_SESSION_KEY] = sheet.pk


def _sheets() -> QuerySet[Sheet]:
    return Sheet.objects.select_related("version__study", "condition", "annotator", "invite")
