"""The working loop: lease due rows, compute them, publish them, until nothing is due. Used by tasks and by `--wait`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import OperationalError, connection

from studies import engine
from studies.computed import Computed, Job, Tick
from studies.models import Artefact, StudyVersion
from studies.services.leasing import (
    artefact_fail,
    artefact_publish,
    due_rows,
    lease_due,
    lease_renew,
    leases_release,
    new_owner,
)
from studies.services.precompute import precompute_advance

logger = logging.getLogger(__name__)
RENEW_EVERY_SECONDS = 5


def work_until_idle(
    *,
    version: StudyVersion | None = None,
    stop: Callable[[], bool] = lambda: False,
    after_group: Callable[[], None] | None = None,
) -> int:
    """Compute whatever is due; returns how many results were published.

    version:     work for this version only; None = for all
    stop:        asked between groups of rows
    after_group: called after each group, for progress bars
    An interruption (Ctrl-C) hands the leases back, so that the next run goes on at once.
    """
    owner, published = new_owner(), 0
    try:
        while not stop():
            rows = lease_due(owner=owner, version=version)
            if not rows:
                break
            published += _compute(rows, owner)
            for touched in StudyVersion.objects.filter(artefacts__in=rows).distinct():
                precompute_advance(version=touched)
            if after_group:
                after_group()
    finally:
        leases_release(owner=owner)
    return published


def is_anything_due() -> bool:
    """Whether a worker should be rung."""
    return due_rows().exists()


def _compute(rows: Sequence[Artefact], owner: str) -> int:
    """Compute one leased group; a row that fails is marked with its reason, the others of the group go on."""
    published, open_rows = 0, list(rows)
    jobs = [Job(row.stage, row.subject, row.target, row.params) for row in rows]

    def tick(done: int, total: int) -> None:
        _renew(open_rows, owner, done, total)

    try:
        with kept_alive(rows, owner):
            for number, result in engine.compute(jobs, throttled(tick, RENEW_EVERY_SECONDS)):
                row = rows[number]
                if isinstance(result, Computed):
                    published += artefact_publish(row=row, owner=owner, computed=result)
                else:
                    _give_up([row], owner, result)
                open_rows.remove(row)
    except OperationalError:
        raise  # the database is away: the leases run out and the rows are taken up again
    except Exception as error:  # noqa: BLE001 - what befalls the whole group is the reason of each of its rows
        _give_up(open_rows, owner, error)
    return published


def _give_up(rows: Sequence[Artefact], owner: str, error: Exception) -> None:
    """Mark rows as failed: one line of reason for the researcher, the traceback for those who ask the log for it."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    logger.info("the traceback of: %s", reason, exc_info=error)
    for row in rows:
        logger.warning("%s failed: %s", row, reason)
        artefact_fail(row=row, owner=owner, reason=reason)


def _renew(rows: Sequence[Artefact], owner: str, done: int | None = None, total: int | None = None) -> None:
    """Renew, or leave it to the next time: a busy database is no reason to give up the work in hand."""
    try:
        lease_renew(rows=rows, owner=owner, done=done, total=total)
    except OperationalError as error:
        logger.warning("leases were not renewed this time: %s", error)


def throttled(tick: Tick, seconds: float) -> Tick:
    """At most one call in `seconds`, and the last one always."""
    last = 0.0

    def call(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > seconds or done == total:
            last = time.monotonic()
            tick(done, total)

    return call


@contextmanager
def kept_alive(rows: Sequence[Artefact], owner: str) -> Iterator[None]:
    """Renew the leases from a thread of its own while a long step computes: a slow row is not a dead worker's."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(settings.LEASE_SECONDS / 3):
            _renew(rows, owner)
            connection.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
