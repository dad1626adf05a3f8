"""The life of artefact rows: wanted -> leased(owner, until) -> ready | failed. The database is the truth.

A worker that dies leaves leases behind; they are taken up again when they run out, or at once when the owner was a
process of this machine that is gone. Publication is fenced: only the row's present owner can make it ready.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from studies.artefact_files import store
from studies.computed import Computed
from studies.models import Artefact, StudyVersion

MAX_ATTEMPTS = 3
WANTED, LEASED, READY, FAILED = "wanted", "leased", "ready", "failed"


def new_owner() -> str:
    """A name for one working process: host, process and a random part."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def due_rows(version: StudyVersion | None = None) -> QuerySet[Artefact]:
    """Rows that anybody may take up now; of one version, or of all."""
    rows = Artefact.objects.filter(
        Q(state=WANTED) | Q(state=LEASED, lease_until__lt=timezone.now()) | Q(state=LEASED, owner__in=_dead_owners())
    )
    return rows if version is None else rows.filter(pk__in=version.artefacts.values("pk"))


@transaction.atomic
def lease_due(*, owner: str, version: StudyVersion | None = None) -> list[Artefact]:
    """Lease a due row and every due row of the same subject and source: one set of perturbations serves them all.

    Empty only when nothing is due: groups whose attempts are used up are failed on the way.
    """
    while True:
        group = _due_group(version)
        if not group:
            return []
        leased = [row for row in group if _lease(row, owner)]
        if leased:
            return leased


def _due_group(version: StudyVersion | None) -> list[Artefact]:
    skip = connection.features.has_select_for_update_skip_locked
    first = due_rows(version).select_for_update(skip_locked=skip).first()
    if first is None:
        return []
    same = due_rows(version).filter(subject_kind=first.subject_kind, subject=first.subject)
    group = same.select_for_update(skip_locked=skip)
    return [row for row in group if row.params["source"] == first.params["source"]]


def _lease(row: Artefact, owner: str) -> bool:
    """Take one row, or give it up where its attempts are used up."""
    if row.attempts >= MAX_ATTEMPTS:
        _fail(row, f"given up after {row.attempts} attempts that ended without a result (worker killed?)")
        return False
    row.state, row.owner, row.lease_until = LEASED, owner, _lease_end()
    row.attempts += 1
    row.save(update_fields=["state", "owner", "lease_until", "attempts"])
    return True


def lease_renew(*, rows: Sequence[Artefact], owner: str, done: int | None = None, total: int | None = None) -> None:
    """Show that the work goes on, and how far it is."""
    progress = {} if done is None else {"done": done, "total": total or 0}
    Artefact.objects.filter(pk__in=[r.pk for r in rows], owner=owner, state=LEASED).update(
        lease_until=_lease_end(), **progress
    )


def artefact_publish(*, row: Artefact, owner: str, computed: Computed) -> bool:
    """Write the files under their hashes, then make the row ready in one statement, if it is still ours."""
    files = {name: store(content, media_type) for name, (content, media_type) in computed.files.items()}
    manifest = json.dumps([computed.numbers, files], sort_keys=True)
    updated = Artefact.objects.filter(pk=row.pk, owner=owner, state=LEASED).update(
        state=READY,
        owner="",
        lease_until=None,
        reason="",
        sha256=hashlib.sha256(manifest.encode()).hexdigest(),
        numbers=computed.numbers,
        files=files,
        seconds=computed.seconds,
        forwards=computed.forwards,
        device=computed.device,
        published=timezone.now(),
    )
    return updated == 1


def artefact_fail(*, row: Artefact, owner: str, reason: str) -> None:
    """Give a row up with its reason."""
    Artefact.objects.filter(pk=row.pk, owner=owner, state=LEASED).update(
        state=FAILED, owner="", lease_until=None, reason=reason[:2000]
    )


def leases_release(*, owner: str) -> None:
    """Hand back what this process holds, uncounted: it was interrupted, not unable."""
    for row in Artefact.objects.filter(owner=owner, state=LEASED):
        Artefact.objects.filter(pk=row.pk, owner=owner, state=LEASED).update(
            state=WANTED, owner="", lease_until=None, attempts=max(0, row.attempts - 1)
        )


def artefacts_retry(*, rows: QuerySet[Artefact]) -> int:
    """Want failed rows again."""
    return rows.filter(state=FAILED).update(state=WANTED, attempts=0, reason="")


def _fail(row: Artefact, reason: str) -> None:
    row.state, row.owner, row.lease_until, row.reason = FAILED, "", None, reason
    row.save(update_fields=["state", "owner", "lease_until", "reason"])


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def _dead_owners() -> list[str]:
    """Owners of leases that were processes of this machine and are gone."""
    host = socket.gethostname()
    owners = Artefact.objects.filter(state=LEASED, owner__startswith=f"{host}:").values_list("owner", flat=True)
    return [owner for owner in set(owners) if not _is_alive(int(owner.split(":")[1]))]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
