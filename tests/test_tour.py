"""docs/tour.md stays true: its files exist, in one order, and import each other as it tells."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOUR = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
STOPS = re.findall(r"^\s*(\d+)\. `([^`]+)`", TOUR, re.M)
# "`a.py` imports `b.py`, `c.py` and `d.py`." may run over lines.
IMPORTS = [
    (file, re.findall(r"`([^`]+)`", named))
    for file, named in re.findall(r"`([^`]+\.py)` imports ((?:`[^`]+`|,|and|\s)+)\.", TOUR)
]


def test_the_tour_has_sixteen_stops_in_order_and_each_exists() -> None:
    assert [int(number) for number, _ in STOPS] == list(range(1, 17))
    assert not [file for _, file in STOPS if not (ROOT / file).is_file()]


def test_every_file_that_the_tour_names_exists() -> None:
    named = set(re.findall(r"`([^`\s]+/[^`\s]+\.\w+)`", TOUR))
    assert len(named) > 16
    assert not [file for file in named if not (ROOT / file).is_file()]


def test_the_imports_that_the_tour_tells_hold() -> None:
    assert len(IMPORTS) == TOUR.count("` imports `")
    told = [(file, other) for file, others in IMPORTS for other in others]
    assert not [f"{file} does not import {other}" for file, other in told if module(other) not in imported(file)]


def test_nearly_every_stop_is_tied_to_another() -> None:
    # Two need not be: the study file, and the model protocol, which imports nothing of ours but types and errors.
    tied = {file for file, _ in IMPORTS}
    assert {file for _, file in STOPS} - tied == {"fixtures/clevr_simulation.yaml", "analysis_core/models/base.py"}


def module(file: str) -> str:
    """studies/config.py -> studies.config"""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(file: str) -> set[str]:
    """Modules that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found
