"""The guide to the methods runs from its first block to its last; its pictures and printed results are the blocks'."""

from __future__ import annotations

import base64
import importlib.util
import io
import itertools
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures" / "methods"
#: Levels of 255, the mean over a picture: maps of real numbers differ in a few pixels from processor to processor. The
#: two most similar pictures of the guide are 1.9 apart.
LEVELS = 0.5
#: Pixels of an SVG's 560 or more.
COORDINATE = 1.0
#: Pages without a picture, and why.
WITHOUT = {
    "alignment_pictures.md": "experiments on data sets, whose results are tables; curvature.md has map and boxes"
}


def guide() -> ModuleType:
    spec = importlib.util.spec_from_file_location("guide", ROOT / "docs" / "methods" / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules["guide"] = module
    spec.loader.exec_module(module)
    return module


def test_every_block_of_the_guide_draws_its_picture_and_prints_its_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    found = guide()
    names: dict[str, Any] = {}
    wrong = []
    for example in found.examples():
        printed = found.run(example, names, tmp_path)
        place = f"{example.page}, line {example.line}"
        if example.printed is not None and (text := difference_of_texts(printed, example.printed)):
            wrong.append(f"{place}: {text}")
        if example.picture and (text := difference(tmp_path, PICTURES, Path(example.picture).name)):
            wrong.append(f"{place}: {text}")
    assert not wrong


def test_every_page_of_methods_has_a_picture_or_a_reason() -> None:
    shown = {Path(e.page).name for e in guide().examples() if e.picture}
    pages = {"methods.md", *(path.name for path in (ROOT / "docs" / "methods").glob("*.md"))}
    assert pages - shown == WITHOUT.keys()


def test_no_picture_of_the_guide_is_left_over() -> None:
    shown = [Path(e.picture).name for e in guide().examples() if e.picture]
    assert len(set(shown)) == len(shown)
    assert {path.name for path in PICTURES.iterdir()} == set(shown)


def test_every_page_of_methods_is_reached_from_the_first() -> None:
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs" / "methods").glob("*.md")}
    assert pages == set(re.findall(r"\(methods/([\w-]+\.md)", text))


def test_no_picture_passes_for_another_one(tmp_path: Path) -> None:
    for ending in ("png", "svg"):
        for one, other in itertools.permutations(sorted(PICTURES.glob(f"*.{ending}")), 2):
            shutil.copy(other, tmp_path / one.name)
            assert difference(tmp_path, PICTURES, one.name), (one.name, other.name)


def test_a_missing_picture_and_a_changed_one_are_found_and_round_off_is_not(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(PICTURES / "saliency.png").convert("RGB")).astype(int)
    assert "no such picture" in difference(PICTURES, tmp_path, "saliency.png")
    for change, is_found in ((np.s_[::97, ::5], False), (np.s_[100:180, 40:120], True)):
        changed = picture.copy()
        changed[change] = (changed[change] + 40) % 256
        Image.fromarray(changed.astype(np.uint8)).save(tmp_path / "saliency.png")
        assert bool(difference(PICTURES, tmp_path, "saliency.png")) is is_found
    card = (PICTURES / "graph.svg").read_text(encoding="utf-8")
    number, name = re.search(r">[^<]*?(\d+\.\d+)<", card), re.search(r"feature \d+", card)
    assert number is not None
    assert name is not None
    nearly = f"{float(number[1]) + 1e-9:.{len(number[1].partition('.')[2])}f}"
    for old, new, is_found in (
        (number[1], nearly, False),
        (number[1], f"{float(number[1]) + 1:.3f}", True),
        (name[0], "feature 9999", True),
        ("#", "#0", True),
    ):
        (tmp_path / "graph.svg").write_text(card.replace(old, new, 1), encoding="utf-8")
        assert bool(difference(PICTURES, tmp_path, "graph.svg")) is is_found, new


def test_printed_numbers_may_differ_in_their_last_place_and_words_and_whole_numbers_not() -> None:
    shown = "image 0.36, text -0.60 passes with 12 of 20\n"
    assert not difference_of_texts(shown.replace("0.36", "0.37"), shown)
    for old, new in (("0.36", "0.38"), ("-0.60", "0.60"), ("12", "13"), ("passes", "fails"), ("\n", "\nmore\n")):
        assert difference_of_texts(shown.replace(old, new), shown), new


def difference(drawn: Path, kept: Path, name: str) -> str:
    """In what two folders' pictures of one name differ, in words; empty where they are the same."""
    if not (kept / name).is_file():
        return f"{name}: there is no such picture in {kept.name}"
    one, other = (drawn / name).read_bytes(), (kept / name).read_bytes()
    found = difference_of_svgs(one.decode(), other.decode()) if name.endswith("svg") else difference_of_pngs(one, other)
    return f"{name}: {found}" if found else ""


def difference_of_pngs(one: bytes, other: bytes) -> str:
    with Image.open(io.BytesIO(one)) as a, Image.open(io.BytesIO(other)) as b:
        if a.size != b.size:
            return f"{a.size} pixels, not {b.size}"
        x, y = (np.asarray(picture.convert("RGBA"), dtype=float) for picture in (a, b))
    mean = float(np.abs(x - y).max(axis=2).mean())
    return f"pixels differ by {mean:.2f} levels on average" if mean > LEVELS else ""


def difference_of_svgs(one: str, other: str) -> str:
    """Words as in printed results, coordinates within COORDINATE, pictures inside as PNGs are, and all else exactly."""
    embedded = re.compile(r"data:image/png;base64,([^\"]+)")
    pictures = zip(embedded.findall(one), embedded.findall(other), strict=False)
    if found := next(filter(None, (difference_of_pngs(*map(base64.b64decode, pair)) for pair in pictures)), ""):
        return found
    one, other = (embedded.sub("", text) for text in (one, other))
    words = re.compile(r">([^<]+)")
    said = ["\n".join(words.findall(text)) for text in (one, other)]
    return difference_of_texts(*said) or _difference(words.sub(">", one), words.sub(">", other), lambda _: COORDINATE)


def difference_of_texts(one: str, other: str) -> str:
    """Numbers with decimals may differ by one and a half of their last place; whole numbers and words may not."""
    return _difference(one, other, lambda shown: 1.5 * 10.0 ** -len(shown.partition(".")[2]) if "." in shown else 0.0)


def _difference(one: str, other: str, allowed: Any) -> str:
    # A colour is a word, whatever digits it has.
    pieces = re.compile(r"(#\w+|-?\d+(?:\.\d+)?)")
    a, b = pieces.split(one), pieces.split(other)
    if len(a) != len(b):
        return f"{one!r:.300} instead of {other!r:.300}"
    for x, y in zip(a, b, strict=True):
        is_number = re.fullmatch(r"-?\d.*", y) and re.fullmatch(r"-?\d.*", x)
        if x != y and not (is_number and abs(float(x) - float(y)) <= allowed(y)):
            return f"{x!r:.80} instead of {y!r:.80} in {other!r:.300}"
    return ""
