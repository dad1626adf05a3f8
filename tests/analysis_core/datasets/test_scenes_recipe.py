"""A recipe makes missing splits: once, whole, and again after an interruption."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from analysis_core.datasets.clevr import Clevr
from analysis_core.datasets.scenes import recipe, write
from analysis_core.errors import BadData

SMALL = {"generator": "scenes", "seed": 5, "size": 96, "splits": {"val": {"scenes": 6, "questions_per_scene": 4}}}


@pytest.fixture
def root(tmp_path):
    (tmp_path / "recipe.json").write_text(json.dumps(SMALL))
    return tmp_path


def digest(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return hashlib.sha256(b"".join(str(p.relative_to(root)).encode() + p.read_bytes() for p in files)).hexdigest()


def test_a_missing_split_is_generated_and_the_second_opening_changes_nothing(root):
    assert len(Clevr(root, "val")) == 24
    first = digest(root)
    written = (root / "questions/CLEVR_val_questions.json").stat().st_mtime_ns
    assert len(Clevr(root, "val")) == 24
    assert digest(root) == first
    assert (root / "questions/CLEVR_val_questions.json").stat().st_mtime_ns == written
    assert not (root / ".val.part").exists()


def test_the_files_are_the_same_bytes_on_another_machine(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "recipe.json").write_text(json.dumps(SMALL))
    Clevr(root, "val"), Clevr(other, "val")
    assert digest(root) == digest(other)


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_an_interrupted_generation_is_made_again_cleanly(root, tmp_path_factory, monkeypatch, renames):
    replace, done = os.replace, []

    def interrupted(source, target):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(target)
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(recipe.os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            Clevr(root, "val")
    assert not (root / "questions/CLEVR_val_questions.json").exists()
    assert len(Clevr(root, "val")) == 24
    whole = tmp_path_factory.mktemp("whole")
    (whole / "recipe.json").write_text(json.dumps(SMALL))
    Clevr(whole, "val")
    assert digest(root) == digest(whole)


def test_an_interruption_while_drawing_leaves_no_split_and_no_picture(root, monkeypatch):
    def broken(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(write, "_question_fields", broken)
        with pytest.raises(KeyboardInterrupt):
            Clevr(root, "val")
    assert not (root / "images").exists()
    assert len(Clevr(root, "val")) == 24


def _open(root: Path) -> None:
    assert len(Clevr(root, "val")) == 24


def test_two_processes_may_ask_at_once(root):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_open, args=(root,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]


def test_a_folder_that_cannot_be_written_is_named(root, monkeypatch):
    # Root may write anywhere, so the system's refusal is simulated where a mode would not give it.
    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(recipe.fcntl, "flock", refuse)
    with pytest.raises(BadData, match="cannot be generated in this folder: Read-only file system") as caught:
        Clevr(root, "val")
    assert caught.value.file == str(root)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into a read-only folder")
def test_a_read_only_folder_is_named(root):
    root.chmod(0o500)
    try:
        with pytest.raises(BadData, match="cannot be generated in this folder"):
            Clevr(root, "val")
    finally:
        root.chmod(0o700)


def test_a_read_only_folder_whose_split_is_there_can_be_read(root, monkeypatch):
    Clevr(root, "val")
    monkeypatch.setattr(recipe, "_make", lambda *arguments: pytest.fail("nothing is to be made"))
    assert len(Clevr(root, "val")) == 24


def test_a_changed_recipe_is_noticed(root):
    Clevr(root, "val")
    (root / "recipe.json").write_text(json.dumps({**SMALL, "seed": 6}))
    with pytest.raises(BadData, match="another recipe"):
        Clevr(root, "val")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"generator": "blender"}, "generator"),
        ({"size": 128}, "size"),
        ({"splits": []}, "splits"),
        ({"seed": "one"}, "seed"),
        ({"splits": {"val": {"scenes": 0, "questions_per_scene": 8}}}, "scenes"),
        ({"splits": {"val": {"scenes": 3}}}, "questions_per_scene"),
    ],
)
def test_a_wrong_recipe_names_its_field(root, change, field):
    (root / "recipe.json").write_text(json.dumps({**SMALL, **change}))
    with pytest.raises(BadData) as caught:
        Clevr(root, "val")
    assert caught.value.field == field


def test_a_split_outside_the_recipe_is_missing(root):
    with pytest.raises(BadData, match="split 'test' has no questions here"):
        Clevr(root, "test")
