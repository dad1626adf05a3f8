"""What one run of a fault left behind, counted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.faults.installation import Installation
from tests.faults.template import hashes


@dataclass(frozen=True)
class Outcome:
    """None: not at stake in this run.

    wrong:      artefacts that are missing, failed, or have another hash than in the undisturbed run
    orphans:    files that no row refers to, half-written files, leased rows
    groups:     groups of rows (one subject) that had to be computed again
    published:  artefacts published twice
    seconds:    from the fault to the next result, or to the next acknowledged answer
    """

    seconds: float
    answers_lost: int | None = None
    answers_doubled: int | None = None
    wrong: int | None = None
    orphans: int | None = None
    groups: int | None = None
    published: int | None = None


def of_artefacts(
    there: Installation, reference: dict[tuple[Any, ...], str], before: dict[int, Any], seconds: float
) -> Outcome:
    """Compare a finished precomputation with the undisturbed one; `before`: what was published before the fault."""
    after = published(there)
    there.settles(lambda: orphans(there) == 0)  # half-written files are swept away at the next look
    return Outcome(
        seconds=seconds,
        wrong=len(set(hashes(there).items()) ^ set(reference.items())),
        orphans=orphans(there),
        groups=there.count("(SELECT DISTINCT subject_kind, subject FROM studies_artefact WHERE attempts > 1) AS again"),
        published=sum(after[key] != at for key, at in before.items()),
    )


def published(there: Installation) -> dict[int, Any]:
    """When each artefact was published."""
    return dict(there.rows("SELECT id, published FROM studies_artefact WHERE state = 'ready'"))


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
