"""Strict YAML for study files: what YAML would silently change or drop is an error that names the key and the line."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.composer import ComposerError

_BOOLEAN_WORD = re.compile(r"^(y|n|yes|no|on|off)$", re.IGNORECASE)
_OCTAL = re.compile(r"^[-+]?0[0-7_]+$")
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "int", "float", "bool", "null")}
_BASE_60 = re.compile(r"^[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9_]*)?$")
MOST_CHARACTERS = 200_000
MOST_LEVELS = 40
_MOST_VALUES = 50_000
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a study file: the path of the key, the line where known, and a sentence."""

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}, " if self.line else ""
        return f"{where}{self.path or 'file'}: {self.message}"


class StudyFileError(ValueError):
    """A study file that cannot be used; carries every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


@dataclass(frozen=True)
class Parsed:
    """Plain values, and the line on which each key path stands."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """The line of the key at `path`, or of its nearest parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines[path] if path else None


def dotted(path: Path) -> str:
    """("conditions", 0, "name") -> conditions[0].name"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def parse(text: str) -> Parsed:
    """Read YAML text into plain values.

    raises: StudyFileError for syntax errors, duplicate keys, unquoted yes/no/on/off, octal numbers, tags, and for
    texts that are too long, too deep, or that aliases make too large
    """
    if len(text) > MOST_CHARACTERS:
        raise StudyFileError([Problem("", f"longer than a study file may be: {MOST_CHARACTERS:,} characters")])
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise StudyFileError([Problem("", f"not valid YAML: {reason}", mark.line + 1 if mark else None)]) from error
    if node is None:
        raise StudyFileError([Problem("", "the file is empty")])
    reader = _Reader()
    try:
        value = reader.read(node, ())
    except _TooMany:
        said = f"more than {_MOST_VALUES:,} values: aliases that repeat aliases?"
        raise StudyFileError([Problem("", said)]) from None
    if reader.problems:
        raise StudyFileError(reader.problems)
    return Parsed(value, reader.lines)


def must_be_quoted(text: str) -> bool:
    """Whether a text, written without quotation marks, would be one of the words and numbers that are refused."""
    return any(pattern.match(text) for pattern in (_BOOLEAN_WORD, _OCTAL, _BASE_60))


class _TooMany(Exception):
    """Aliases made of a short text more values than a study file can need."""


class _Loader(yaml.SafeLoader):
    """Refuses nesting that no study file has: the composer calls itself once per level, and Python's stack ends."""

    _level = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._level += 1
        if self._level > MOST_LEVELS:
            mark = self.peek_event().start_mark
            raise ComposerError(None, None, f"nested more than {MOST_LEVELS} levels deep", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._level -= 1


class _Reader:
    """Turns YAML nodes into plain values and collects what is wrong on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[Path, int] = {}
        self._constructor = yaml.SafeLoader("")
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        self._count += 1
        if self._count > _MOST_VALUES:
            raise _TooMany
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._open:
            self._problem(path, node, "an alias refers to its own parent")
            return None
        if node.tag not in _PLAIN_TAGS:
            kind = node.tag.rsplit(":", 1)[-1]
            self._problem(path, node, f"a value of kind {kind!r} is not allowed here; quote it to make it text")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(child, (*path, i)) for i, child in enumerate(node.value)]
            assert isinstance(node, yaml.ScalarNode)
            return self._scalar(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, Hashable) or not isinstance(key, str):
                self._problem(path, key_node, "a key must be plain text")
                continue
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            if key in result:
                self._problem((*path, key), key_node, "this key stands twice; keep one of them")
            result[key] = self.read(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        plain = node.style is None
        if plain and _BOOLEAN_WORD.match(node.value):
            self._problem(path, node, f"YAML may read {node.value} as a boolean; write true or false, or quote it")
        if plain and _OCTAL.match(node.value):
            self._problem(path, node, f"{node.value} is an octal number in YAML; drop the leading zero, or quote it")
        if plain and _BASE_60.match(node.value):
            self._problem(path, node, f"YAML may read {node.value} as a number in base 60; quote it")
        try:
            return self._constructor.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            self._problem(path, node, f"cannot be read: {error}")
            return None

    def _problem(self, path: Path, node: yaml.Node, message: str) -> None:
        self.problems.append(Problem(dotted(path), message, node.start_mark.line + 1))
