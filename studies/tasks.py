"""Celery entry points: ids in, one call. The database is the truth; a task only says that there may be work.

Queues: `work_task` goes to cpu or gpu (settings), what people wait for goes to live. Any worker may serve any of them.
"""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from studies import heartbeat

logger = logging.getLogger(__name__)


@shared_task
def work_task() -> int:
    """Lease due rows and work until none is due; after TASK_SECONDS, ring again and let others have a turn."""
    from studies.watch import Watch
    from studies.worker import is_anything_due, work_until_idle

    watch = Watch(stop=heartbeat.is_stopping, seconds=settings.TASK_SECONDS, beat=heartbeat.beat)
    published = work_until_idle(watch=watch)
    if watch.is_over() and is_anything_due():
        work_task.delay()
    return published


@shared_task
def desk_task() -> None:
    """Do the desk's due jobs; a worker that is to stop hands the one in hand back."""
    from studies.desk_work import desk_work
    from studies.watch import Paused, Watch

    try:
        desk_work(watch=Watch(stop=heartbeat.is_stopping, seconds=settings.TASK_SECONDS, beat=heartbeat.beat))
    except Paused:
        logger.info("paused; the job is handed back")


@shared_task
def report_task(version_pk: int) -> None:
    """Build and store the report of a version's present data."""
    from studies.reports.build import report_store

    report_store(version_pk=version_pk)
