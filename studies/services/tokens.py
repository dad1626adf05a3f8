"""Making and revoking the API's tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from studies.models import ApiToken
from studies.models.token import token_sha256

MOST_TOKENS, MOST_DAYS, NAME_LENGTH = 20, 366, 60


class TokenRefused(Exception):
    """A token that cannot be made; the text is a sentence for the researcher."""


@transaction.atomic
def token_create(*, user: User, name: str, days: int) -> tuple[ApiToken, str]:
    """A named token and its text, which is nowhere to be found later. raises: TokenRefused"""
    User.objects.select_for_update().get(pk=user.pk)
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise TokenRefused(f"A token's name has 1 to {NAME_LENGTH} characters: say what it is for.")
    if not 1 <= days <= MOST_DAYS:
        raise TokenRefused(f"A token is good for 1 to {MOST_DAYS} days.")
    if user.api_tokens.filter(name=name).exists():
        raise TokenRefused(f"There is a token called {name} already; revoke it first, or choose another name.")
    if user.api_tokens.count() >= MOST_TOKENS:
        raise TokenRefused(f"There are {MOST_TOKENS} tokens already; revoke one first.")
    text = f"mvs_{secrets.token_urlsafe(32)}"
    expires = timezone.now() + timedelta(days=days)
    return ApiToken.objects.create(user=user, name=name, sha256=token_sha256(text), expires=expires), text


def token_revoke(*, user: User, name: str) -> bool:
    """Make a token useless at once; False where there is none of this name."""
    return name.isprintable() and bool(user.api_tokens.filter(name=name).delete()[0])
