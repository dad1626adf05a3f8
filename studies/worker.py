"""The working loop: desk jobs first, then lease due rows, compute and publish them, until nothing is due or time is up.

Used by tasks and by `--wait`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from django.db import InterfaceError, OperationalError

from studies import engine
from studies.computed import Computed, Job
from studies.desk_work import desk_work
from studies.faults import fault_point
from studies.models import Artefact, StudyVersion
from studies.services.holding import new_owner
from studies.services.leasing import (
    artefact_fail,
    artefact_publish,
    due_rows,
    lease_due,
    lease_renew,
    leases_release,
)
from studies.services.precompute import precompute_advance, run_stop, stalled_versions
from studies.watch import Paused, Watch, patiently, reason_of, unless_busy

logger = logging.getLogger(__name__)
LOST = (
    "a file of this result is damaged or gone, and pages that show it wait. This release cannot make it again; `study"
    " precompute --wait`, run in the release that the study was computed with on this database and these files, can"
)


def work_until_idle(
    *,
    version: StudyVersion | None = None,
    watch: Watch | None = None,
    after_group: Callable[[], None] | None = None,
) -> int:
    """Compute whatever is due; returns how many results were published.

    version:     work for this version only; None = for all, and for the researchers' desk
    watch:       when to stop; by default when nothing is due
    after_group: called after each group, for progress bars
    An interruption (Ctrl-C, a pause) hands the leases back, so that the next run goes on at once.
    """
    owner, published, watch = new_owner(), 0, watch or Watch()
    try:
        while not watch.is_over():
            if version is None:
                desk_work(watch=watch)
            rows = lease_due(owner=owner, version=version)
            if not rows:
                if _go_on_with_stalled(version):
                    continue
                break
            fault_point("after_lease")
            published += _compute(rows, owner, watch)
            for touched in StudyVersion.objects.filter(artefacts__in=rows).distinct():
                _advance(touched)
            if after_group:
                after_group()
    except Paused:
        logger.info("paused; the rest is handed back")
    finally:
        patiently(partial(leases_release, owner=owner))
    return published


def is_anything_due() -> bool:
    """Whether a worker should be rung for artefacts."""
    return due_rows().exists() or stalled_versions().exists()


def _go_on_with_stalled(version: StudyVersion | None) -> bool:
    """Begin the next phase where a worker died between the last result of a phase and that; whether there was one."""
    stalled = [found for found in stalled_versions() if version is None or found == version]
    for found in stalled:
        _advance(found)
    return bool(stalled)


def _advance(version: StudyVersion) -> None:
    """Begin the next phase if it is time; what prevents it is the run's problem, and its researcher reads it."""
    try:
        precompute_advance(version=version)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.warning("%s cannot go on", version, exc_info=error)
        run_stop(version=version, problem=reason_of(error))


def _compute(rows: Sequence[Artefact], owner: str, watch: Watch) -> int:
    """Compute one leased group; a row that fails is marked with its reason, the others of the group go on."""
    published, open_rows = 0, list(rows)
    jobs = [Job(row.stage, row.subject, row.target, row.params) for row in rows]

    def renew(done: int | None = None, total: int | None = None) -> None:
        unless_busy(partial(lease_renew, rows=open_rows, owner=owner, done=done, total=total))

    try:
        with watch.kept_alive(renew):
            for number, result in engine.compute(jobs, watch.ticking(renew, can_continue=True)):
                watch.live()
                fault_point("mid_compute")
                row = rows[number]
                if isinstance(result, Computed):
                    published += patiently(partial(artefact_publish, row=row, owner=owner, computed=result))
                    fault_point("before_ack")
                else:
                    _give_up([row], owner, result)
                open_rows.remove(row)
                if open_rows and watch.is_late():
                    break
    except (OperationalError, InterfaceError):
        raise  # the database is away: the rows are handed back, or their leases run out
    except Exception as error:  # noqa: BLE001 - what befalls the whole group is the reason of each of its rows
        _give_up(open_rows, owner, error)
    return published


def _give_up(rows: Sequence[Artefact], owner: str, error: Exception) -> None:
    """Mark rows as failed: one line of reason for the researcher, the traceback for those who ask the log for it."""
    logger.info("the traceback of: %s", reason_of(error), exc_info=error)
    for row in rows:
        # A result that was there before is wanted again only where its file turned out bad.
        is_lost = isinstance(error, engine.OtherMethods) and row.sha256
        reason = f"{LOST}: {reason_of(error)}" if is_lost else reason_of(error)
        logger.warning("%s failed: %s", row, reason)
        patiently(partial(artefact_fail, row=row, owner=owner, reason=reason))
