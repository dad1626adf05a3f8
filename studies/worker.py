"""The working loop: lease due rows, compute them, publish them, until nothing is due. Used by tasks and by `--wait`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from django.db import OperationalError

from studies import engine
from studies.computed import Job
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
            for version in StudyVersion.objects.filter(artefacts__in=rows).distinct():
                precompute_advance(version=version)
            if after_group:
                after_group()
    finally:
        leases_release(owner=owner)
    return published


def is_anything_due() -> bool:
    """Whether a worker should be rung."""
    return due_rows().exists()


def _compute(rows: Sequence[Artefact], owner: str) -> int:
    """Compute one leased group; what fails is marked with its reason, what was done before it stays."""
    published, open_rows = 0, list(rows)
    jobs = [Job(row.stage, row.subject, row.target, row.params) for row in rows]
    last_renewal = 0.0

    def tick(done: int, total: int) -> None:
        nonlocal last_renewal
        if time.monotonic() - last_renewal > RENEW_EVERY_SECONDS or done == total:
            last_renewal = time.monotonic()
            lease_renew(rows=open_rows, owner=owner, done=done, total=total)

    try:
        for number, computed in engine.compute(jobs, tick):
            row = rows[number]
            published += artefact_publish(row=row, owner=owner, computed=computed)
            open_rows.remove(row)
            lease_renew(rows=open_rows, owner=owner)
    except OperationalError:
        raise  # the database is away: the leases run out and the rows are taken up again
    except Exception as error:
        # Whatever a model or dataset raises is the row's reason, not the end of the worker.
        logger.warning("%s failed", open_rows[0], exc_info=True)
        for row in open_rows:
            artefact_fail(row=row, owner=owner, reason=f"{type(error).__name__}: {error}")
    return published
