"""A worker's signs of life for its supervisor, and the wish to stop, which must reach the children of its pool."""

from __future__ import annotations

import mmap
import os
import re
import time
from pathlib import Path

from django.conf import settings

from studies.alive import is_alive

_BEAT_EVERY_SECONDS = 1.0
_NAME = re.compile("[0-9]{1,9}")  # of a file: its process; a file system may have left others here
_file: Path | None = None
_beaten = 0.0
#: One byte shared with children that are forked later. A lock or event would stay locked when a child is killed.
_stopping: mmap.mmap | None = None


def start() -> None:
    """Begin in this process, which is a worker's main process; children inherit both the file and the byte."""
    global _file, _stopping, _beaten
    folder = Path(settings.STATE_DIR) / "heartbeats"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        if _NAME.fullmatch(left.name) and not is_alive(int(left.name)):
            left.unlink(missing_ok=True)
    _stopping = mmap.mmap(-1, 1)
    _file, _beaten = path_of(os.getpid()), 0.0
    beat()


def end() -> None:
    """Leave no file behind."""
    global _file
    if _file is not None:
        _file.unlink(missing_ok=True)
        _file = None


def path_of(pid: int) -> Path:
    """The file that a worker's process, or its children, touch."""
    return Path(settings.STATE_DIR) / "heartbeats" / str(pid)


def beat() -> None:
    """Touch the file, at most once a second. Elsewhere than in a worker nothing happens."""
    global _beaten
    if _file is None or time.monotonic() - _beaten < _BEAT_EVERY_SECONDS:
        return
    _beaten = time.monotonic()
    _file.touch()


def silence(pid: int) -> float | None:
    """Seconds since a worker's last sign of life; None before its first."""
    try:
        return max(0.0, time.time() - path_of(pid).stat().st_mtime)
    except FileNotFoundError:
        return None


def stop() -> None:
    """Have the main process and its children begin nothing more."""
    if _stopping is not None:
        _stopping[0] = 1


def is_stopping() -> bool:
    """Whether the worker is being shut down."""
    return _stopping is not None and _stopping[0] == 1
