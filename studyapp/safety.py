"""What a server refuses to start with; settings.py calls this last."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LEAST_KEY, LEAST_CHARACTERS = 32, 5
KNOWN_KEYS = ("changeme", "change-me", "change_me", "django-insecure")


def refuse_unsafe(*, debug: bool, secret_key: str, hosts: list[str], public_url: str, fault_at: str) -> None:
    """raises: ImproperlyConfigured with one sentence per setting that no server of a study may have"""
    reasons = [*_address(public_url, hosts, debug), *_key(secret_key, debug)]
    if "*" in hosts and not debug:
        reasons.append(
            "ALLOWED_HOSTS has `*`: anybody could have links made for a host of theirs; name the hosts that people use"
        )
    if fault_at:
        reasons.append("FAULT_AT kills processes on purpose and is for tests alone, with TEST_BUILD=1; unset it")
    if reasons:
        raise ImproperlyConfigured("\n".join(reasons))


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can use the host name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _address(public_url: str, hosts: list[str], debug: bool) -> Iterator[str]:
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query or parts.fragment:
        yield f"PUBLIC_URL={public_url!r} is no address of a server; write it as https://studies.example.org"
        return
    if debug and not is_loopback(host):
        yield f"DEBUG is on and PUBLIC_URL is {public_url}: debug pages show everything to everybody; set DEBUG=0"
    if not any(_answers(pattern, host) for pattern in hosts):
        yield f"ALLOWED_HOSTS lacks {host}, the host of PUBLIC_URL: every link would be refused; add it"


def _answers(pattern: str, host: str) -> bool:
    """Django's rule for ALLOWED_HOSTS."""
    pattern = pattern.lower().strip("[]")
    return pattern in ("*", host) or (pattern.startswith(".") and (host == pattern[1:] or host.endswith(pattern)))


def _key(key: str, debug: bool) -> Iterator[str]:
    if debug:
        return
    if len(key) < LEAST_KEY:
        yield (
            f"SECRET_KEY has {len(key)} characters: it must have at least {LEAST_KEY}, drawn at random; or unset it,"
            " and one is made and kept in STATE_DIR"
        )
    elif len(set(key)) < LEAST_CHARACTERS or any(word in key.lower() for word in KNOWN_KEYS):
        yield "SECRET_KEY looks like an example's: draw one at random, or unset it, and one is made"
