"""A changed dataset folder has another fingerprint; a copy of it has the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analysis_core.datasets.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    (root / "images").mkdir(parents=True)
    (root / "questions.json").write_text('{"question": "How many?"}')
    (root / "images/a.png").write_bytes(b"picture")
    return root


def test_a_copy_has_the_same_fingerprint(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    assert fingerprint(copy) == fingerprint(folder)


def test_a_changed_question_changes_the_fingerprint(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "questions.json").write_text('{"question": "How many!"}')
    assert fingerprint(folder) != before


def test_a_new_or_resized_picture_changes_the_fingerprint(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "images/a.png").write_bytes(b"another picture")
    resized = fingerprint(folder)
    (folder / "images/b.png").write_bytes(b"")
    assert len({before, resized, fingerprint(folder)}) == 3


def test_lock_files_do_not_count(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / ".val.lock").touch()
    assert fingerprint(folder) == before
