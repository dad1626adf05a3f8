"""Who may see what: fetch and check in one step. The first line of every view calls one of these."""

from __future__ import annotations

from typing import Literal

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from studies.models import Invite, Membership, Sheet, Study

_SESSION_KEY = "sheet"
#: All sheets that were begun or taken up in this browser, the newest last
_HELD_KEY, _MOST_HELD = "sheets", 20
#: What somebody does in a study. An owner may also do what a coder may.
Role = Literal["owner", "coder"]


def is_gone(request: HttpRequest) -> bool:
    """Whether what this request is about has been deleted: the study of its address, or this browser's sheet."""
    slug = request.resolver_match.kwargs.get("slug") if request.resolver_match else None
    if slug is not None and not Study.objects.filter(slug=slug).exists():
        return True
    sheet_pk = request.session.get(_SESSION_KEY)
    return sheet_pk is not None and not Sheet.objects.filter(pk=sheet_pk).exists()


class NoSheet(Http404):
    """This browser has no sheet. The same page as for anything that is not there; it asks to open the link again."""


def study_for(user: User | AnonymousUser, slug: str, role: Role = "owner") -> Study:
    """A study in which this researcher has the role (owners and staff have all), or one 404 for every other case."""
    return get_object_or_404(studies_for(user, role), slug=slug)


def studies_for(user: User | AnonymousUser, role: Role = "coder") -> QuerySet[Study]:
    """The studies in which this researcher has the role: owners and staff have all. `coder`: those that are listed."""
    if not user.is_authenticated:
        return Study.objects.none()
    if user.is_staff:
        return Study.objects.all()
    is_named = Q(owner=user)
    if role == "coder":
        is_named |= Q(Exists(Membership.objects.filter(study=OuterRef("pk"), user=user, role=Membership.Role.CODER)))
    return Study.objects.filter(is_named)


def role_in(study: Study, user: User | AnonymousUser) -> Role:
    """What somebody who was let in may do: only owners (and staff) see conditions, links and outcomes."""
    return "owner" if user.is_authenticated and (user.is_staff or study.owner_id == user.pk) else "coder"


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


def sheet_in_brief(request: HttpRequest) -> Sheet:
    """The sheet of this browser with what decides on pictures; the rest is read when it is asked for. raises: NoSheet

    For the one request that comes by the hundreds: half the cost of sheet_for.
    """
    sheet_pk = request.session.get(_SESSION_KEY)
    of_sheet = ("kind", "step", "position", "item_order", "condition_id", "annotator_id", "version_id")
    brief = Sheet.objects.select_related("version__study").only(*of_sheet, "version__study__state")
    sheet = brief.filter(pk=sheet_pk).first() if sheet_pk else None
    if sheet is None:
        raise NoSheet
    return sheet


def holds_a_sheet(request: HttpRequest) -> bool:
    """Whether this browser has begun or taken up a sheet."""
    return _SESSION_KEY in request.session


def sheets_held(request: HttpRequest) -> list[Sheet]:
    """All sheets of this browser, the newest last."""
    held: list[int] = request.session.get(_HELD_KEY, [])
    found = _sheets().in_bulk(held)
    return [found[pk] for pk in held if pk in found]


def open_study_for(slug: str) -> Study:
    """The study that lets anybody in at this address, or one 404: unknown, not open, or by invitation only."""
    study = get_object_or_404(Study, slug=slug, state=Study.State.OPEN)
    if not study.version.config.recruitment.open:
        raise Http404
    return study


def sheet_by_resume_token(token: str) -> Sheet:
    """The sheet behind a personal resume link, or a 404."""
    return get_object_or_404(_sheets(), resume_token=token)


def bind_sheet(request: HttpRequest, sheet: Sheet) -> None:
    """Give this browser the sheet, which is the current one from now on; the session key is cycled on entry."""
    if request.session.get(_SESSION_KEY) == sheet.pk:
        # Requests of this very sheet may be under way with the present key: answered without it, they would take the
        # new cookie away again.
        return
    others = [pk for pk in request.session.get(_HELD_KEY, []) if pk != sheet.pk]
    request.session.cycle_key()
    request.session[_HELD_KEY] = [*others, sheet.pk][-_MOST_HELD:]
    request.session[_SESSION_KEY] = sheet.pk


def _sheets() -> QuerySet[Sheet]:
    return Sheet.objects.select_related("version__study", "condition", "annotator", "invite")
