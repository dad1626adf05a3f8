"""Faults of workers: children of the pool, whole workers, two on one artefact, wrong clocks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.faults.installation import Installation
from tests.faults.outcome import Outcome, of_artefacts, published
from tests.faults.private import kill_group
from tests.faults.template import Templates

POINTS = ("after_lease", "mid_compute", "before_rename", "before_commit", "before_ack")


def child_killed(templates: Templates, point: str) -> Outcome:
    """The child of a prefork pool kills itself at a point; the pool makes another."""
    there = templates.half(production=True)
    try:
        # The second passage: rows were published before, and they must not be touched.
        there.start_worker("prefork", fault=f"{point}:2")
        there.wait_until((there.folder / "fault_struck").exists)
        return recovered(there, templates)
    finally:
        templates.forget(there)


def worker_killed(templates: Templates, pool: str, *, production: bool) -> Outcome:
    """kill -9 of a worker with all its processes; another is started at once, as a supervisor does."""
    there = templates.half(production=production)
    try:
        worker = there.start_worker(pool)
        there.wait_until(has_begun(there))
        kill_group(worker)
        return recovered(there, templates, lambda: there.start_worker(pool))
    finally:
        templates.forget(there)


def parent_killed(templates: Templates) -> Outcome:
    """kill -9 of a pool's main process alone: its child goes on for a while beside the next worker."""
    there = templates.half(production=True)
    try:
        worker = there.start_worker("prefork")
        there.wait_until(has_begun(there))
        os.kill(worker.pid, signal.SIGKILL)
        return recovered(there, templates, lambda: there.start_worker("prefork"))
    finally:
        templates.forget(there)


def two_on_one(templates: Templates) -> Outcome:
    """A worker is frozen in the middle, its lease runs out, another one takes over; then the first one wakes up."""
    there = templates.half()
    try:
        slow = there.start_worker()
        there.wait_until(has_begun(there))
        os.killpg(slow.pid, signal.SIGSTOP)
        there.change("UPDATE studies_artefact SET lease_until = '2000-01-01 00:00:00+00' WHERE state = 'leased'")

        def wake() -> None:
            os.killpg(slow.pid, signal.SIGCONT)

        return recovered(there, templates, there.start_worker, before_the_end=wake)
    finally:
        templates.forget(there)


def clock_jumped(templates: Templates) -> Outcome:
    """Leases of another machine that end in the past, and in a year: neither is waited for."""
    there = templates.half()
    try:
        for end, odd in (("2000-01-01 00:00:00+00", 0), ("2999-01-01 00:00:00+00", 1)):
            there.change(
                "UPDATE studies_artefact SET state = 'leased', owner = 'elsewhere:1:a',"  # noqa: S608
                f" lease_until = '{end}' WHERE state = 'wanted' AND id % 2 = {odd}"
            )
        return recovered(there, templates, there.start_worker)
    finally:
        templates.forget(there)


def has_begun(there: Installation) -> Callable[[], bool]:
    """Whether something is published since now, and something is under way."""
    at_first = there.ready()
    return lambda: there.ready() > at_first and there.count("studies_artefact WHERE state = 'leased'") > 0


def recovered(
    there: Installation,
    templates: Templates,
    restart: Callable[[], object] = lambda: None,
    before_the_end: Callable[[], object] = lambda: None,
) -> Outcome:
    """From the fault to the end of the precomputation. Nobody rings: a worker's first look into the database does."""
    before = published(there)
    start = time.monotonic()
    restart()
    there.wait_until(lambda: there.ready() > len(before))
    seconds = time.monotonic() - start
    before_the_end()
    there.wait_until(lambda: there.ready() == len(templates.reference))
    there.wait_until(lambda: there.count("studies_run WHERE finished IS NULL") == 0)
    return of_artefacts(there, templates.reference, before, seconds)
