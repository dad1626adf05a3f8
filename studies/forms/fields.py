"""The fields of the form, generated from the study file's schema: one for each key, with the control that fits it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from analysis_core import datasets, models
from studies.config import KINDS, PRESETS, RUNNABLE_KINDS, json_schema

Control = Literal["text", "area", "number", "lines", "pairs", "select", "tick", "ticks"]
#: Lists of parts, each a group of rows in the form. A row's fields are called like "conditions[].name".
ROWS = ("conditions", "pages.quiz.questions", "questions")
#: The choice among a preset and rows of one's own
OWN_LIST = "list"
#: Which of ours a question is, or one of the researcher's own: not a key of the file, but what a row begins with
QUESTION = "questions[].is"
OWN_QUESTION = "own"
_LONG = (
    "title",
    "items.check_text",
    "pages.consent",
    "pages.instructions",
    "pages.pay",
    "questions[].text",
    "pages.quiz.questions[].text",
)
_SUGGESTED = {"dataset.root": "datasets", "model.checkpoint": "checkpoints"}


@dataclass(frozen=True)
class Field:
    """One key of the study file in the form.

    optional: may be left empty, which is a value (none); required: has no default; default: in the help's words
    """

    path: str
    control: Control
    label: str
    meaning: str
    optional: bool = False
    required: bool = False
    default: str = ""
    initial: Any = None  # the default itself
    options: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()  # options that are shown and cannot be chosen
    least: float | None = None
    most: float | None = None
    is_fraction: bool = False
    suggestions: str = ""

    @property
    def key(self) -> str:
        """The last part of its path."""
        return self.path.rpartition(".")[2].rpartition("[]")[2]


@cache
def fields() -> dict[str, Field]:
    """All fields by path, in the schema's order."""
    schema = json_schema()
    found = {field.path: field for field in _below(schema, schema, "")}
    found["conditions"] = replace(found["conditions"], control="select", options=(*PRESETS, OWN_LIST))
    own = Field(QUESTION, "select", "Question", "one of ours, or your own", options=(*_builtin(schema), OWN_QUESTION))
    return {**found, QUESTION: replace(own, optional=True)}


def row_fields(group: str) -> list[Field]:
    """The fields of one row of a group."""
    found = [field for path, field in fields().items() if path.startswith(f"{group}[]")]
    return sorted(found, key=lambda field: field.path != QUESTION)


def plain_fields() -> list[Field]:
    """The fields outside of rows."""
    return [field for path, field in fields().items() if "[]" not in path]


@cache
def words() -> dict[str, dict[str, str]]:
    """keys.toml: path -> label and meaning."""
    return tomllib.loads(Path(__file__).with_name("keys.toml").read_text(encoding="utf-8"))


def _below(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[Field]:
    """The fields of an object's keys, those of objects inside it too."""
    for key, inner in node["properties"].items():
        here = f"{path}.{key}" if path else key
        is_required = key in node.get("required", ())
        for part, inside in _parts(schema, inner, here):
            yield from _below(schema, part, inside)
        if not any(True for _ in _parts(schema, inner, here)) or here == "conditions":
            yield _field(here, inner, is_required)


def _parts(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects that a key leads to: its own, and that of a list's entries."""
    for option in (node, *node.get("anyOf", ()), *node.get("oneOf", ())):
        if "$ref" in option:
            yield schema["$defs"][option["$ref"].rpartition("/")[2]], path
        elif isinstance(option.get("items"), dict):
            yield from _parts(schema, option["items"], f"{path}[]")


def _field(path: str, node: dict[str, Any], is_required: bool) -> Field:
    shape = next((option for option in node.get("anyOf", ()) if option.get("type") != "null"), node)
    options, closed = _options(path, shape)
    said = words()[path]
    return Field(
        path=path,
        control=_control(path, shape, options),
        label=said["label"],
        meaning=_plain(said["meaning"]),
        optional=any(option.get("type") == "null" for option in node.get("anyOf", ())),
        required=is_required,
        default=_default(node.get("default")),
        initial=node.get("default"),
        options=options,
        closed=closed,
        least=shape.get("minimum"),
        most=shape.get("maximum"),
        is_fraction=shape.get("type") == "number",
        suggestions=_SUGGESTED.get(path, ""),
    )


def _control(path: str, shape: dict[str, Any], options: tuple[str, ...]) -> Control:
    kind = shape.get("type")
    if kind == "array":
        return "ticks" if options else "lines"
    if options:
        return "select"
    plain: dict[Any, Control] = {"integer": "number", "number": "number", "boolean": "tick", "object": "pairs"}
    return plain.get(kind, "area" if path in _LONG else "text")


def _options(path: str, shape: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if path == "kind":
        return KINDS, tuple(kind for kind in KINDS if kind not in RUNNABLE_KINDS)
    if path == "dataset.name":
        return datasets.names(), ()
    if path == "model.name":
        return models.names(), ()
    named = shape.get("items", shape) if shape.get("type") == "array" else shape
    return tuple(named.get("enum", [named["const"]] if "const" in named else ())), ()


def _builtin(schema: dict[str, Any]) -> list[str]:
    return next(option["enum"] for option in schema["properties"]["questions"]["items"]["oneOf"] if "enum" in option)


def _default(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _plain(markdown: str) -> str:
    """A sentence of keys.toml without its Markdown, with a capital where it does not begin with a value."""
    text = markdown.replace("`", "")
    while "](" in text:
        before, _, rest = text.partition("](")
        head, _, shown = before.rpartition("[")
        text = f"{head}{shown}{rest.partition(')')[2]}"
    return text if markdown.startswith("`") else text[:1].upper() + text[1:]
