"""What a server refuses to start with, and that a production set-up passes Django's own check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studyapp.safety import refuse_unsafe

ROOT = Path(__file__).resolve().parents[2]
GOOD = "n0t-an-example-but-drawn-at-random-9f8e7d"
SAFE = {
    "debug": False,
    "secret_key": GOOD,
    "hosts": ["lab.example"],
    "public_url": "https://lab.example",
    "fault_at": "",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"public_url": "http://lab.example:8000"},
        {"hosts": [".example"]},
        {"debug": True, "public_url": "http://127.0.0.1:8000", "hosts": ["127.0.0.1"], "secret_key": "short"},
        {"debug": True, "public_url": "http://[::1]:8000", "hosts": ["[::1]"]},
        {"debug": True, "public_url": "http://localhost", "hosts": ["*"]},
    ],
)
def test_safe_settings_start(changes: dict[str, object]) -> None:
    refuse_unsafe(**{**SAFE, **changes})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"secret_key": "short"}, ["SECRET_KEY", "at least 32"]),
        ({"secret_key": "django-insecure-" + GOOD}, ["SECRET_KEY", "example"]),
        ({"secret_key": "changeme" * 5}, ["SECRET_KEY", "example"]),
        ({"secret_key": "x" * 50}, ["SECRET_KEY", "example"]),
        ({"hosts": ["*"]}, ["ALLOWED_HOSTS", "`*`"]),
        ({"hosts": ["other.example"]}, ["ALLOWED_HOSTS", "lab.example"]),
        ({"hosts": [".lab.example.org"]}, ["ALLOWED_HOSTS", "lab.example"]),
        ({"public_url": "lab.example"}, ["PUBLIC_URL"]),
        ({"public_url": "https://lab.example/studies"}, ["PUBLIC_URL"]),
        ({"public_url": "ftp://lab.example"}, ["PUBLIC_URL"]),
        ({"debug": True}, ["DEBUG", "PUBLIC_URL"]),
        ({"fault_at": "before_ack"}, ["FAULT_AT", "TEST_BUILD"]),
        ({"secret_key": "short", "hosts": ["*"]}, ["SECRET_KEY", "ALLOWED_HOSTS"]),
    ],
)
def test_an_unsafe_setting_is_named_with_what_to_do(changes: dict[str, object], names: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        refuse_unsafe(**{**SAFE, **changes})
    for word in names:
        assert word in str(refused.value)
    if "hosts" not in changes:
        assert "ALLOWED_HOSTS" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("SECRET_KEY", "changeme"), ("ALLOWED_HOSTS", "*"), ("FAULT_AT", "before_ack"), ("PUBLIC_URL", "lab.example")],
)
def test_the_server_does_not_start_with_it(tmp_path: Path, setting: str, value: str) -> None:
    done = manage("check", tmp_path, **{setting: value})
    assert done.returncode == 1
    assert done.stderr.startswith(setting)
    assert "Traceback" not in done.stderr


def test_a_debugging_server_does_not_start_on_a_public_address(tmp_path: Path) -> None:
    done = manage("check", tmp_path, DEBUG="1")
    assert (done.returncode, done.stderr.partition(" ")[0]) == (1, "DEBUG")


def test_djangos_check_for_deployment_is_clean(tmp_path: Path) -> None:
    done = manage("check --deploy --fail-level WARNING", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def manage(command: str, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """`manage.py` of a production set-up on an https address."""
    environment = {"PATH": os.environ["PATH"], "STATE_DIR": str(folder), "PUBLIC_URL": "https://lab.example", **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *command.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
