"""Studies made in the browser or through the API read what lies below DATA_ROOTS, and nothing of the platform's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings

from studies import config
from studies.data_roots import checkpoints_there, data_root_problems, datasets_there
from tests.cast import STUDY_FILE


@pytest.fixture
def project(settings: LazySettings, tmp_path: Path) -> Path:
    """A project folder with data beside it, and something secret outside of both."""
    base = tmp_path / "project"
    for folder in ("project/fixtures/demo", "project/var/media", "project/.git", "data/nlvr", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / "secret.md").write_text("secret")
    settings.BASE_DIR, settings.STATE_DIR, settings.MEDIA_ROOT = base, base / "var", base / "var" / "media"
    settings.DATA_ROOTS = [base, tmp_path / "data"]
    return base


def problems(**changes: str) -> dict[str, str]:
    values: dict[str, Any] = yaml.safe_load(STUDY_FILE)
    values["dataset"]["root"] = changes.get("root", "fixtures/demo")
    values["model"]["checkpoint"] = changes.get("checkpoint", "fixtures/demo")
    values["pages"]["consent"] = changes.get("consent", "auto")
    values["pages"]["instructions"] = changes.get("instructions", "auto")
    return {problem.path: problem.message for problem in data_root_problems(config.from_values(values))}


def test_what_lies_below_a_root_may_be_named_relatively_and_absolutely(project: Path) -> None:
    assert not problems(root="../data/nlvr", checkpoint=str(project / "fixtures/demo"), consent="fixtures/consent.md")


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../elsewhere",
        "fixtures/../../elsewhere",
        "/",
        "/etc",
        "../data/../elsewhere",
        "../data-beside",
    ],
)
def test_a_path_out_of_the_roots_is_refused(project: Path, path: str) -> None:
    assert "DATA_ROOTS" in problems(root=path)["dataset.root"]


def test_each_path_is_refused_at_its_key_whether_the_file_exists_or_not(project: Path) -> None:
    found = problems(checkpoint="/etc", consent="../elsewhere/secret.md", instructions="../elsewhere/nothing.md")
    assert found.keys() == {"model.checkpoint", "pages.consent", "pages.instructions"}
    assert len(set(found.values())) == 1


def test_a_symlink_out_of_the_roots_is_followed_and_refused(project: Path) -> None:
    (project / "fixtures" / "link").symlink_to(project.parent / "elsewhere")
    (project / "fixtures" / "consent.md").symlink_to(project.parent / "elsewhere" / "secret.md")
    assert problems(root="fixtures/link", consent="fixtures/consent.md").keys() == {"dataset.root", "pages.consent"}


def test_a_link_to_itself_is_no_path(project: Path) -> None:
    (project / "fixtures" / "loop").symlink_to(project / "fixtures" / "loop")
    assert problems(root="fixtures/loop").keys() == {"dataset.root"}


def test_a_nul_is_no_path(project: Path) -> None:
    assert problems(root="fixtures/\0demo") == {"dataset.root": "is not a path that can be read"}


@pytest.mark.parametrize("path", ["x" * 5000, "a/" * 5000, "../" * 3000])
def test_a_path_too_long_for_the_file_system_raises_nothing(project: Path, path: str) -> None:
    assert problems(root=path).keys() <= {"dataset.root"}


@pytest.mark.parametrize("path", ["var", "var/media", ".git", "fixtures/../var"])
def test_the_platforms_own_files_are_refused_though_they_lie_in_the_project(project: Path, path: str) -> None:
    assert "DATA_ROOTS" in problems(root=path)["dataset.root"]


@pytest.mark.parametrize("path", [".", "fixtures/..", "state", "../data"])
def test_a_folder_with_the_platforms_own_files_in_it_is_refused(
    project: Path, settings: LazySettings, path: str
) -> None:
    settings.STATE_DIR, settings.MEDIA_ROOT = project / "state" / "inner", project.parent / "data" / "media"
    for key in ("root", "checkpoint"):
        (said,) = problems(**{key: path}).values()
        assert "DATA_ROOTS" in said
    assert not problems(root="../data/nlvr")


def test_a_page_is_a_text_and_not_any_file_of_the_project(project: Path) -> None:
    assert "Markdown or text file" in problems(consent="studyapp/settings.py")["pages.consent"]
    assert "DATA_ROOTS" in problems(consent="var/secret_key")["pages.consent"]


def test_the_form_suggests_what_there_is(project: Path) -> None:
    folder = project / "fixtures" / "checkpoints" / "small"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"")
    (project.parent / "data" / "out").symlink_to(project.parent / "elsewhere")
    assert datasets_there() == ["../data/nlvr", "fixtures/demo"]
    assert checkpoints_there() == ["fixtures/checkpoints/small"]
