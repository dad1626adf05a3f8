"""Points at which a test build kills its own process: FAULT_AT chooses one, TEST_BUILD=1 allows it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from django.conf import settings

POINTS = (
    "after_lease",
    "mid_compute",
    "before_rename",
    "before_commit",
    "before_ack",
    "submit_before_commit",
    "submit_after_commit",
)
_passed = 0


def fault_point(name: str) -> None:
    """Kill this process (SIGKILL) where FAULT_AT names this point; "mid_compute:3" means the third passage.

    It strikes once per state folder, so that the process that follows lives.
    """
    if not (settings.TEST_BUILD and settings.FAULT_AT):
        return
    global _passed
    point, _, number = settings.FAULT_AT.partition(":")
    assert point in POINTS, f"FAULT_AT={point} is none of {', '.join(POINTS)}"
    if point != name:
        return
    _passed += 1
    if _passed == int(number or 1) and _struck_first():
        os.kill(os.getpid(), signal.SIGKILL)


def _struck_first() -> bool:
    try:
        Path(settings.STATE_DIR, "fault_struck").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
