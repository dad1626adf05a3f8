"""The plan of the house, held by reading the source: who may import whom, and what may occur nowhere."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("analysis_core", "studies", "studyapp")
MOST_LINES = 300
#: Longer than MOST_LINES for now, each with a ceiling: they may shrink and leave this table, but not grow past it.
OVERLONG = {
    "tests/analysis_core/models/test_nlvr_regions.py": 320,
    "tests/analysis_core/training/nlvr_interpreter.py": 320,
}
#: What studies may import of analysis_core outside the seam: registries, errors and the torch-free statistics.
TORCH_FREE = ("analysis_core.models", "analysis_core.datasets", "analysis_core.errors")
STATISTICS = "analysis_core.statistics"
SEAM = "studies/engine/"


def test_the_computing_half_knows_nothing_of_the_web_half() -> None:
    strangers = ("django", "rest_framework", "celery", "studies", "studyapp")
    assert not [hit for file in sources("analysis_core") for hit in imports_of(file, strangers)]


def test_only_the_engine_imports_the_torch_side_of_the_computing_half() -> None:
    wrong = []
    for file in sources("studies", "studyapp"):
        if name(file).startswith(SEAM):
            continue
        allowed = set(TORCH_FREE)
        if name(file).startswith("studies/reports/"):
            allowed |= {STATISTICS}
        for module, names in imported(file):
            if module == "analysis_core":
                wrong += [f"{name(file)}: {module}.{n}" for n in names if f"{module}.{n}" not in allowed]
            elif module.startswith("analysis_core.") and module not in allowed:
                wrong.append(f"{name(file)}: {module}")
    assert not wrong


def test_nothing_but_the_engine_imports_torch_itself() -> None:
    heavy = ("torch", "transformers", "safetensors", "sklearn", "pandas", "skimage")
    assert not [
        hit for f in sources("studies", "studyapp") if not name(f).startswith(SEAM) for hit in imports_of(f, heavy)
    ]


@pytest.mark.parametrize("folder", ["datasets", "statistics"])
def test_datasets_and_statistics_import_no_torch(folder: str) -> None:
    assert not [hit for file in sources(f"analysis_core/{folder}") for hit in imports_of(file, ("torch",))]


def test_pictures_know_types_and_neither_models_nor_stages() -> None:
    others = ("analysis_core.models", "analysis_core.stages", "analysis_core.datasets", "analysis_core.pipeline")
    assert not [hit for file in sources("analysis_core/visualizations") for hit in imports_of(file, others)]


def test_services_import_tasks_only_where_workers_are_rung() -> None:
    importers = [name(f) for f in sources("studies/services") if list(imports_of(f, ("studies.tasks",)))]
    assert importers == ["studies/services/ringing.py"]


def test_services_and_pages_import_no_views() -> None:
    files = [*sources("studies/services"), *sources("studies/reports"), ROOT / "studies/pages.py"]
    assert not [hit for file in files for hit in imports_of(file, ("studies.views",))]


def test_models_import_no_services_pages_or_engine() -> None:
    above = ("studies.services", "studies.pages", "studies.engine", "studies.views", "studies.tasks", "studies.reports")
    assert not [hit for file in sources("studies/models") for hit in imports_of(file, above)]


def test_the_study_file_is_read_without_the_database() -> None:
    orm = ("django", "studies.models", "studies.services")
    files = [ROOT / "studies/config.py", ROOT / "studies/yaml_strict.py"]
    assert not [hit for file in files for hit in imports_of(file, orm)]


def test_the_two_worlds_do_not_import_each_other() -> None:
    assert not [h for f in sources("studies/views/annotator") for h in imports_of(f, ("studies.views.researcher",))]
    assert not [h for f in sources("studies/views/researcher") for h in imports_of(f, ("studies.views.annotator",))]


def test_annotators_templates_are_rendered_by_annotators_views_only() -> None:
    naming = [name(f) for f in sources("studies") if any(text.startswith("annotator/") for text in texts_of(f))]
    assert naming
    assert not [file for file in naming if not file.startswith("studies/views/annotator/")]


def test_annotators_views_look_at_no_artefact_or_item_themselves() -> None:
    # What an annotator gets is made by pages.py: a view that fetched items could show more than the condition allows.
    models = {"Artefact", "Item", "Condition", "Answer"}
    for file in sources("studies/views/annotator"):
        taken = {n for module, names in imported(file) if module.startswith("studies.models") for n in names}
        assert not taken & models, name(file)


def test_no_file_is_named_after_having_no_subject() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "misc"}
    everything = [*sources(*PACKAGES), *sources("tests"), *sources("benchmarks")]
    assert not [name(f) for f in everything if nameless & {f.stem, *f.relative_to(ROOT).parts}]


def test_every_module_says_what_lives_in_it() -> None:
    files = [*sources(*PACKAGES), *sources("tests"), *sources("benchmarks")]
    assert not [name(f) for f in files if tree(f).body and not ast.get_docstring(tree(f))]


def test_no_file_is_too_long_to_have_one_subject() -> None:
    for file in [*sources(*PACKAGES), *sources("tests"), *sources("benchmarks")]:
        lines = len(file.read_text(encoding="utf-8").splitlines())
        assert lines <= OVERLONG.get(name(file), MOST_LINES), f"{name(file)} has {lines} lines"


def test_the_table_of_long_files_names_no_file_that_has_become_short() -> None:
    lengths = {file: len((ROOT / file).read_text(encoding="utf-8").splitlines()) for file in OVERLONG}
    assert {file: n for file, n in lengths.items() if n <= MOST_LINES} == {}


def test_nothing_is_unpickled_trusted_or_exempted() -> None:
    found = []
    for file in [*sources(*PACKAGES), *sources("benchmarks"), ROOT / "manage.py"]:
        found += imports_of(file, ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"))
        found += [f"{name(file)}: {what}" for node in ast.walk(tree(file)) for what in dangers(node)]
    assert not found


def test_a_web_process_loads_neither_torch_nor_the_heavy_tables(tmp_path: Path) -> None:
    # Migrations run in the same process: what they load would count as well.
    program = """
