"""Guessing is slowed down: failed attempts are counted per address and window of time, successes never are.

An address is stored as an HMAC only. Many people of one campus share one, so the limits leave room for their typos.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from studies.models import FailureCount


@dataclass(frozen=True)
class Limit:
    """So many failures of one kind within so many seconds."""

    most: int
    seconds: int = 15 * 60


LIMITS = {"login": Limit(30), "link": Limit(200), "token": Limit(200)}


def retry_after(request: HttpRequest, what: str) -> int:
    """Seconds until this address may try again; 0 = it may now."""
    limit, now = LIMITS[what], time.time()
    window = int(now // limit.seconds)
    row = FailureCount.objects.filter(what=what, key=_key(request), window=window).first()
    if row is None or row.count < limit.most:
        return 0
    return ceil((window + 1) * limit.seconds - now)


def count_failure(request: HttpRequest, what: str) -> None:
    """One more failed attempt; counters of windows that are over are forgotten."""
    window = int(time.time() // LIMITS[what].seconds)
    FailureCount.objects.filter(what=what, window__lt=window).delete()
    row, _ = FailureCount.objects.get_or_create(what=what, key=_key(request), window=window)
    FailureCount.objects.filter(pk=row.pk).update(count=F("count") + 1)


def client_address(request: HttpRequest) -> str:
    """Who asks: the connection's other end, or what the nearest TRUSTED_PROXIES proxies wrote down about it.

    Of IPv6 the network part, for one person has 2^64 of the rest.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and hops:
        # Each proxy appends on the right; what stands further left was written by the visitor.
        address = hops[-min(settings.TRUSTED_PROXIES, len(hops))]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    # A socket for both kinds writes IPv4 into one IPv6 network, in which all its visitors would count as one.
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _key(request: HttpRequest) -> str:
    return salted_hmac("studies.rate_limits", client_address(request), algorithm="sha256").hexdigest()
