"""A study's values as what the form posts, and what was posted as the values of a study.

The names of the form's controls are the key paths of the study file ("items.count", "conditions[0].name"). A control
that was not posted leaves its key as it was, so that a form knows less than the file without losing anything.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from studies.config import StudyConfig, read_values
from studies.forms.controls import ABSENT, Unreadable, to_texts, to_value
from studies.forms.fields import OWN_LIST, OWN_QUESTION, QUESTION, ROWS, Field, fields, plain_fields, row_fields
from studies.yaml_strict import Problem, StudyFileError

Data = dict[str, list[str]]
#: Parts that are there or not as a whole: without any of their fields they are not.
_BALANCE, _QUIZ = "items.balance", "pages.quiz.questions"


def fill(values: dict[str, Any]) -> Data:
    """What the form posts for a study that nobody has touched."""
    data = {field.path: to_texts(field, _at(values, field.path)) for field in plain_fields()}
    if isinstance(_at(values, "conditions"), list):
        data["conditions"] = [OWN_LIST]
    for group in ROWS:
        entries = _at(values, group)
        data[f"{group}[]"] = [""]
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            for field in row_fields(group):
                data[in_row(field, place)] = to_texts(field, _of_entry(field, entry))
    return data


def study_from(data: Data, base: dict[str, Any] | None = None) -> StudyConfig:
    """The study that a form describes.

    base:   values of the keys that were not posted
    raises: StudyFileError, its problems with the paths of `compact(data)`
    """
    values, problems = _values(compact(data), base or {})
    try:
        config = read_values(values)
    except StudyFileError as error:
        said = {problem.path for problem in problems}
        raise StudyFileError([*problems, *(new for new in error.problems if new.path not in said)]) from error
    if problems:
        raise StudyFileError(problems)
    return config


def compact(data: Data) -> Data:
    """The same without empty rows, the others numbered from 0: as the entries are in the study file."""
    plain = {name: texts for name, texts in data.items() if not any(name.startswith(f"{group}[") for group in ROWS)}
    for group in ROWS:
        if _is_posted(data, group):
            plain[f"{group}[]"] = [""]
        for place, row in enumerate(_rows(data, group)):
            plain |= {in_row(field, place): row.get(field.path, [""]) for field in row_fields(group)}
    return plain


def in_row(field: Field, place: int | str) -> str:
    """The name of a row's control."""
    return field.path.replace("[]", f"[{place}]")


def row_count(data: Data, group: str) -> int:
    """How many rows of a group are not empty."""
    return len(_rows(data, group))


def _rows(data: Data, group: str) -> list[Data]:
    """The rows of a group that say something, by the paths of their fields."""
    found: dict[int, Data] = {}
    for name, texts in data.items():
        match = re.fullmatch(rf"{re.escape(group)}\[([0-9]{{1,4}})\]\.([a-z]+)", name)
        if match and f"{group}[].{match[2]}" in fields():
            found.setdefault(int(match[1]), {})[f"{group}[].{match[2]}"] = texts
    return [found[place] for place in sorted(found) if _says_something(found[place])]


def _says_something(row: Data) -> bool:
    # A choice that begins at its default says nothing; which question it is does.
    telling = [texts for path, texts in row.items() if path == QUESTION or fields()[path].control != "select"]
    return any(text.strip() for texts in telling for text in texts)


def _is_posted(data: Data, group: str) -> bool:
    return any(name.startswith(f"{group}[") for name in data)


def _values(data: Data, base: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    values, problems = copy.deepcopy(base), list[Problem]()
    for field in plain_fields():
        if field.path in data and field.path != "conditions":
            _put(values, field.path, _value(field, field.path, data, problems))
    if isinstance(_at(values, _BALANCE), dict) and not _at(values, _BALANCE):
        _put(values, _BALANCE, None)
    if "conditions" in data:
        chosen = data["conditions"][-1]
        entries = _entries("conditions", data, problems) if chosen == OWN_LIST else chosen or ABSENT
        _put(values, "conditions", entries)
    if _is_posted(data, _QUIZ):
        asked = _entries(_QUIZ, data, problems)
        _put(values, *((_QUIZ, asked) if asked else ("pages.quiz", None)))
    if _is_posted(data, "questions"):
        _put(values, "questions", _entries("questions", data, problems))
    return values, problems


def _entries(group: str, data: Data, problems: list[Problem]) -> list[Any]:
    return [_entry(group, data, place, problems) for place in range(row_count(data, group))]


def _entry(group: str, data: Data, place: int, problems: list[Problem]) -> Any:
    own = {in_row(field, place): field for field in row_fields(group) if field.path != QUESTION}
    chosen = data.get(QUESTION.replace("[]", f"[{place}]"), [""])[-1] if group == "questions" else ""
    if chosen and chosen != OWN_QUESTION:
        return chosen
    read = {field.key: _value(field, name, data, problems) for name, field in own.items()}
    return {key: value for key, value in read.items() if value is not ABSENT}


def _value(field: Field, name: str, data: Data, problems: list[Problem]) -> Any:
    try:
        return to_value(field, data.get(name, []))
    except Unreadable as error:
        problems.append(Problem(name, str(error)))
        return ABSENT


def _of_entry(field: Field, entry: Any) -> Any:
    if field.path == QUESTION:
        return entry if isinstance(entry, str) else OWN_QUESTION
    return entry.get(field.key, ABSENT) if isinstance(entry, dict) else ABSENT


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(values, dict) or key not in values:
            return ABSENT
        values = values[key]
    return values


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        if not isinstance(values.get(key), dict):
            values[key] = {}
        values = values[key]
    if value is ABSENT:
        values.pop(last, None)
    else:
        values[last] = value
