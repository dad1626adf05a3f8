"""Withdrawal: everything that somebody gave is deleted; that somebody was here and withdrew is what stays."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from studies.models import Invite, Sheet, Withdrawal
from studies.services.clearing import outcomes_clear
from studies.services.identities import identity_forget
from studies.services.locking import sheet_locked


@transaction.atomic
def sheet_withdraw(*, sheet: Sheet) -> Sheet:
    """Delete answers, drafts, times, what was written and who it was, and leave a tombstone without any of it.

    Exports and stored reports of the study go too: they hold the answers. raises: SheetElsewhere (it is gone)
    """
    sheet = sheet_locked(sheet)
    # First: the database lets answers go only where this row exists.
    Withdrawal.objects.get_or_create(sheet=sheet)
    for rows in (sheet.answers, sheet.drafts, sheet.submissions, sheet.exposures):
        rows.all().delete()
    identity_forget(sheet=sheet)
    # The link stays used; whose it was is forgotten.
    Invite.objects.filter(sheets=sheet).update(label="")
    outcomes_clear(study=sheet.version.study)
    # And again: one that is asked for before this is committed is built of the answers as they were.
    transaction.on_commit(partial(outcomes_clear, study=sheet.version.study), robust=True)
    sheet.post = {}
    sheet.step = Sheet.Step.WITHDRAWN
    sheet.seen = timezone.now()
    sheet.save()
    return sheet
