"""What the operating system says about the web server's children: memory, processor time, loaded modules."""

from __future__ import annotations

import subprocess
from pathlib import Path

#: Folders of compiled modules, as they stand in the map of a process that has loaded them
HEAVY = {"torch": "/torch/", "pandas": "/pandas/", "scipy.stats": "/scipy/stats/", "sklearn": "/sklearn/"}


def memory(parent: int) -> float:
    """Resident MB of the largest child: gunicorn's own process watches and serves nothing."""
    return max(int(kilobytes) for _, kilobytes, _ in _children(parent)) / 1000


def processor_seconds(parent: int) -> int:
    """Processor time used so far, in whole seconds."""
    return sum(_seconds(used) for _, _, used in _children(parent))


def loaded(parent: int) -> list[str]:
    """Heavy packages whose compiled parts a child has mapped (Linux only; elsewhere nothing is seen)."""
    maps = [Path(f"/proc/{pid}/maps") for pid, _, _ in _children(parent)]
    text = "".join(path.read_text(encoding="utf-8") for path in maps if path.exists())
    return [name for name, folder in HEAVY.items() if folder in text]


def _children(parent: int) -> list[tuple[str, str, str]]:
    """Process id, resident kilobytes and processor time of each child."""
    command = ["ps", "-A", "-o", "ppid=,pid=,rss=,time="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    rows = [line.split() for line in lines]
    return [(pid, kilobytes, used) for ppid, pid, kilobytes, used in rows if int(ppid) == parent]


def _seconds(used: str) -> int:
    """Of "[[days-]hours:]minutes:seconds", with or without hundredths."""
    days, _, clock = used.rpartition("-")
    total = 0
    for part in clock.split(":"):
        total = 60 * total + int(float(part))
    return total + 86_400 * int(days or 0)
