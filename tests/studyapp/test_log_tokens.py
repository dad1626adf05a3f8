"""Tokens of links do not reach the log."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from studyapp.log_tokens import MaskTokens, masked


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Forbidden: /s/small/eqbfp3d7q6wbbb7zcswhum6x/", "Forbidden: /s/small/.../"),
        ("Not Found: /r/oebvohza47dq22cj4cnflby5zvh57ab3/", "Not Found: /r/.../"),
        ("Not Found: /m/3-abcdef", "Not Found: /m/..."),
        ("GET /studies/small/report/", "GET /studies/small/report/"),
        ("Not Found: /s/small/?PROLIFIC_PID=5f3c&STUDY_ID=1", "Not Found: /s/small/?..."),
        ('"GET /s/small/eqbfp3d7?PROLIFIC_PID=5f3c HTTP/1.1" 200', '"GET /s/small/...?... HTTP/1.1" 200'),
        ("token mvs_AbC-d_9 was sent", "token mvs_... was sent"),
        ("What is this? A question.", "What is this? A question."),
    ],
)
def test_tokens_are_masked_and_the_rest_is_kept(line: str, expected: str) -> None:
    assert masked(line) == expected


def test_arguments_of_a_record_are_masked_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskTokens())
    handler.handle(logging.LogRecord("x", logging.WARNING, "", 0, "Forbidden: %s", ("/r/secret/",), None))
    assert stream.getvalue() == "Forbidden: /r/.../\n"


def test_tracebacks_are_masked_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(MaskTokens())
    try:
        raise ValueError("no sheet at /r/secret/?PROLIFIC_PID=5f3c")
    except ValueError:
        handler.handle(logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info()))
    assert "ValueError: no sheet at /r/.../?..." in stream.getvalue()
    assert "secret" not in stream.getvalue().replace('/r/secret/?PROLIFIC_PID=5f3c")', "")


def test_the_access_log_names_nobody(tmp_path: Path) -> None:
    log, errors, port = tmp_path / "log", tmp_path / "errors", free_port()
    options = f"--bind 127.0.0.1:{port} --threads 1 --access-logfile {log} --error-logfile {errors}"
    command = f"-m gunicorn studyapp.wsgi {options} --logger-class studyapp.access_log.AccessLog"
    server = subprocess.Popen([sys.executable, *command.split()], env={**os.environ, "STATE_DIR": str(tmp_path)})
    try:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/schema/study.json?PROLIFIC_PID=5f3c",
            headers={"User-Agent": "Sherlock", "Referer": "/r/secret/"},
        )
        wait_for(lambda: urllib.request.urlopen(request).status == 200)  # noqa: S310
        wait_for(lambda: "schema" in log.read_text())
    finally:
        server.terminate()
        server.wait()
    line = log.read_text()
    assert '"GET /schema/study.json HTTP/1.1" 200' in line
    for private in ("127.0.0.1", "5f3c", "Sherlock", "secret"):
        assert private not in line


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(is_there: Callable[[], bool]) -> None:
    """Until it is so, at most a minute."""
    for _ in range(600):
        with contextlib.suppress(OSError):
            if is_there():
                return
        time.sleep(0.1)
    raise AssertionError("it never was")


def test_the_console_masks() -> None:
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["mask_tokens"]
    assert settings.LOGGING["loggers"]["django"]["handlers"] == []
