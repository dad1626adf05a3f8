"""Which files a study made in the browser or through the API may name: what lies below DATA_ROOTS, and nothing private.

Studies made at the terminal may name any path: whoever has a terminal can read the files anyway.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from studies.config import StudyConfig
from studies.yaml_strict import Problem

_TEXTS = (".md", ".txt")
_OUTSIDE = "lies outside the folders that studies made here may read; see DATA_ROOTS in docs/settings.md"


def data_root_problems(config: StudyConfig) -> list[Problem]:
    """What a study names that it may not read, each with the path of its key.

    Says the same of a file that exists and of one that does not: the answer must not tell what lies elsewhere.
    """
    named = {"dataset.root": config.dataset.root, "model.checkpoint": config.model.checkpoint}
    found = [Problem(key, why) for key, path in named.items() if (why := refusal(path))]
    for key, path in config.pages.text_files.items():
        if why := refusal(path) or _not_a_text(path):
            found.append(Problem(key, why))
    return found


def refusal(path: str) -> str:
    """Why a path may not be read, or "". Symlinks and `..` are followed first."""
    try:
        real = (settings.BASE_DIR / path).resolve()
    except (OSError, RuntimeError, ValueError):
        # a NUL, a loop of links, a name that is too long
        return "is not a path that can be read"
    root = next((root for root in settings.DATA_ROOTS if real.is_relative_to(root)), None)
    if root is None:
        return _OUTSIDE
    # The project is a root by default, and with it would be the secret key, the database and the answers.
    private = [Path(folder).resolve() for folder in (settings.STATE_DIR, settings.MEDIA_ROOT)]
    hidden = any(part.startswith(".") for part in real.relative_to(root).parts)
    if hidden or any(real.is_relative_to(folder) or folder.is_relative_to(real) for folder in private):
        return _OUTSIDE
    return ""


def _not_a_text(path: str) -> str:
    return "" if path.endswith(_TEXTS) else f"must be a Markdown or text file: {' or '.join(_TEXTS)}"


def datasets_there() -> list[str]:
    """Folders below the roots that may hold a dataset: suggestions for the form, relative to the project."""
    return sorted(_shown(folder) for folder in _folders() if not list(folder.glob("*/model.safetensors")))


def checkpoints_there() -> list[str]:
    """Checkpoint folders below the roots: suggestions for the form, relative to the project."""
    found = {file.parent for folder in _folders() for file in folder.glob("*/model.safetensors")}
    return sorted(_shown(folder) for folder in found)


def _folders() -> list[Path]:
    """The children of each root; of the project itself those of `fixtures`."""
    inside = [root / "fixtures" if root == settings.BASE_DIR else root for root in settings.DATA_ROOTS]
    return [child for root in inside if root.is_dir() for child in sorted(root.iterdir()) if _is_offered(child)]


def _is_offered(folder: Path) -> bool:
    return folder.is_dir() and not refusal(str(folder))


def _shown(folder: Path) -> str:
    return os.path.relpath(folder, settings.BASE_DIR)
