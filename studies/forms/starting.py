"""What a new study can start from: nothing, one of the paper's presets, a shipped study file, or an own study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from studies.config import PRESETS, StudyConfig, read
from studies.forms.yaml_text import study_file
from studies.yaml_strict import StudyFileError

#: A study with every default, and without what a researcher has to decide
_REQUIRED: dict[str, Any] = {
    "study": "x",
    "kind": "simulation",
    "title": "x",
    "dataset": {"name": "", "root": "", "split": "", "train": ""},
    "model": {"name": "", "checkpoint": ""},
    "target_class_policy": "predicted",
}
_PRESET, _FILE, STUDY = "preset:", "file:", "study:"


@dataclass(frozen=True)
class Start:
    """Values for the form, the same as a file, and what they are called."""

    label: str
    values: dict[str, Any]
    text: str


def starts() -> list[tuple[str, str]]:
    """What everybody can start from: (key, label)."""
    presets = [(f"{_PRESET}{name}", f"The paper's preset {name}") for name in PRESETS]
    return [*presets, *((f"{_FILE}{file.stem}", f"Example {file.name}") for file in _files())]


def start(key: str) -> Start:
    """What `key` stands for; an unknown key is an empty form."""
    if key.startswith(_FILE):
        file = next((file for file in _files() if file.stem == key.removeprefix(_FILE)), None)
        if file:
            text = file.read_text(encoding="utf-8")
            return Start(f"Example {file.name}", read(text).model_dump(mode="json"), text)
    preset = key.removeprefix(_PRESET)
    if key.startswith(_PRESET) and preset in PRESETS:
        return Start(f"The paper's preset {preset}", _blank(preset), "")
    return Start("", _blank("multiviz-ablation"), "")


def start_from_study(config: StudyConfig) -> Start:
    """A copy of a study, under another name."""
    copy = config.model_copy(update={"study": f"{config.study[:55].rstrip('-')}-copy"})
    return Start(f"Your study {config.study}", copy.model_dump(mode="json"), study_file(copy))


def _blank(preset: str) -> dict[str, Any]:
    values = StudyConfig.model_validate({**_REQUIRED, "conditions": preset})
    blank = values.model_dump(mode="json")
    for key in ("study", "title", "dataset", "model", "target_class_policy"):
        del blank[key]
    return blank


def _files() -> list[Path]:
    return [file for file in sorted((settings.BASE_DIR / "fixtures").glob("*.yaml")) if _is_readable(file)]


def _is_readable(file: Path) -> bool:
    try:
        read(file.read_text(encoding="utf-8"))
    except (OSError, StudyFileError):
        return False
    return True
