"""Study files in bodies: YAML text, or the same keys as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from studies.api.operation import InvalidStudyFile
from studies.config import StudyConfig, read
from studies.data_roots import data_root_problems
from studies.yaml_strict import Problem, StudyFileError


class YamlText(BaseParser):
    """The text as it is: config.py reads it, strictly."""

    media_type = "application/yaml"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> str:
        """raises: ParseError (not UTF-8)"""
        return _decoded(stream)


class XYamlText(YamlText):
    """The name that YAML had before it was registered."""

    media_type = "application/x-yaml"


class JsonText(BaseParser):
    """JSON as YAML text, which it almost is: escapes, tabs and keys that stand twice are where it is not."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> str:
        """raises: ParseError (not JSON), InvalidStudyFile (a key stands twice)"""
        try:
            values = json.loads(_decoded(stream), object_pairs_hook=_once, parse_constant=_no_number)
            return json.dumps(values, ensure_ascii=False)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ParseError(f"not valid JSON: {error}") from error


PARSERS = [JsonText, YamlText, XYamlText]


def study_file(text: object) -> StudyConfig:
    """The definition in a body. raises: InvalidStudyFile, also for files that lie outside DATA_ROOTS"""
    if not isinstance(text, str):
        raise ParseError("the body is empty: send a study file")
    try:
        config = read(text)
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
