"""What a researcher posted as a study: by the form or as a file, with every problem found and nothing typed lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from studies.config import StudyConfig, read
from studies.data_roots import data_root_problems
from studies.forms.posted import Data, study_from
from studies.yaml_strict import MOST_CHARACTERS, Parsed, Problem, StudyFileError, parse


@dataclass(frozen=True)
class Posted:
    """One attempt: as it was posted, and what it means. `config` only where nothing is wrong."""

    way: str
    data: Data = field(default_factory=dict)
    text: str = ""
    config: StudyConfig | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class FileLine:
    """One line of a study file with what is wrong on it."""

    number: int
    text: str
    problems: list[Problem]


def read_posted(request: HttpRequest, base: dict[str, Any] | None = None) -> Posted:
    """The study that was posted. base: values of the keys that the form did not post"""
    if request.POST.get("way") == "file":
        return _read_file(request)
    data = {str(name): [str(text) for text in texts] for name, texts in request.POST.lists()}
    try:
        config = study_from(data, base)
    except StudyFileError as error:
        return Posted("form", data=data, problems=error.problems)
    problems = data_root_problems(config)
    return Posted("form", data=data, problems=problems, config=None if problems else config)


def file_lines(text: str, problems: list[Problem]) -> list[FileLine]:
    """A study file line by line; problems that name no line stand in the summary only."""
    at: dict[int | None, list[Problem]] = {}
    for problem in problems:
        at.setdefault(problem.line, []).append(problem)
    lines = text.replace("\r\n", "\n").split("\n")
    return [FileLine(number, line, at.get(number, [])) for number, line in enumerate(lines, 1)]


def _read_file(request: HttpRequest) -> Posted:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    upload = request.FILES.get("file")
    try:
        text = _text_of(upload) if isinstance(upload, UploadedFile) else text
        config = read(text)
    except StudyFileError as error:
        return Posted("file", text=text, problems=error.problems)
    parsed = parse(text)
    problems = [_with_line(problem, parsed) for problem in data_root_problems(config)]
    return Posted("file", text=text, problems=problems, config=None if problems else config)


def _text_of(upload: UploadedFile[Any]) -> str:
    # A character has at most four bytes.
    if (upload.size or 0) > 4 * MOST_CHARACTERS:
        size = f"{(upload.size or 0) / 1e6:.1f} MB"
        raise StudyFileError([Problem("", f"this file has {size}; a study file has at most 0.8 MB")])
    try:
        return upload.read().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise StudyFileError([Problem("", f"this file is not UTF-8 text (byte {error.start})")]) from error


def _with_line(problem: Problem, parsed: Parsed) -> Problem:
    return Problem(problem.path, problem.message, parsed.line(tuple(problem.path.split("."))))
