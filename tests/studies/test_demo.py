"""The demo: a taken port is said so, the whole runs once to its report, and serves pages until it is stopped."""

from __future__ import annotations

import re
import signal
import socket
import urllib.request
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from django.core.management import call_command
from pytest_django import Settings

from studies import demo
from studies.config import read
from studies.management.commands import demo as command
from studies.models import Study, StudyVersion
from studies.processes import PortTaken, require_free_port
from studies.services.authoring import study_create
from tests import cast
from tests.terminal import Terminal


def test_a_taken_port_is_refused_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken, match=r"PORT=8001 make demo"):
            require_free_port(taken.getsockname()[1])


@pytest.fixture
def changed(settings: Settings) -> Study:
    """The demo's first study, to which a researcher has given another title."""
    settings.STATE_DIR.mkdir()
    text = (settings.BASE_DIR / demo.CLOSED).read_text(encoding="utf-8")
    return study_create(config=read(text).model_copy(update={"title": "Mine"}), owner=cast.researcher()).study


@pytest.mark.django_db
def test_a_demo_study_that_somebody_changed_is_left_as_it_is(
    changed: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        call_command("demo", once=True)
    assert stopped.value.code == 1
    assert "clevr-simulation has another definition" in capsys.readouterr().err
    assert (changed.version.config.title, changed.versions.count()) == ("Mine", 1)


class Served(Exception):
    """The demo has come to where it only serves."""


@pytest.mark.django_db
@pytest.mark.parametrize("fate", ["changed", "deleted"])
def test_the_demo_serves_on_whatever_became_of_a_study_of_its_own(
    fate: str, changed: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def delete(version: StudyVersion, *arguments: object) -> None:
        Study.objects.filter(pk=version.study_id).delete()
        version.runs.latest("pk")

    def serving() -> None:
        raise Served

    processes = MagicMock()
    processes.__enter__().check = serving
    monkeypatch.setattr(command, "Processes", lambda port: processes)
    monkeypatch.setattr(command, "require_free_port", lambda port: None)
    monkeypatch.setattr(command, "stop_on_terminate", lambda: None)
    monkeypatch.setattr(demo, "demo_precompute", delete)
    if fate == "deleted":
        monkeypatch.setattr(demo, "demo_study", once(changed.version, demo.Changed("none left")))
    monkeypatch.setattr(demo, "OPEN", demo.CLOSED)
    with pytest.raises(Served):
        call_command("demo")
    said = capsys.readouterr().out
    assert ("was deleted meanwhile" if fate == "deleted" else "left as it is") in said
    assert "Ctrl-C stops both processes" in said


def once(version: StudyVersion, then: Exception) -> MagicMock:
    """A function that returns the version, and from the second call on raises."""
    return MagicMock(side_effect=[version, then])


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
