"""The documentation says what is there: settings, keys of the study file, verbs, files, tests, the models' figures."""

from __future__ import annotations

import ast
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from studies.config import StudyConfig, json_schema, read
from studies.management.commands.study import Command

ROOT = Path(__file__).resolve().parents[1]
GUIDES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CHECKPOINTS = sorted((ROOT / "fixtures" / "checkpoints").glob("*/record.json"))
FOLDERS = ("analysis_core", "studies", "studyapp", "fixtures", "tests", "docs", "benchmarks", ".ci")


def test_every_setting_is_explained_and_every_explained_setting_is_read() -> None:
    assert settings_table().keys() == settings_read().keys()


def test_the_defaults_of_settings_are_those_of_the_code() -> None:
    table = settings_table()
    for name, default in settings_read().items():
        if isinstance(default, bool | int) or (isinstance(default, str) and default):
            assert f"`{str(default).lower()}`" == table[name].lower(), name


def test_every_key_of_the_study_file_is_explained() -> None:
    documented = dict(rows(ROOT / "docs" / "study-file.md"))
    keys = dict(schema_keys(json_schema()))
    parts = {path.rpartition(".")[0].removesuffix("[]") for path in keys}
    # A part ("stages", "stages.U") is explained by the keys in it, unless it has a row of its own.
    assert not {path for path in keys if path not in documented and path not in parts}
    assert not {path for path in documented if path not in keys}


def test_the_defaults_of_the_study_file_are_those_of_the_schema() -> None:
    documented = dict(rows(ROOT / "docs" / "study-file.md"))
    for path, default in schema_keys(json_schema()):
        if isinstance(default, str | int | float) and path in documented:
            assert documented[path].strip("`") == str(default), path


@pytest.mark.parametrize("file", sorted((ROOT / "fixtures").glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_study_files_are_valid(file: Path) -> None:
    assert isinstance(read(file.read_text(encoding="utf-8")), StudyConfig)


def test_study_files_shown_in_the_documentation_are_valid() -> None:
    blocks = [block for guide in GUIDES for block in re.findall(r"^```yaml\n(.*?)^```", text_of(guide), re.M | re.S)]
    whole = [block for block in blocks if block.startswith("study:")]
    assert len(whole) >= 4
    for block in whole:
        read(block)


def test_the_readme_lists_every_verb_and_no_other() -> None:
    parser = ArgumentParser()
    Command().add_arguments(parser)
    (verbs,) = [set(action.choices) for action in parser._actions if action.dest == "verb" and action.choices]
    assert {row[0].split()[0] for row in rows(ROOT / "README.md", "verb")} == verbs


def test_every_option_of_every_verb_is_explained() -> None:
    parser = ArgumentParser()
    Command().add_arguments(parser)
    (verbs,) = [dict(action.choices) for action in parser._actions if action.dest == "verb" and action.choices]
    options = [(verb, option) for verb, each in verbs.items() for option in each._actions]
    assert not [f"{verb} {option.dest}" for verb, option in options if not option.help]


def test_files_that_the_documentation_names_exist() -> None:
    missing = [f"{guide.name}: {path}" for guide in GUIDES for path in paths_in(guide) if not (ROOT / path).exists()]
    assert not missing


def test_links_between_documents_lead_somewhere() -> None:
    for guide in GUIDES:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(guide)):
            assert "://" in target or (guide.parent / target).exists(), f"{guide.name}: {target}"


def test_make_has_every_target_that_the_documentation_names() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.M))
    named = {word for guide in GUIDES for word in re.findall(r"(?:^|`)make ([a-z]+)", text_of(guide), re.M)}
    assert {"demo", "test"} <= named <= targets


def test_documents_name_no_folder_of_somebodys_machine() -> None:
    assert not [guide.name for guide in GUIDES if re.search(r"(?<![\w.])/(home|root|work|Users|tmp)/", text_of(guide))]


def test_tests_that_the_documentation_names_exist() -> None:
    everything = known_tests()
    for guide in GUIDES:
        named = set(re.findall(r"`(?:tests/\S*/)?(test_[a-z0-9_]+)(?:\.py)?`", text_of(guide)))
        assert named <= everything, guide.name


