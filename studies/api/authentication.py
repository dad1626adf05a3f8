"""Who calls the API: a token for scripts; beside it the session of a logged-in browser, then with a CSRF token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from studies.models import ApiToken
from studies.models.token import token_sha256
from studies.rate_limits import count_failure, retry_after


class ApiTokenAuthentication(TokenAuthentication):
    """`Authorization: Token mvs_...`; wrong ones are counted by address."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """raises: AuthenticationFailed; Throttled after too many of those"""
        if not request.META.get("HTTP_AUTHORIZATION"):
            return None
        if wait := retry_after(request._request, "token"):
            raise Throttled(wait)
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            count_failure(request._request, "token")
            raise

    def authenticate_credentials(self, key: str) -> tuple[User, ApiToken]:
        """One sentence for unknown, expired and switched-off ones."""
        token = ApiToken.objects.select_related("user").filter(sha256=token_sha256(key)).first()
        if token is None or token.is_expired or not token.user.is_active:
            raise AuthenticationFailed("This token is unknown, has expired or was revoked.")
        return token.user, token
