"""What one run of a fault left behind, counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.faults import publications
from tests.faults.installation import Installation
from tests.faults.template import hashes


@dataclass(frozen=True)
class Outcome:
    """None: not at stake in this run.

    answers_lost: acknowledged, and not there as they were sent
    wrong:        artefacts that are missing, failed, or have another hash than in the undisturbed run
    orphans:      files that no row refers to, half-written files, leased rows
    groups:       groups of rows (one subject) that had to be computed again
    published:    publications of what had been published before, and was not to be computed again
    seconds:      from the fault to the next result, or to the next acknowledged answer
    """

    seconds: float
    answers_lost: int | None = None
    answers_doubled: int | None = None
    wrong: int | None = None
    orphans: int | None = None
    groups: int | None = None
    published: int | None = None


def of_artefacts(
    there: Installation, reference: dict[tuple[Any, ...], str], seconds: float, *, wanted_again: Collection[int] = ()
) -> Outcome:
    """Compare a finished precomputation, whose publications were recorded, with the undisturbed one.

    wanted_again: artefacts that had to be published once more
    """
    there.settles(lambda: orphans(there) == 0)  # half-written files are swept away at the next look
    again = publications.repeated(there)
    keys = ", ".join(map(str, again)) or "NULL"
    return Outcome(
        seconds=seconds,
        wrong=len(set(hashes(there).items()) ^ set(reference.items())),
        orphans=orphans(there),
        groups=groups(there, f"attempts > 1 OR id IN ({keys})"),
        published=(again - Counter(wanted_again)).total(),
    )


def groups(there: Installation, condition: str) -> int:
    """To how many subjects the artefacts belong that fulfil an SQL condition."""
    distinct = f"SELECT DISTINCT subject_kind, subject FROM studies_artefact WHERE {condition}"  # noqa: S608 - our own
    return there.count(f"({distinct}) AS subjects")


def orphans(there: Installation) -> int:
    """Files without a row, half-written files, and leases that nobody holds any more."""
    referred: set[str] = set()
    for (files,) in there.rows("SELECT files FROM studies_artefact"):
        named = json.loads(files) if isinstance(files, str) else files
        referred |= {entry["sha256"] for entry in named.values()}
    media = there.folder / "media"
    stored = [path for path in media.glob("artefacts/*/*") if path.stem not in referred]
    parts = [path for path in media.glob("parts/*") if path.is_file()]
    return len(stored) + len(parts) + there.count("studies_artefact WHERE state = 'leased'")
