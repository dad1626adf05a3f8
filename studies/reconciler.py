"""A thread in every worker that looks into the database: messages may be lost, rows are not. Loaded by Celery."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from typing import Any

from celery import Celery, Task
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from celery.worker import state
from django.conf import settings

from studies import artefact_storage, heartbeat
from studies.tasks import desk_task, work_task

logger = logging.getLogger(__name__)
_asleep = threading.Event()


@worker_init.connect
def begin(**kwargs: Any) -> None:
    """Before the pool forks: what its children are to share is made now."""
    heartbeat.start()


@worker_ready.connect
def start_reconciler(sender: Any, **kwargs: Any) -> None:
    """Look after the queues that this worker serves."""
    _asleep.clear()
    queues = frozenset(sender.app.amqp.queues.consume_from)
    threading.Thread(target=_reconcile, args=(sender.app, queues), name="reconciler", daemon=True).start()


@worker_shutting_down.connect
def stop_reconciler(**kwargs: Any) -> None:
    """Let the row in hand be finished or handed back, and begin no other."""
    heartbeat.stop()
    _asleep.set()


@worker_shutdown.connect
def leave(**kwargs: Any) -> None:
    """The worker ended in good order."""
    heartbeat.end()


def is_busy() -> bool:
    """Whether a task is being worked on, here or in a child of the pool: known in the main process only."""
    return len(state.active_requests) > 0


def look(app: Celery, queues: Collection[str]) -> None:
    """Ring for what is due and belongs to this worker's queues; clear away what killed writers left."""
    from studies.services.desk_jobs import due_jobs
    from studies.worker import is_anything_due

    if _serves(app, work_task, queues) and is_anything_due():
        work_task.delay()
    if _serves(app, desk_task, queues) and due_jobs().exists():
        desk_task.delay()
    # Last: a folder that cannot be swept must not keep lost messages from being rung again.
    artefact_storage.sweep()


def _reconcile(app: Celery, queues: Collection[str]) -> None:
    from django.db import connection

    while not heartbeat.is_stopping():
        if not is_busy():
            # A working thread gives its own signs of life: this one must not speak for one that has hung.
            heartbeat.beat()
            try:
                look(app, queues)
            except Exception as error:  # noqa: BLE001 - database or broker away: this thread must outlive both
                logger.warning("could not look for due work: %s", error)
            finally:
                connection.close()
        if _asleep.wait(settings.RECONCILE_SECONDS):
            return


def _serves(app: Celery, task: Task[..., Any], queues: Collection[str]) -> bool:
    return app.amqp.router.route({}, task.name)["queue"].name in queues
