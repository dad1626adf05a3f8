"""The suite's tests of what the database itself guarantees, once more on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_database import NoPostgres, own_address

ROOT = Path(__file__).resolve().parents[2]
TESTS = [
    "tests/studies/test_append_only.py",
    "tests/studies/services/test_assignment.py",
    "tests/studies/views/annotator",
    "tests/test_hostile_inputs.py",
]


def test_the_suites_tests_of_rows_and_triggers_pass_on_postgresql(tmp_path: Path) -> None:
    try:
        with own_address("postgresql", tmp_path) as address:
            # pytest-django makes and drops a test database of its own beside this one.
            environment = {**os.environ, "DATABASE_URL": address, "STATE_DIR": str(tmp_path)}
            options = ("-q", "-p", "no:cacheprovider", "-m", "not slow", "--create-db")
            command = [sys.executable, "-m", "pytest", *options, *TESTS]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    except NoPostgres as none:
        pytest.skip(str(none))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
