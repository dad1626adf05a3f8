"""A whole study from its file to its report, in processes of their own: interrupted, killed, on both databases."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest

from tests.terminal import Terminal

pytestmark = pytest.mark.slow
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
# 4 items and 1 practice item; of each: input, U, C, P, two Rl. Rg depends on how many features the items share.
PER_ITEM = 6
FIVE = ["U", "U+C", "U+C+Rl", "U+C+Rl+Rg", "U+C+Rl+Rg+P"]


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.run("migrate", "-v0")
    made.run("study", "create", made.file)
    return made


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of a database of this test's own."""
    name = f"studies_test_{uuid4().hex[:12]}"
    try:
        connection = psycopg2.connect(f"{POSTGRES}/postgres", connect_timeout=2)
    except psycopg2.OperationalError:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES} (set TEST_POSTGRES_URL)")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES}/{name}"
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


def rows(terminal: Terminal, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(terminal.folder / "state/db.sqlite3", timeout=20) as database:
        return database.execute(query).fetchall()


def ready(terminal: Terminal) -> int:
    return int(str(rows(terminal, "SELECT count(*) FROM studies_artefact WHERE state = 'ready'")[0][0]))


def assert_all_ready_and_none_doubled(terminal: Terminal) -> None:
    status = terminal.status()
    assert status["precomputed"]
    assert (status["artefacts"]["wanted"], status["artefacts"]["leased"], status["artefacts"]["failed"]) == (0, 0, 0)
    per_stage = dict(rows(terminal, "SELECT stage, count(*) FROM studies_artefact GROUP BY stage"))
    assert per_stage["predictions"] == 2
    assert per_stage["path"] == 1
    assert sum(per_stage[stage] for stage in ("input", "U", "C", "P")) == 5 * 4  # type: ignore[misc]
    assert per_stage["Rl"] == 5 * 2
    named = "SELECT DISTINCT subject_kind, subject, stage, target FROM studies_artefact"
    assert len(rows(terminal, named)) == sum(per_stage.values())  # type: ignore[arg-type]


def test_file_to_report(terminal: Terminal) -> None:
    terminal.run("study", "precompute", "small", "--wait")
    assert_all_ready_and_none_doubled(terminal)
    terminal.run("study", "simulate", "small", "--policy", "competent:0.8", "--per-condition", "3", "--seed", "1")
    report = terminal.json("study", "report", "small", "--format", "json")
    assert report["simulated"] is True
    assert [condition["name"] for condition in report["conditions"]] == FIVE
    for condition in report["conditions"]:
        assert (condition["annotators"], condition["items"]) == (3, 4)
        assert len(condition["accuracy"]["per_annotator"]) == 3
    text, _ = terminal.run("study", "report", "small")
    assert text.startswith("SIMULATED")
    for name in FIVE:
        assert any(line.split()[0] == name for line in text.splitlines() if line.strip())


def test_a_study_goes_from_freeze_to_unblinding_by_its_verbs(terminal: Terminal) -> None:
    _, refused = terminal.run("study", "freeze", "small", code=1)
    assert "precompute" in refused
    terminal.run("study", "precompute", "small", "--wait")
    terminal.run("study", "freeze", "small")
    _, refused = terminal.run("study", "close", "small", code=1)
    assert "frozen" in refused
    terminal.run("study", "open", "small")
    links, _ = terminal.run("study", "invite", "small", "--count", "3")
    assert len(set(links.split())) == 3
    assert all("/s/small/" in link for link in links.split())
    table, _ = terminal.run("study", "invite", "small", "--count", "2", "--csv")
    assert len(table.strip().splitlines()) == 3
    terminal.run("study", "revoke", "small", links.split()[0])
    terminal.run("study", "close", "small")
    _, refused = terminal.run("study", "invite", "small", "--count", "1", code=1)
    assert "nobody could use a link" in refused
    terminal.run("study", "unblind", "small")
    audit = terminal.json("study", "audit", "small", "--json")
    assert audit["intact"]
    assert [entry["act"] for entry in audit["entries"]] == ["freeze", "open", "close", "unblind"]


def test_the_first_verb_makes_the_embedded_database(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    _, refused = terminal.run("study", "status", "small", code=1)
    assert refused.splitlines() == ["making the database (first use)", "no study 'small'; there are: none"]
    assert (tmp_path / "state/db.sqlite3").exists()


def test_a_reader_that_has_enough_is_no_error(terminal: Terminal) -> None:
    process = terminal.start("study", "schema")
    assert process.stdout is not None
    process.stdout.close()
    _, message = process.communicate(timeout=60)
    assert message == ""


def test_killed_in_the_middle_the_precomputation_goes_on_and_doubles_nothing(terminal: Terminal) -> None:
    for goal in (2, 10):  # once in the explanations' early rows, once later
        process = terminal.start("study", "precompute", "small", "--wait")
        while ready(terminal) < goal and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    before = dict(rows(terminal, "SELECT id, published FROM studies_artefact WHERE state = 'ready'"))
    terminal.run("study", "precompute", "small", "--wait")
    assert_all_ready_and_none_doubled(terminal)
    after = dict(rows(terminal, "SELECT id, published FROM studies_artefact"))
    assert all(after[key] == published for key, published in before.items())  # nothing was computed twice


def test_ctrl_c_hands_the_work_back_at_once(terminal: Terminal) -> None:
    process = terminal.start("study", "precompute", "small", "--wait")
    terminal.wait_until(lambda: ready(terminal) >= 4 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in message
    assert rows(terminal, "SELECT count(*) FROM studies_artefact WHERE state = 'leased'") == [(0,)]
    terminal.run("study", "precompute", "small", "--wait")
    assert_all_ready_and_none_doubled(terminal)


def test_a_killed_celery_worker_is_followed_by_another_that_goes_on(terminal: Terminal) -> None:
    terminal.run("study", "precompute", "small")
    worker = start_worker(terminal)
    try:
        terminal.wait_until(lambda: ready(terminal) >= 6 or worker.poll() is not None)
    finally:
        worker.kill()
        worker.communicate()
    assert not terminal.status()["precomputed"]
    worker = start_worker(terminal)
    try:
        terminal.wait_until(lambda: terminal.status()["precomputed"], seconds=240)
    finally:
        worker.terminate()
        worker.communicate(timeout=60)
    assert_all_ready_and_none_doubled(terminal)


def test_the_same_study_runs_on_postgresql(tmp_path: Path, postgres: str) -> None:
    terminal = Terminal(tmp_path, {"DATABASE_URL": postgres})
    terminal.run("migrate", "-v0")
    terminal.run("study", "create", terminal.file)
    terminal.run("study", "precompute", "small", "--wait")
    terminal.run("study", "simulate", "small", "--policy", "guesser")
    report = json.loads(terminal.run("study", "report", "small", "--format", "json")[0])
    assert [condition["annotators"] for condition in report["conditions"]] == [3] * 5


def start_worker(terminal: Terminal) -> subprocess.Popen[str]:
    options = ("--pool", "solo", "--queues", "cpu", "--without-gossip", "--without-mingle")
    return terminal.start("celery", "--quiet", "-A", "studyapp", "worker", *options, module=True)
