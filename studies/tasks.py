"""Celery entry points: ids in, one call. The database is the truth; a task only says that there may be work."""

from __future__ import annotations

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

RECONCILE_SECONDS = 15
_stopping = threading.Event()
_working = threading.Event()


@shared_task
def work_task() -> int:
    """Lease any due row, and work until none is due."""
    from studies.worker import work_until_idle

    _working.set()
    try:
        return work_until_idle(stop=_stopping.is_set)
    finally:
        _working.clear()


@shared_task
def report_task(version_pk: int) -> None:
    """Build and store the report of a version's present data."""
    from studies.reports.build import report_store

    report_store(version_pk=version_pk)


@worker_ready.connect
def start_reconciler(**kwargs: Any) -> None:
    """Messages may be lost; what stands in the database is found again by this thread."""
    _stopping.clear()
    threading.Thread(target=_reconcile, name="reconciler", daemon=True).start()


@worker_shutting_down.connect
def stop_reconciler(**kwargs: Any) -> None:
    """Let the row in hand be finished, and begin no other."""
    _stopping.set()


def _reconcile() -> None:
    from django.db import close_old_connections, connection

    from studies.worker import is_anything_due

    while True:
        close_old_connections()
        if not _working.is_set() and is_anything_due():
            work_task.delay()
        connection.close()
        if _stopping.wait(RECONCILE_SECONDS):
            return
