"""Ringing the workers. The database says what there is to do; a lost ring costs seconds, not a result."""

from __future__ import annotations

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

from studies.tasks import report_task, work_task

logger = logging.getLogger(__name__)


def workers_ring() -> bool:
    """Tell the workers that there may be work; False when the broker cannot be reached (they look by themselves)."""
    try:
        work_task.delay()
    except (OperationalError, OSError) as error:
        logger.warning("the broker cannot be reached: %s", error)
        return False
    return True


def report_ring(version_pk: int) -> None:
    """Have a worker build the report of a version's present data, once the transaction is committed."""
    transaction.on_commit(lambda: report_task.delay(version_pk), robust=True)
