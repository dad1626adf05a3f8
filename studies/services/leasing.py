"""The life of artefact rows: wanted -> leased(owner, until) -> ready | failed. The database is the truth.

A worker that dies leaves leases behind; they are taken up again when they run out, or at once when the owner was a
process of this machine that is gone. Publication is fenced: only the row's present owner can make it ready.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from studies.artefact_files import store
from studies.computed import Computed
from studies.faults import fault_point
from studies.models import Artefact, StudyVersion
from studies.services.holding import (
    FAILED,
    LEASED,
    MAX_ATTEMPTS,
    READY,
    WANTED,
    is_due,
    lease_end,
    was_given_up,
)


def due_rows(version: StudyVersion | None = None) -> QuerySet[Artefact]:
    """Rows that anybody may take up now; of one version, or of all."""
    rows = Artefact.objects.filter(is_due(Artefact.objects.all()))
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
        _fail(row, was_given_up(row.attempts))
        return False
    row.state, row.owner, row.lease_until = LEASED, owner, lease_end()
    row.attempts += 1
    row.save(update_fields=["state", "owner", "lease_until", "attempts"])
    return True


def lease_renew(*, rows: Sequence[Artefact], owner: str, done: int | None = None, total: int | None = None) -> None:
    """Show that the work goes on, and how far it is."""
    progress = {} if done is None else {"done": done, "total": total or 0}
    Artefact.objects.filter(pk__in=[r.pk for r in rows], owner=owner, state=LEASED).update(
        lease_until=lease_end(), **progress
    )


def artefact_publish(*, row: Artefact, owner: str, computed: Computed) -> bool:
    """Write the files under their hashes, then make the row ready in one statement, if it is still ours."""
    files = {name: store(content, media_type) for name, (content, media_type) in computed.files.items()}
    fault_point("before_commit")
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
