"""`study export`: the zip on disk, refused and logged by the rule of the report."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.studies.reports.answers import make_sheet, make_version

pytestmark = pytest.mark.django_db


def test_it_writes_a_zip_and_logs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA", kind="simulated")
    call_command("study", "export", "shapes", "-o", str(tmp_path / "data.zip"))
    assert "answers.csv" in zipfile.ZipFile(tmp_path / "data.zip").namelist()
    assert [entry.act for entry in version.study.audit.all()] == ["export"]
    assert "written to" in capsys.readouterr().out


def test_live_answers_stay_where_they_are_until_unblinding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    version = make_version(count=4)
    make_sheet(version, "U", "AAAA")
    with pytest.raises(SystemExit) as exit_code:
        call_command("study", "export", "shapes", "-o", str(tmp_path / "data.zip"))
    assert exit_code.value.code == 1
    assert "shown after unblinding" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.zip*"))
    call_command("study", "export", "shapes", "-o", str(tmp_path / "data.zip"), "--peek")
    assert [entry.act for entry in version.study.audit.all()] == ["peek", "export"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_version(count=4)
    with pytest.raises(SystemExit):
        call_command("study", "export", "shapes", "-o", str(tmp_path / "nowhere" / "data.zip"))
    assert "nowhere/data.zip: No such file or directory" in capsys.readouterr().err
