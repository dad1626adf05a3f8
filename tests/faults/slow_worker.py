"""Loaded by the slow worker of "two workers on one artefact": it stops itself with a result in its hands.

What it does is noted in a file of its installation: only so is it certain that it tried to publish once it was woken.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from celery.signals import task_postrun
from django.conf import settings

from studies import worker
from studies.computed import Computed
from studies.models import Artefact
from studies.services.leasing import artefact_publish
from tests.faults.worker_faults import NOTES, OVER, STOPS

#: The second result of a group: one is published before, others may follow.
STOPS_BEFORE = 2
_passed = 0


def publish(*, row: Artefact, owner: str, computed: Computed) -> bool:
    """As the worker does, after a stop before the second one."""
    global _passed
    _passed += 1
    if _passed == STOPS_BEFORE:
        _note(STOPS)
        os.kill(os.getpid(), signal.SIGSTOP)
    is_published = artefact_publish(row=row, owner=owner, computed=computed)
    _note(row.pk)
    return is_published


def _over(**kwargs: Any) -> None:
    _note(OVER)


def _note(line: object) -> None:
    with open(Path(settings.STATE_DIR, NOTES), "a", encoding="utf-8") as file:
        file.write(f"{line}\n")


worker.artefact_publish = publish
task_postrun.connect(_over, weak=False)
