"""Tokens of the API."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone


class ApiToken(models.Model):
    """What a script shows in place of a password. Only its hash is kept: the text is seen once, when it is made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    # 256 random bits need no slow hash, and a plain one can be looked up.
    sha256 = models.CharField(max_length=64, unique=True)
    expires = models.DateTimeField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="token_name_once_per_user")]

    def __str__(self) -> str:
        return f"token {self.name} of {self.user}"

    @property
    def is_expired(self) -> bool:
        return self.expires <= timezone.now()


def token_sha256(text: str) -> str:
    """What is kept of a token's text."""
    return hashlib.sha256(text.encode()).hexdigest()
