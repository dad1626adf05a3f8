"""Every fault by name: what is done, and on what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.faults import file_faults, service_faults, web_faults, worker_faults
from tests.faults.outcome import Outcome
from tests.faults.template import Templates

EMBEDDED, PRODUCTION = "SQLite, files", "PostgreSQL, Redis"


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    title: str
    ground: str
    run: Callable[[Templates], Outcome]


def _workers() -> dict[str, Fault]:
    faults = {
        f"child-{point}": Fault(
            f"kill -9 of a pool child, {point.replace('_', ' ')}",
            PRODUCTION,
            partial(worker_faults.child_killed, point=point),
        )
        for point in worker_faults.POINTS
    }
    for pool in ("solo", "prefork"):
        for ground in (EMBEDDED, PRODUCTION):
            key = f"worker-{pool}-{'production' if ground == PRODUCTION else 'embedded'}"
            run = partial(worker_faults.worker_killed, pool=pool, production=ground == PRODUCTION)
            faults[key] = Fault(f"kill -9 of the worker ({pool})", ground, run)
    return faults | {
        "parent": Fault("kill -9 of a pool's main process alone", PRODUCTION, worker_faults.parent_killed),
        "two-on-one": Fault("two workers on one artefact", EMBEDDED, worker_faults.two_on_one),
        "clock": Fault("leases that end in 2000 and in 2999", EMBEDDED, worker_faults.clock_jumped),
    }


def _services() -> dict[str, Fault]:
    killed, crashed = service_faults.broker_killed, service_faults.database_crashed
    return {
        "broker-killed": Fault("kill -9 of Redis without a file", PRODUCTION, partial(killed, kept=False)),
        "broker-killed-kept": Fault("kill -9 of Redis with its file", PRODUCTION, partial(killed, kept=True)),
        "broker-flushed": Fault("Redis is emptied", PRODUCTION, service_faults.broker_flushed),
        "database-work": Fault("PostgreSQL crashes under a working worker", PRODUCTION, crashed),
        "database-answers": Fault(
            f"PostgreSQL crashes under {web_faults.PEOPLE} people answering", PRODUCTION, web_faults.database_crashed
        ),
        "disk": Fault("no file can be written, then again", PRODUCTION, service_faults.disk_full),
    }


def _web() -> dict[str, Fault]:
    faults = {}
    for ground in (EMBEDDED, PRODUCTION):
        is_production = ground == PRODUCTION
        suffix = "production" if is_production else "embedded"
        for point in ("submit_before_commit", "submit_after_commit"):
            title = f"kill -9 of the web worker, {point.replace('_', ' ')}"
            run = partial(web_faults.web_killed, point=point, production=is_production)
            faults[f"web-{point}-{suffix}"] = Fault(title, ground, run)
        times = partial(web_faults.sent_at_once, production=is_production)
        faults[f"eight-{suffix}"] = Fault("one submission eight times at once", ground, times)
        moved = partial(web_faults.migrated, production=is_production)
        faults[f"migration-{suffix}"] = Fault("migrations down and up with open sheets", ground, moved)
    faults["restored"] = Fault("backup while people answer, restored elsewhere", EMBEDDED, web_faults.restored)
    return faults


def _files() -> dict[str, Fault]:
    damages = (file_faults.flip, file_faults.truncate, file_faults.delete)
    titles = {"flip": "a byte is flipped", "truncate": "the end is cut off", "delete": "the file is deleted"}
    return {
        f"file-{damage.__name__}": Fault(
            f"artefact: {titles[damage.__name__]}", EMBEDDED, partial(file_faults.damaged, damage=damage)
        )
        for damage in damages
    }


FAULTS: dict[str, Fault] = {**_workers(), **_services(), **_web(), **_files()}
