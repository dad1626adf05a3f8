"""When a stored file turns out damaged or gone: out of the way with it, and what it belonged to is computed again."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from studies import artefact_files
from studies.models import Artefact
from studies.services.holding import READY, WANTED
from studies.services.ringing import workers_ring_on_commit

logger = logging.getLogger(__name__)


@transaction.atomic
def file_repair(*, entry: dict[str, Any], reason: str) -> int:
    """Put a bad file into quarantine and want every row that refers to it again; returns how many rows.

    Rows keep their numbers and their hash: pages go on showing what does not need the file, and the hash of the plan
    stays. The same computation gives the same bytes, under the same name.
    """
    artefact_files.set_aside(entry)
    rows = rows_with_file(entry["sha256"]).filter(state=READY)
    names = [str(row) for row in rows]
    count = rows.update(state=WANTED, attempts=0, done=0, total=0)
    if count:
        logger.warning("%s: computed again: %s", reason, ", ".join(names))
        workers_ring_on_commit()
    return count


def rows_with_file(sha256: str) -> QuerySet[Artefact]:
    """Artefacts that refer to a file; by text, as SQLite cannot look into JSON by value."""
    return Artefact.objects.annotate(files_text=Cast("files", TextField())).filter(files_text__contains=sha256)
