"""Whether a process of this machine is still there: leases, half-written files and heartbeats name their process."""

from __future__ import annotations

import os


def is_alive(pid: int) -> bool:
    """Whether a process of this number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
