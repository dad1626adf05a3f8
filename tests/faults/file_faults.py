"""Faults of artefact files: a byte flipped, the end cut off, the file gone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults import publications
from tests.faults.outcome import Outcome, of_artefacts
from tests.faults.person import person_at
from tests.faults.template import Templates


def flip(path: Path) -> None:
    """One bit of one byte."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    """The second half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def delete(path: Path) -> None:
    """All of it."""
    path.unlink()


def damaged(templates: Templates, damage: Callable[[Path], None]) -> Outcome:
    """An annotator meets a bad picture: it is never shown, and the same bytes come back by themselves."""
    there = templates.whole()
    try:
        there.start_web()
        there.start_worker()
        person = person_at(there)
        address = person.open().seen.pictures[-1]
        picture = person.browser.get(address).body
        name = hashlib.sha256(picture).hexdigest()
        (file,) = (there.folder / "media").glob(f"artefacts/*/{name}.*")
        referring = there.rows(f"SELECT id FROM studies_artefact WHERE files LIKE '%{name}%'")  # noqa: S608
        publications.record(there)
        damage(file)
        refused = person.browser.get(address)
        assert refused.status == 404, refused.status
        start = time.monotonic()
        there.wait_until(lambda: person.browser.get(address).body == picture)
        seconds = time.monotonic() - start
        there.wait_until(lambda: there.ready() == len(templates.reference))
        return of_artefacts(there, templates.reference, seconds, wanted_again=[key for (key,) in referring])
    finally:
        templates.forget(there)
