"""Study files in bodies: YAML text, or the same keys as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from studies.api.operation import InvalidStudyFile
from studies.config import StudyConfig, read, read_values
from studies.data_roots import data_root_problems
from studies.yaml_strict import MOST_CHARACTERS, MOST_LEVELS, Problem, StudyFileError

MOST_DIGITS = 100


class YamlText(BaseParser):
    """The text as it is: config.py reads it, strictly."""

    media_type = "application/yaml"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> str:
        """raises: ParseError (not UTF-8)"""
        return _decoded(stream)


class XYamlText(YamlText):
    """The name that YAML had before it was registered."""

    media_type = "application/x-yaml"


class JsonValues(BaseParser):
    """The values as they are: no text of theirs goes through YAML."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """raises: ParseError (not JSON, a list, too long or deep for a study file), InvalidStudyFile (a key twice)"""
        text = _decoded(stream)
        if len(text) > MOST_CHARACTERS:
            raise ParseError(f"longer than a study file may be: {MOST_CHARACTERS:,} characters")
        try:
            values = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole_number)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ParseError(f"not valid JSON: {error}") from error
        if not isinstance(values, dict):
            raise InvalidStudyFile([Problem("", "a study file is an object of keys; see /schema/study.json")])
        if _is_deep(values):
            raise ParseError(f"nested more than {MOST_LEVELS} levels deep")
        return values


PARSERS = [JsonValues, YamlText, XYamlText]


def study_file(body: object) -> StudyConfig:
    """The definition in a body. raises: InvalidStudyFile, also for files that lie outside DATA_ROOTS"""
    if not isinstance(body, str | dict) or not body:
        raise ParseError("the body is empty: send a study file")
    try:
        config = read(body) if isinstance(body, str) else read_values(body)
    except StudyFileError as error:
        raise InvalidStudyFile(error.problems) from error
    if problems := data_root_problems(config):
        raise InvalidStudyFile(problems)
    return config


def _decoded(stream: Any) -> str:
    try:
        return str(stream.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ParseError(f"not UTF-8 text (byte {error.start})") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = [Problem(name, "this key stands twice; keep one of them") for name in set(names) if names.count(name) > 1]
    if twice:
        raise InvalidStudyFile(twice)
    return dict(pairs)


def _no_number(name: str) -> None:
    raise ParseError(f"not valid JSON: {name}")


def _whole_number(digits: str) -> int:
    # Python refuses thousands of digits with an error of its own, and no key of a study file takes more than ten.
    if len(digits) > MOST_DIGITS:
        raise ParseError(f"a number of {len(digits):,} digits; a study file needs at most {MOST_DIGITS}")
    return int(digits)


def _is_deep(values: Any) -> bool:
    """Whether something lies deeper than in any study file: what reads the values calls itself once per level."""
    level = [values]
    for _ in range(MOST_LEVELS):
        level = [inner for each in level for inner in _inside(each)]
    return bool(level)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
