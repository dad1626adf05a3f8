"""The guide to the methods runs from its first block to its last, and its pictures are those that its blocks draw."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


def guide() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guide", ROOT / "docs" / "methods" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    import sys

    sys.modules["guide"] = module
    spec.loader.exec_module(module)
    return module


def test_every_block_of_the_guide_runs_and_draws_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = guide()
    names: dict[str, Any] = {}
    pictures = []
    for example in found.examples():
        found.run(example, names, tmp_path)
        pictures += [example.picture] if example.picture else []
    assert len(pictures) >= 10
    for name in pictures:
        drawn, kept = tmp_path / Path(name).name, ROOT / "docs" / "pictures" / "methods" / Path(name).name
        assert kept.is_file()
        if drawn.suffix == ".png":
            with Image.open(drawn) as one, Image.open(kept) as other:
                assert one.size == other.size
        else:
            assert drawn.read_bytes().startswith(b"<svg")


def test_no_picture_of_the_guide_is_left_over() -> None:
    shown = {Path(e.picture).name for e in guide().examples() if e.picture}
    assert {path.name for path in (ROOT / "docs" / "pictures" / "methods").iterdir()} == shown


def test_every_page_of_methods_is_reached_from_the_first() -> None:
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs" / "methods").glob("*.md")}
    assert pages == set(re.findall(r"\(methods/([\w-]+\.md)", text))
