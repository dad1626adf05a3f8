"""Faults while people answer: killed web workers, a form sent eight times at once, a crashing database, migrations."""

from __future__ import annotations

import shutil
import sqlite3
import time
from functools import partial

from benchmarks.load.browser import Browser
from tests.faults.installation import Installation
from tests.faults.outcome import Outcome
from tests.faults.person import Person, at_once, person_at
from tests.faults.service_faults import crash_database
from tests.faults.template import Templates

TIMES = 8
PEOPLE = 6
STEP_SECONDS = 0.15
FIRST_MIGRATION = "0001"
KEPT_IN_A_BACKUP = ("media", "features", "secret_key")


def web_killed(templates: Templates, point: str, *, production: bool) -> Outcome:
    """gunicorn's worker dies in the middle of a submission; the browser sends the same one again."""
    there = templates.whole(production=production)
    try:
        there.start_web(fault=point)
        person = person_at(there)
        person.answer_all()
        assert (there.folder / "fault_struck").exists()
        return of_answers(there, [person], person.longest)
    finally:
        templates.forget(there)


def sent_at_once(templates: Templates, *, production: bool) -> Outcome:
    """One submission, eight times in parallel."""
    there = templates.whole(production=production)
    try:
        there.start_web()
        person = person_at(there)
        values = person.form()
        assert values is not None
        same = [Person(Browser(there.port, person.browser.cookies)) for _ in range(TIMES)]
        start = time.monotonic()
        at_once([partial(one.submit, values) for one in same])
        person.acknowledged = 1
        return of_answers(there, [person], time.monotonic() - start)
    finally:
        templates.forget(there)


def database_crashed(templates: Templates) -> Outcome:
    """PostgreSQL ends as at a power cut while people answer, and comes back."""
    there = templates.whole(production=True)
    try:
        there.start_web()
        people = [person_at(there, number) for number in range(PEOPLE)]
        # Some answer before the crash, some in the middle of it, some while the server is away.
        answering = [partial(person.answer_all, number * STEP_SECONDS) for number, person in enumerate(people)]
        at_once([partial(crash_database, templates), *answering])
        return of_answers(there, people, max(person.longest for person in people))
    finally:
        templates.forget(there)


def migrated(templates: Templates, *, production: bool) -> Outcome:
    """Down to the first tables and up again while a sheet is open: it goes on, and answers are protected as before."""
    there = templates.whole(production=production)
    try:
        web = there.start_web()
        person = person_at(there)
        values = person.form()
        assert values is not None
        person.submit(values)
        triggers = _triggers(there)
        assert triggers > 0
        web.terminate()
        web.wait()
        there.manage("migrate", "studies", FIRST_MIGRATION, "-v0")
        start = time.monotonic()
        there.manage("migrate", "-v0")
        assert _triggers(there) == triggers
        there.start_web()
        person.answer_all()
        return of_answers(there, [person], time.monotonic() - start)
    finally:
        templates.forget(there)


def restored(templates: Templates) -> Outcome:
    """A backup taken while people answer, put back into an empty folder: the sheet goes on there."""
    there, person = templates.whole(), None
    again = Installation(there.folder.with_name(f"{there.folder.name}-restored"))
    try:
        there.start_web()
        person = person_at(there)
        values = person.form()
        assert values is not None
        person.submit(values)
        _back_up(there, again)
        there.stop()
        start = time.monotonic()
        again.start_web()
        went_on = Person(Browser(again.port, person.browser.cookies), person.acknowledged)
        went_on.answer_all()
        return of_answers(again, [went_on], time.monotonic() - start)
    finally:
        templates.forget(there)
        templates.forget(again)


def of_answers(there: Installation, people: list[Person], seconds: float) -> Outcome:
    """Compare what was acknowledged with what is stored."""
    stored = there.count("studies_answer WHERE question = 'choice'")
    different = there.count(
        "(SELECT DISTINCT sheet_id, item_id FROM studies_answer WHERE question = 'choice') AS different"
    )
    acknowledged = sum(person.acknowledged for person in people)
    assert acknowledged > 0
    return Outcome(seconds, answers_lost=max(0, acknowledged - different), answers_doubled=stored - different)


def _back_up(there: Installation, copy: Installation) -> None:
    """As docs/reliability.md says: the database by its own means, then the files, which are only ever added."""
    copy.folder.mkdir()
    with sqlite3.connect(there.folder / "db.sqlite3") as source, sqlite3.connect(copy.folder / "db.sqlite3") as target:
        source.backup(target)
    for name in KEPT_IN_A_BACKUP:
        path = there.folder / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, copy.folder / name)


def _triggers(there: Installation) -> int:
    if there.database:
        return there.count("information_schema.triggers")
    return there.count("sqlite_master WHERE type = 'trigger'")
