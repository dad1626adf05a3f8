"""Faults of workers: children of the pool, whole workers, two on one artefact, wrong clocks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.faults.installation import Installation
from tests.faults.outcome import Outcome, of_artefacts
from tests.faults.private import children, is_running, kill_group
from tests.faults.template import Templates

POINTS = ("after_lease", "mid_compute", "before_rename", "before_commit", "before_ack")
#: It runs out while the next worker is busy with what nobody holds.
SHORT_LEASE = {"LEASE_SECONDS": "3"}
#: The slow worker's file in its installation's folder, and the lines in it that are no keys of artefacts.
NOTES, STOPS, OVER = "slow_worker", "stops", "over"


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
        left = children(worker.pid)
        os.kill(worker.pid, signal.SIGKILL)

        def outlive() -> None:
            there.wait_until(lambda: not any(is_running(child) for child in left))

        return recovered(there, templates, lambda: there.start_worker("prefork"), at_the_end=outlive)
    finally:
        templates.forget(there)


def two_on_one(templates: Templates) -> Outcome:
    """A worker is frozen in a group, its lease runs out, another one computes everything; then the first wakes up."""
    there = templates.half()
    there.settings |= SHORT_LEASE
    try:
        slow = there.start_worker(loads="tests.faults.slow_worker")
        there.wait_until(lambda: os.waitid(os.P_PID, slow.pid, os.WSTOPPED | os.WNOHANG) is not None)
        held = {key for (key,) in there.rows("SELECT id FROM studies_artefact WHERE state = 'leased'")}

        def wake() -> None:
            os.kill(slow.pid, signal.SIGCONT)
            there.wait_until(lambda: OVER in _notes_since_the_stop(there))
            tried = {int(line) for line in _notes_since_the_stop(there) if line != OVER}
            assert tried & held, "the slow worker never tried to publish what it held"

        return recovered(there, templates, there.start_worker, at_the_end=wake)
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
    at_the_end: Callable[[], object] = lambda: None,
) -> Outcome:
    """From the fault to the end of the precomputation. Nobody rings: a worker's first look into the database does."""
    before = there.ready()
    start = time.monotonic()
    restart()
    there.wait_until(lambda: there.ready() > before)
    seconds = time.monotonic() - start
    there.wait_until(lambda: there.ready() == len(templates.reference))
    there.wait_until(lambda: there.count("studies_run WHERE finished IS NULL") == 0)
    at_the_end()
    return of_artefacts(there, templates.reference, seconds)


def _notes_since_the_stop(there: Installation) -> list[str]:
    """What the slow worker has done since it was woken: keys of artefacts that it tried to publish, and OVER."""
    lines = (there.folder / NOTES).read_text(encoding="utf-8").splitlines()
    return lines[lines.index(STOPS) + 1 :]
