"""The links page: making links for annotators, their state by label, revoking, CSV, and cards to print."""

from __future__ import annotations

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studies.access import study_for
from studies.models import Invite, Study
from studies.models.sheet import Kind
from studies.services.inviting import (
    MOST_LABEL,
    InvitesRefused,
    invite_revoke,
    invite_url,
    invites_create,
    live_invites,
    open_url,
    preview_invites,
)
from studies.spreadsheet import rows_text
from studies.whole_numbers import whole_number

MOST = 500
PER_PAGE = 100
IS_OVER = (Study.State.CLOSED, Study.State.UNBLINDED)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def links(request: HttpRequest, slug: str) -> HttpResponse:
    """The list; posted, `count` further links for annotators, or without it the preview links."""
    study = study_for(request.user, slug, role="owner")
    if request.method == "POST":
        return _make(request, study)
    found = _filtered(request, study)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "researcher/links.html",
        {
            "study": study,
            "page": page,
            "rows": [(invite, invite_url(invite)) for invite in page],
            "labels": _labels(study),
            "label": request.GET.get("label"),
            "filter": _filter(request),
            "most": MOST,
            "most_label": MOST_LABEL,
            "is_over": study.state in IS_OVER,
            "open_link": open_url(study) if study.version.config.recruitment.open else "",
        },
    )


@require_POST
@login_required
def revoke(request: HttpRequest, slug: str) -> HttpResponse:
    """Make one unclaimed link useless."""
    study = study_for(request.user, slug, role="owner")
    if invite_revoke(study=study, token=request.POST.get("token", "")):
        messages.success(request, "The link is revoked: nobody can begin with it any more.")
    else:
        messages.error(request, "Only a link that nobody has claimed can be revoked.")
    return _back(request, study)


@require_safe
@login_required
def table(request: HttpRequest, slug: str) -> HttpResponse:
    """The links as CSV."""
    study = study_for(request.user, slug, role="owner")
    rows = ((invite.number, invite.label, invite_url(invite), invite.use) for invite in _filtered(request, study))
    text = rows_text(["number", "label", "link", "state"], rows)
    headers = {"Content-Disposition": f'attachment; filename="{study.slug}-links.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
@login_required
def cards(request: HttpRequest, slug: str) -> HttpResponse:
    """Cards to print, one per unclaimed link, with its address as a picture for phones."""
    study = study_for(request.user, slug, role="owner")
    page = Paginator(_filtered(request, study).filter(use="unclaimed"), PER_PAGE).get_page(request.GET.get("page"))
    shown = [(invite, url, _picture(url)) for invite in page for url in [invite_url(invite)]]
    context = {"study": study, "title": study.version.config.title, "page": page, "cards": shown}
    return render(request, "researcher/links_print.html", {**context, "filter": _filter(request)})


def _make(request: HttpRequest, study: Study) -> HttpResponse:
    typed, label = request.POST.get("count", ""), request.POST.get("label", "")
    if not typed:
        preview_invites(study=study)
        return redirect("study", slug=study.slug)
    count = whole_number(typed)
    if count is None or not 1 <= count <= MOST:
        messages.error(request, f"The number of links is a whole number from 1 to {MOST}.")
        return _back(request, study)
    try:
        made = invites_create(study=study, count=count, label=label)
    except InvitesRefused as refused:
        messages.error(request, f"No links were made: {refused}.")
    else:
        messages.success(request, "One link was made." if len(made) == 1 else f"{len(made)} links were made.")
    return _back(request, study)


def _back(request: HttpRequest, study: Study) -> HttpResponse:
    response = redirect("study_links", slug=study.slug)
    # The filter of the page that the form stood on: its text is encoded anew, so it leads nowhere else.
    if "shown" in request.POST:
        response["Location"] += "?" + urlencode({"label": request.POST["shown"]})
    return response


def _filtered(request: HttpRequest, study: Study) -> QuerySet[Invite]:
    return live_invites(study, request.GET.get("label"))


def _filter(request: HttpRequest) -> str:
    """The present filter as part of an address, or ""."""
    return urlencode({"label": request.GET["label"]}) if "label" in request.GET else ""


def _labels(study: Study) -> list[str]:
    found = study.invites.filter(kind=Kind.LIVE).order_by("label").values_list("label", flat=True)
    return list(found.distinct())


def _picture(url: str) -> str:
    """A QR code of the address, as the data of an SVG picture."""
    return str(segno.make_qr(url, error="m").svg_data_uri(scale=3, border=3, dark="#000", light="#fff"))
