"""Faults of what workers lean on: the broker, the database, the disk."""

from __future__ import annotations

import resource
import time
from dataclasses import replace

from tests.faults.installation import SLUG, Installation
from tests.faults.outcome import Outcome, groups, of_artefacts, orphans
from tests.faults.private import kill_group
from tests.faults.template import Templates
from tests.faults.worker_faults import has_begun, recovered

AWAY_SECONDS = 1.0
#: Short turns: the worker depends on the next message soon after the fault.
SHORT_TURNS = {"TASK_SECONDS": "1"}
#: Too little for any picture; database and broker are processes of their own and keep their room.
NO_ROOM = 512


def broker_killed(templates: Templates, *, kept: bool) -> Outcome:
    """kill -9 of Redis under work; without its append-only file every message is gone."""
    there = _working(templates, kept=kept)
    try:
        redis = templates.kept_redis if kept else templates.redis
        assert redis is not None
        redis.kill()
        time.sleep(AWAY_SECONDS)
        redis.start()
        return recovered(there, templates)
    finally:
        templates.forget(there)


def broker_flushed(templates: Templates) -> Outcome:
    """Every message and binding is deleted under work."""
    there = _working(templates)
    try:
        assert templates.redis is not None
        templates.redis.client().flushall()
        return recovered(there, templates)
    finally:
        templates.forget(there)


def database_crashed(templates: Templates) -> Outcome:
    """PostgreSQL ends as at a power cut while a worker computes, and comes back."""
    there = _working(templates)
    try:
        before = there.ready()
        crash_database(templates)
        start = time.monotonic()
        there.wait_until(lambda: there.ready() > before)
        seconds = time.monotonic() - start
        there.wait_until(lambda: there.count("studies_run WHERE finished IS NULL") == 0)
        return of_artefacts(there, templates.reference, seconds)
    finally:
        templates.forget(there)


def disk_full(templates: Templates) -> Outcome:
    """No file can be written: rows fail with that reason, no torn file stays. With room again they are asked for."""
    there = templates.half(production=True)
    try:
        worker = there.start_worker(preexec_fn=_take_the_room)
        there.wait_until(lambda: there.count("studies_artefact WHERE state IN ('wanted', 'leased')") == 0)
        reasons = {reason for (reason,) in there.rows("SELECT reason FROM studies_artefact WHERE state = 'failed'")}
        assert reasons, "nothing failed"
        assert all("File too large" in reason for reason in reasons), reasons
        assert orphans(there) == 0, "a torn file stayed"
        lost = groups(there, "state = 'failed'")
        kill_group(worker)
        there.start_worker()
        there.manage("study", "precompute", SLUG)
        return replace(recovered(there, templates), groups=lost)
    finally:
        templates.forget(there)


def crash_database(templates: Templates) -> None:
    """As at a power cut, and on again."""
    assert templates.postgres is not None
    templates.postgres.crash()
    time.sleep(AWAY_SECONDS)
    templates.postgres.start()


def _working(templates: Templates, *, kept: bool = False) -> Installation:
    """A worker on PostgreSQL and Redis in the middle of its work."""
    there = templates.half(production=True, kept=kept)
    there.settings |= SHORT_TURNS
    has_begun_now = has_begun(there)
    there.start_worker("prefork")
    there.wait_until(has_begun_now)
    return there


def _take_the_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (NO_ROOM, NO_ROOM))
