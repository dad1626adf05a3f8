"""Ringing the workers. The database says what there is to do; a lost ring costs seconds, not a result."""

from __future__ import annotations

import logging

from django.db import transaction
from kombu.exceptions import OperationalError

from studies.tasks import desk_task, report_task, work_task

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


def desk_ring() -> None:
    """Have a worker look for desk jobs, once the transaction is committed."""
    transaction.on_commit(desk_task.delay, robust=True)


def workers_ring_on_commit() -> None:
    """Tell the workers that there may be work, once the transaction is committed."""
    transaction.on_commit(workers_ring, robust=True)
