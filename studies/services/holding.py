"""Who holds a lease and for how long; the same for artefact rows and desk jobs."""

from __future__ import annotations

import os
import socket
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from studies.alive import is_alive

MAX_ATTEMPTS = 3
WANTED, LEASED, READY, DONE, FAILED = "wanted", "leased", "ready", "done", "failed"


def new_owner() -> str:
    """A name for one working process: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def lease_end() -> datetime:
    """When a lease that is taken or renewed now runs out."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def is_due(rows: QuerySet[Any]) -> Q:
    """Of all rows of a leased kind, those that anybody may take up now."""
    now = timezone.now()
    # Clocks of several machines may differ; an end that lies two leases ahead was written by a clock that was wrong.
    is_over = Q(lease_until__lt=now) | Q(lease_until__gt=now + timedelta(seconds=2 * settings.LEASE_SECONDS))
    return Q(state=WANTED) | Q(state=LEASED) & (is_over | Q(owner__in=_dead_owners(rows)))


def was_given_up(attempts: int) -> str:
    """The reason of a row whose attempts are used up."""
    return f"given up after {attempts} attempts that ended without a result (worker killed?)"


def _dead_owners(rows: QuerySet[Any]) -> list[str]:
    """Owners of leases that were processes of this machine and are gone."""
    host = socket.gethostname()
    owners = rows.filter(state=LEASED, owner__startswith=f"{host}:").values_list("owner", flat=True)
    return [owner for owner in set(owners) if not is_alive(int(owner.split(":")[1]))]
