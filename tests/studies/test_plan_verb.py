"""`study plan`: without a study and a database, from a study, from its pilot; for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from studies.reports import planning
from tests.studies.reports.answers import make_sheet, make_version, right

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _few_simulations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_STUDIES", 300)
    monkeypatch.setattr(planning, "TABLES", 5)
    monkeypatch.setattr(planning, "CURVE_TABLES", 2)


def test_it_prints_the_answer_first_and_tables_after_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("study", "plan", "--accuracies", ".55,.80", "--annotators", "8", "--minutes-per-item", "1.5")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("8 annotators per condition find .55 → .80 in ")
    heads = [line.split("  ")[0] for line in lines]
    for head in ("Condition", "condition 1", "In all", "Goal", "Annotators per condition"):
        assert head in heads


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("study", "plan", "--annotators", "6", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["request"]["annotators"] == [6]
    assert 0 < found["power"] < 1
    assert "charts" not in found


@pytest.mark.django_db
def test_a_study_gives_what_is_not_given(capsys: pytest.CaptureFixture[str]) -> None:
    version = make_version()
    call_command("study", "plan", "shapes", "--annotators", "6", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["request"]["conditions"] == [arm.name for arm in version.config.arms]
    assert (found["request"]["items"], found["request"]["annotators"]) == (20, [6])


@pytest.mark.django_db
def test_a_pilot_gives_the_standard_deviations(capsys: pytest.CaptureFixture[str]) -> None:
    version = make_version()
    for condition in ("U", "U+Rl"):
        for count in (8, 11, 15):
            make_sheet(version, condition, right(count), kind="pilot")
    call_command("study", "plan", "shapes", "--annotators", "6", "--pilot")
    assert "note: From pilot sheets of shapes (2 conditions" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--accuracies", "55"], "--accuracies: '55' is not 1 to 10 numbers"),
        (["--minutes-per-item", "x"], "--minutes-per-item: 'x' is not a number from 0 to 120."),
        (["--pilot"], "--pilot takes the sheets of a study"),
        (["nothing"], "no study 'nothing'"),
        (["shapes", "--pilot", "live"], "looked at after unblinding"),
        (["--file", "/nowhere/pilot.csv"], "/nowhere/pilot.csv"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_sheet(make_version(), "U", right(8))
    with pytest.raises(SystemExit) as ended:
        call_command("study", "plan", *arguments)
    assert ended.value.code == 1
    assert said in capsys.readouterr().err


def test_without_a_study_it_needs_no_database() -> None:
    environment = {**os.environ, "DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}
    command = [sys.executable, "manage.py", "study", "plan", "--accuracies", ".7", "--annotators", "3", "--items", "4"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("With one condition there is nothing to compare")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_a_sentence() -> None:
    command = [sys.executable, "manage.py", "study", "schema"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "the result cannot be written: No space left on device"
    assert "Traceback" not in done.stderr
