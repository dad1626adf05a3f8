"""One value of a study as what stands in one control of the form, and back: nothing is lost on the way.

A control's content is a list of texts, as a browser posts it. A text that the control would change (a line end in a
one-line control, a space at its end, a value that is empty) is written as a JSON string, in quotation marks.
"""

from __future__ import annotations

import json
import re
from typing import Any

from studies.forms.fields import Field

#: Nothing was given: the key is left out.
ABSENT = object()
_WHOLE, _DECIMAL = re.compile(r"[-+]?[0-9]+"), re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")
_ARROW = " -> "


class Unreadable(ValueError):
    """What stands in a control cannot be read; the message is for the person who wrote it."""


def to_texts(field: Field, value: Any) -> list[str]:
    """What the control holds for a value of the study. An unknown shape is shown as text, never dropped."""
    if value is ABSENT:
        value = field.initial
    if value is None:
        return [] if field.control == "ticks" else [""]
    if field.control == "ticks":
        return [str(item) for item in value]
    if field.control == "tick":
        return ["true"] if value else []
    if field.control == "lines":
        return ["\n".join(encode(item, one_line=True) for item in value)]
    if field.control == "pairs":
        return ["\n".join(_pair(key, item) for key, item in value.items())]
    if isinstance(value, str):
        return [encode(value, one_line=field.control != "area")]
    return [repr(value) if isinstance(value, float) else str(value)]


def to_value(field: Field, texts: list[str]) -> Any:
    """The value of what a browser posted, or ABSENT. raises: Unreadable"""
    if field.control == "ticks":
        return [text for text in texts if text]
    if field.control == "tick":
        return "true" in texts
    text = _normal(texts[-1] if texts else "")
    if field.control == "lines":
        found = [decode(line) for line in text.split("\n") if line.strip()]
        return None if field.optional and not found else found
    if field.control == "pairs":
        return _pairs(text)
    if not text:
        return _nothing(field)
    return _number(field, text) if field.control == "number" else decode(text)


def encode(value: str, *, one_line: bool) -> str:
    """A text as it stands in a control."""
    # Of line ends, a one-line control and a list of lines keep none; a large one keeps \n.
    fits = value and decode(value) == value and not (one_line and re.search(r"[\r\n]", value))
    return value if fits else json.dumps(value, ensure_ascii=False)


def decode(text: str) -> str:
    """The text that was meant: without space around it, and a JSON string read as one."""
    text = _normal(text)
    if text.startswith('"') and text.endswith('"'):
        try:
            read = json.loads(text)
        except ValueError:
            return text
        return read if isinstance(read, str) else text
    return text


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _nothing(field: Field) -> Any:
    if field.optional:
        return None
    if field.required or field.control == "select":
        return ABSENT
    raise Unreadable(f"is empty; the default is {field.default}")


def _number(field: Field, text: str) -> Any:
    # A text that is no number goes on as it is: the schema says what it should have been.
    if _WHOLE.fullmatch(text) and len(text) < 100:
        return float(text) if field.is_fraction else int(text)
    return float(text) if field.is_fraction and _DECIMAL.fullmatch(text) else text


def _pair(key: str, value: str) -> str:
    shown = encode(key, one_line=True)
    return f"{json.dumps(key, ensure_ascii=False) if _ARROW in shown else shown}{_ARROW}{encode(value, one_line=True)}"


def _pairs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        key, rest = _first(line)
        if key in found:
            raise Unreadable(f"{key!r} stands twice")
        found[key] = decode(rest)
    return found


def _first(line: str) -> tuple[str, str]:
    """A line's key and the rest of it."""
    if line.startswith('"'):
        try:
            key, end = json.JSONDecoder().raw_decode(line)
        except ValueError:
            key, end = "", 0
        if end and line[end:].startswith(_ARROW):
            return str(key), line[end + len(_ARROW) :]
    key, arrow, rest = line.partition(_ARROW)
    if not arrow:
        raise Unreadable(f"{line!r}: write one class and its name per line, as in: large{_ARROW}Large")
    return decode(key), rest
