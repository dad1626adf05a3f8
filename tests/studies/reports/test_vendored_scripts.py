"""Vega as it is kept in this repository: the version that charts are compiled for, unchanged, with its licence."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import vl_convert

VENDOR = Path(__file__).resolve().parents[3] / "studies/static/studies/vendor"


def test_the_browsers_vega_is_the_one_that_charts_are_compiled_for() -> None:
    assert [file.name for file in VENDOR.glob("vega-[0-9]*.js")] == [f"vega-{vl_convert.get_vega_version()}.min.js"]


def test_the_page_loads_the_files_that_are_there() -> None:
    script = (VENDOR.parent / "vega_views.js").read_text(encoding="utf-8")
    loaded = set(re.findall(r'import\("\./vendor/([^"]+)"\)', script))
    assert loaded == {file.name for file in VENDOR.glob("*.js")}


def test_vendored_files_have_the_hashes_that_are_written_beside_them() -> None:
    table = (VENDOR / "README.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", table, re.MULTILINE))
    assert written == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in VENDOR.glob("*.js")}


def test_licences_are_kept_with_the_files() -> None:
    assert "University of Washington Interactive Data Lab" in (VENDOR / "LICENSE-vega.txt").read_text(encoding="utf-8")
    bundled = (VENDOR / "LICENSE-bundled.txt").read_text(encoding="utf-8")
    assert all(holder in bundled for holder in ("Mike Bostock", "Observable, Inc.", "Mapbox", "Michael Bostock"))
