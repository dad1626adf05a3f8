"""Withdrawal: everything that somebody gave is deleted; that somebody was here and withdrew is what stays."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from studies.models import Invite, PlatformIdentity, Sheet, Withdrawal
from studies.services.locking import sheet_locked


@transaction.atomic
def sheet_withdraw(*, sheet: Sheet) -> Sheet:
    """Delete answers, drafts, times, what was written and who it was, and leave a tombstone without any of it."""
    sheet = sheet_locked(sheet)
    # First: the database lets answers go only where this row exists.
    Withdrawal.objects.get_or_create(sheet=sheet)
    for rows in (sheet.answers, sheet.drafts, sheet.submissions, sheet.exposures):
        rows.all().delete()
    PlatformIdentity.objects.filter(annotator=sheet.annotator).delete()
    # The link stays used; whose it was is forgotten.
    Invite.objects.filter(sheets=sheet).update(label="")
    sheet.post = {}
    sheet.step = Sheet.Step.WITHDRAWN
    sheet.seen = timezone.now()
    sheet.save()
    return sheet
