"""The demo: a taken port is said so, the whole runs once to its report, and serves pages until it is stopped."""

from __future__ import annotations

import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from studies import demo
from studies.processes import PortTaken, require_free_port
from studies.services.authoring import StudyExists
from tests.terminal import Terminal


def test_a_taken_port_is_refused_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken, match=r"PORT=8001 make demo"):
            require_free_port(taken.getsockname()[1])


@pytest.mark.django_db
def test_a_demo_study_that_cannot_take_a_changed_file_is_said_so_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.STATE_DIR.mkdir()

    def exists(*arguments: object) -> None:
        raise StudyExists("the study clevr-simulation is unblinded with another definition")

    monkeypatch.setattr(demo, "demo_study", exists)
    with pytest.raises(SystemExit) as stopped:
        call_command("demo", once=True)
    assert stopped.value.code == 1
    assert "unblinded with another definition" in capsys.readouterr().err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_the_demo_refuses_a_taken_port_and_changes_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        terminal = Terminal(tmp_path, {"PORT": str(taken.getsockname()[1])})
        _, message = terminal.run("demo", code=1)
    assert "cannot be used" in message
    assert not (tmp_path / "state/db.sqlite3").exists()


@pytest.mark.slow
def test_the_demo_serves_its_first_page_before_anything_is_computed_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_port()
    terminal = Terminal(tmp_path, {"PORT": str(port), "PYTHONUNBUFFERED": "1"})
    demo = terminal.start("demo")
    assert demo.stdout is not None
    lines = [demo.stdout.readline(), demo.stdout.readline()]
    assert re.match(r"first page after \d+\.\d s", lines[0])
    assert f"http://127.0.0.1:{port}/" in lines[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/") as response:
        assert response.status == 200
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=60)
    assert demo.returncode == 0
    require_free_port(port)