def test_decisions_are_short_and_name_their_guard() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [d.name[:4] for d in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for decision in decisions:
        text = text_of(decision)
        assert len(text.splitlines()) <= 40, decision.name
        for part in ("Problem", "Decision", "Consequence", "Guarded by"):
            assert f"**{part}**" in text, f"{decision.name}: {part}"
        assert re.search(r"`(tests/\S+\.py|test_\w+)`", text), f"{decision.name} names no test"


@pytest.mark.skipif(not CHECKPOINTS, reason="no checkpoint is shipped yet")
def test_the_figures_of_shipped_models_are_those_of_their_records() -> None:
    table = {(row[0].strip("`"), row[1]): row[2:] for row in rows(ROOT / "README.md", "checkpoint")}
    # checkpoint, row of the README -> path of the figure in the training record
    where = {
        ("clevr_cnn_lstm_sa", "generated scenes, held out"): ("held_out", "overall"),
        ("lxmert_scenes", "generated scenes, held out"): ("held_out", "overall"),
        ("nlvr_regions", "NLVR dev"): ("dev",),
        ("nlvr_regions", "NLVR dev, sentences not seen in training"): ("dev_without_sentences_seen_in_training",),
        ("nlvr_regions", "the same, spelling aside"): ("dev_without_sentences_seen_but_for_spelling",),
    }
    assert table.keys() == where.keys()
    assert {name for name, _ in where} == {file.parent.name for file in CHECKPOINTS}
    for (name, row), path in where.items():
        figure: Any = json.loads((ROOT / "fixtures" / "checkpoints" / name / "record.json").read_text(encoding="utf-8"))
        for key in path:
            figure = figure[key]
        low, high = figure["interval"]
        shown = [f"{figure['accuracy']:.3f}", f"{low:.3f} to {high:.3f}", f"{figure['n']:,}"]
        assert table[(name, row)] == shown, (name, row)


def settings_read() -> dict[str, Any]:
    """Environment variables that are read: name -> constant default (None where it is computed)."""
    found: dict[str, Any] = {}
    for file in ("settings.py", "env.py"):
        for node in ast.walk(ast.parse((ROOT / "studyapp" / file).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = ast.unparse(node.func)
            if called in ("env_str", "env_int", "env_bool", "env_list", "os.environ.get"):
                default = node.args[1] if len(node.args) > 1 else None
                found[node.args[0].value] = default.value if isinstance(default, ast.Constant) else None
    return found


def settings_table() -> dict[str, str]:
    """docs/settings.md: name -> default as written."""
    return {row[0].strip("`"): row[1] for row in rows(ROOT / "docs" / "settings.md", "name")}


def schema_keys(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every key path of the study file with its default: ("items.count", 20); in lists "conditions[].name"."""

    def below(node: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        for option in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from below(option, path)
        if "items" in node:
            yield from below(node["items"], f"{path}[]")
        for key, value in node.get("properties", {}).items():
            inner = f"{path}.{key}" if path else key
            yield inner, value.get("default")
            yield from below(value, inner)

    yield from below(schema, "")


def rows(guide: Path, head: str | None = None) -> list[Any]:
    """Cells of the rows of tables; with `head` of those whose first column has this name, else (key, default) pairs."""
    found: list[Any] = []
    current = ""
    lines = text_of(guide).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("|") or set(line) <= set("|-: "):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if following and set(following) <= set("|-: "):
            current = cells[0]
        elif head is None and current == "key":
            found.append((cells[0].strip("`"), cells[1]))
        elif head is not None and current == head:
            found.append([cells[0].strip("`"), *cells[1:]])
    return found


def paths_in(guide: Path) -> Iterator[str]:
    """Paths of the project in back quotes; what git ignores (generated files) and patterns are not checked."""
    for quoted in re.findall(r"`([^`\s]+)`", text_of(guide)):
        if quoted.split("/")[0] in FOLDERS and "/" in quoted and not re.search(r"[*<>{}:]|NNNN", quoted):
            yield quoted


@cache
def text_of(guide: Path) -> str:
    """The document's text."""
    return guide.read_text(encoding="utf-8")


def known_tests() -> set[str]:
    """Names of test functions and of test modules."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        found |= {file.stem, *re.findall(r"^\s*def (test_\w+)", file.read_text(encoding="utf-8"), re.M)}
    return found
