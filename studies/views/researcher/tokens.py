"""A researcher's tokens for the API: made, shown once, revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from studies.services.tokens import MOST_DAYS, TokenRefused, token_create, token_revoke
from studies.whole_numbers import whole_number

DAYS = 90


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Own tokens; a POST makes one and shows its text in the answer, the only place where it ever stands."""
    if request.method != "POST":
        return _page(request)
    name, days = request.POST.get("name", ""), request.POST.get("days", "")
    try:
        token, text = token_create(user=request.user, name=name, days=whole_number(days) or 0)
    except TokenRefused as refused:
        return _page(request, status=422, name=name, days=days, problem=str(refused))
    return _page(request, status=201, made=token, text=text)


@require_POST
@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """Make a token useless."""
    name = request.POST.get("name", "")
    if token_revoke(user=request.user, name=name):
        messages.success(request, f"The token {name} is revoked.")
    else:
        messages.error(request, "There is no token of this name.")
    return redirect("tokens")


def _page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    own = request.user.api_tokens.order_by("-created")
    context = {"name": "", "days": DAYS, "most_days": MOST_DAYS, "tokens": own, **context}
    return render(request, "researcher/tokens.html", context, status=status)
