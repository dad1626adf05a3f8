"""`python -m analysis_core.statistics` at the ends of its streams: pipes that close, Ctrl-C, full disks."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.analysis_core.statistics.test_statistics_command import COLUMNS, COMMAND, ROOT, TABLE, write


def test_a_reader_that_goes_away_leaves_no_trace(tmp_path: Path):
    groups = "".join(f"g{g},1,a,x\ng{g},1,b,x\n" for g in range(2_000))
    file = write(tmp_path, "g,item,rater,answer\n" + groups)
    child = subprocess.Popen(
        [*COMMAND, file, *COLUMNS, "--group", "g"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.read(5) == b"group"
    child.stdout.close()
    assert child.stderr is not None
    assert child.stderr.read() == b""
    assert child.wait(60) == 0


def test_ctrl_c_ends_quietly_with_130():
    child = subprocess.Popen(
        [*COMMAND, "-", *COLUMNS],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    # A pipe holds 64 KiB: once more than that could be written the command is past its imports and reads rows.
    child.stdin.write(b"item,rater,answer\n" + b"".join(b"%d,a,x\n" % row for row in range(100_000)))
    child.stdin.flush()
    time.sleep(0.2)
    os.kill(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no device that is always full")
def test_a_full_disk_is_an_error_in_words(tmp_path: Path):
    file = write(tmp_path, TABLE)
    with Path("/dev/full").open("w") as full:
        found = subprocess.run([*COMMAND, file, *COLUMNS], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (found.returncode, found.stderr) == (1, b"the result cannot be written: No space left on device\n")


@pytest.mark.parametrize(
    ("closed", "sentence"),
    [
        ("<&-", "standard input: cannot be read: it is closed\n"),
        (">&-", "the result cannot be written: standard output is closed\n"),
    ],
)
def test_closed_streams_are_errors_in_words(closed: str, sentence: str, tmp_path: Path):
    file = "-" if closed == "<&-" else write(tmp_path, TABLE)
    command = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, file, *COLUMNS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (1, "", sentence)
