"""Writing and checking the audit log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from studies.models import AuditEntry, Study


@transaction.atomic
def audit_record(*, study: Study, act: str, actor: str, **details: Any) -> AuditEntry:
    """Append one entry, chained to the one before. The study's row is locked, so that numbers have no gaps."""
    Study.objects.select_for_update().get(pk=study.pk)
    last = study.audit.last()
    entry = AuditEntry(
        study=study,
        number=last.number + 1 if last else 1,
        act=act,
        actor=actor,
        details=details,
        at=timezone.now(),
        previous=last.sha256 if last else "",
    )
    entry.sha256 = entry.expected_sha256()
    entry.save()
    return entry


def broken_links(study: Study) -> list[int]:
    """Numbers of entries whose content or link to the entry before does not hold."""
    broken, previous, expected_number = [], "", 1
    for entry in study.audit.all():
        if entry.number != expected_number or entry.previous != previous or entry.sha256 != entry.expected_sha256():
            broken.append(entry.number)
        previous, expected_number = entry.sha256, entry.number + 1
    return broken
