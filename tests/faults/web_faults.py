"""Faults while people answer: killed web workers, a form sent eight times at once, a crashing database, migrations."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial

from benchmarks.load.browser import Browser
from tests.faults.installation import SLUG, Installation
from tests.faults.outcome import Outcome
from tests.faults.person import Person, at_once, person_at
from tests.faults.service_faults import crash_database
from tests.faults.template import Templates

TIMES = 8
PEOPLE = 6
STEP_SECONDS = 0.15
STEP_PAGES = 50  # of the copy of a database
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
        same = [Person(Browser(there.port, person.browser.cookies), person.token) for _ in range(TIMES)]
        start = time.monotonic()
        at_once([partial(one.submit, values) for one in same])
        person.acknowledged = same[0].acknowledged
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
    """A backup taken while people answer, put back into an empty folder: whole, and all sheets go on there.

    What was acknowledged before the copy of the database began must be in it; what came later may be.
    """
    there = templates.whole()
    again = Installation(there.folder.with_name(f"{there.folder.name}-restored"))
    try:
        there.start_web()
        people = [person_at(there, number) for number in range(PEOPLE)]
        kept: list[Person] = []

        def another_answer() -> None:
            before = _acknowledged(people)
            there.wait_until(lambda: _acknowledged(people) > before)

        def back_up() -> None:
            another_answer()
            kept.extend(Person(Browser(again.port), p.token, dict(p.acknowledged)) for p in people)
            _back_up(there, again, meanwhile=another_answer)

        at_once([back_up, partial(_answer_in_turn, people)])
        there.stop()
        missing = of_answers(again, kept, 0).answers_lost or 0  # counted before anybody answers the same again
        assert again.rows("PRAGMA integrity_check") == [("ok",)]
        assert again.rows("PRAGMA foreign_key_check") == []
        again.manage("study", "audit", SLUG)
        start = time.monotonic()
        again.start_web()
        for one, person in zip(kept, people, strict=True):
            one.browser.cookies = person.browser.cookies
            one.answer_all()
        assert again.count("studies_sheet WHERE step = 'review'") == PEOPLE
        outcome = of_answers(again, kept, time.monotonic() - start)
        return replace(outcome, answers_lost=missing + (outcome.answers_lost or 0))
    finally:
        templates.forget(there)
        templates.forget(again)


def of_answers(there: Installation, people: list[Person], seconds: float) -> Outcome:
    """Compare what was acknowledged with what is stored, value by value."""
    chosen = json.loads(there.run("-m", "tests.faults.stored"))
    lost = sum(
        chosen.get(person.token, {}).get(str(position)) != choice
        for person in people
        for position, choice in person.acknowledged.items()
    )
    stored = there.count("studies_answer WHERE question = 'choice'")
    different = there.count(
        "(SELECT DISTINCT sheet_id, item_id FROM studies_answer WHERE question = 'choice') AS different"
    )
    assert _acknowledged(people) > 0
    return Outcome(seconds, answers_lost=lost, answers_doubled=stored - different)


def _acknowledged(people: list[Person]) -> int:
    return sum(len(person.acknowledged) for person in people)


def _answer_in_turn(people: list[Person]) -> None:
    for person in people:
        person.answer_all(each=STEP_SECONDS)


def _back_up(there: Installation, copy: Installation, meanwhile: Callable[[], None]) -> None:
    """As docs/reliability.md says: the database by its own means, then the files, which are only ever added.

    meanwhile: called in the middle of the database's copy and before the files'
    """
    copy.folder.mkdir()
    left: list[int] = []

    def step(status: int, remaining: int, total: int) -> None:
        if not left:
            assert remaining > 0, "the database was copied before anybody could answer"
            meanwhile()
        left.append(remaining)

    here, copied = (sqlite3.connect(one.folder / "db.sqlite3") for one in (there, copy))
    with closing(here) as source, closing(copied) as target:
        source.backup(target, pages=STEP_PAGES, progress=step)
    meanwhile()
    for name in KEPT_IN_A_BACKUP:
        path = there.folder / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, copy.folder / name)


def _triggers(there: Installation) -> int:
    if there.database:
        return there.count("information_schema.triggers")
    return there.count("sqlite_master WHERE type = 'trigger'")