import json, sys
import studyapp.wsgi
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
import studies.tasks  # loaded by Celery in any process that rings a worker
assert len(get_resolver().url_patterns) > 0
call_command("migrate", verbosity=0)
statuses = [Client().get(path, headers={"host": "127.0.0.1"}).status_code for path in ("/", "/healthz")]
heavy = ("torch", "pandas", "scipy.stats", "transformers", "sklearn", "skimage")
print(json.dumps([statuses, [module for module in heavy if module in sys.modules]]))
"""
    environment = {**os.environ, "STATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "studyapp.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    # "/" sends a stranger to the login page.
    assert done.stdout.strip().splitlines()[-1] == "[[302, 200], []]"


def sources(*folders: str) -> list[Path]:
    """Python files below folders of the project, migrations left out."""
    found = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return [file for file in found if "migrations" not in file.parts]


def name(file: Path) -> str:
    """A file's path inside the project."""
    return file.relative_to(ROOT).as_posix()


@cache
def tree(file: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=name(file))


def imported(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every import of a file, inside functions too: (module, names taken from it)."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(file)}: imports are written in full"
            yield str(node.module), tuple(alias.name for alias in node.names)


def imports_of(file: Path, prefixes: tuple[str, ...]) -> Iterator[str]:
    """Imports of any of some modules or of what lies below them; `TYPE_CHECKING` blocks are left out."""
    only_types = {
        inner
        for node in ast.walk(tree(file))
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree(file)):
        if node in only_types:
            continue
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for prefix in prefixes:
            if any(module == prefix or module.startswith(f"{prefix}.") for module in modules):
                yield f"{name(file)}: {prefix}"


def texts_of(file: Path) -> Iterator[str]:
    """String constants of a file."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def dangers(node: ast.AST) -> Iterator[str]:
    """What reads foreign code, or takes protection away."""
    if isinstance(node, ast.Attribute) and ast.unparse(node) in ("torch.load", "torch.jit.load", "torch.hub.load"):
        yield ast.unparse(node)
    if isinstance(node, ast.Name | ast.Attribute):
        word = node.id if isinstance(node, ast.Name) else node.attr
        if word in ("mark_safe", "csrf_exempt"):
            yield word
    if isinstance(node, ast.alias) and node.name in ("mark_safe", "csrf_exempt"):
        yield node.name
    if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "trust_remote_code"):
        yield from [str(node.arg)] if ast.unparse(node.value) != "False" else []
