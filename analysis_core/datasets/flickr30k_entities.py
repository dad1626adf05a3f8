"""The two files that Flickr30k Entities (Plummer et al. 2017) has per picture: sentences with phrases, boxes in XML.

Read for datasets/flickr30k.py. Chain id 0 means "not visual": such a phrase belongs to no entity and has no box.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from analysis_core.errors import BadData

NOT_VISUAL = "0"
_OPENING = re.compile(r"\[/EN#(\d+)((?:/[^\s/\[\]]+)+)")
#: The largest annotation file of the release is a few kilobytes.
_MOST_BYTES = 1_000_000
_CORNERS = ("xmin", "ymin", "xmax", "ymax")

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Phrase:
    """A phrase of a sentence. span: characters [start, stop) of the text; words: [first, stop) of its tokens."""

    text: str
    span: tuple[int, int]
    words: tuple[int, int]
    entity: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Sentence:
    """text: the tokens joined by single spaces, as the release tokenises them ("... by the water .")."""

    text: str
    phrases: tuple[Phrase, ...]


@dataclass
class Annotation:
    """What a picture shows. size: width and height; boxes: entity -> its boxes x0 y0 x1 y1, ends exclusive.

    scene: entities that are the whole scene; nobox: those that were not boxed
    """

    size: tuple[int, int]
    boxes: dict[str, list[Box]] = field(default_factory=dict)
    scene: set[str] = field(default_factory=set)
    nobox: set[str] = field(default_factory=set)


def read_lines(path: Path) -> list[tuple[int, str]]:
    """(line number from 1, text) of each line that is not blank. raises: BadData"""
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadData("is missing", file=path) from error
    except (UnicodeDecodeError, OSError) as error:
        raise BadData(f"cannot be read: {error}", file=path) from error
    # Not splitlines(): it also breaks at characters that a caption may hold, such as U+0085.
    return [(row, line.strip()) for row, line in enumerate(content.split("\n"), start=1) if line.strip()]


def parse_sentence(line: str, *, file: Path, row: int) -> Sentence:
    """`[/EN#221796/people A girl] with ...` -> text and phrases.

    raises: BadData (a phrase that is not closed, is empty, or opens inside another one)
    """
    words: list[str] = []
    phrases: list[tuple[re.Match[str], int, int]] = []
    opened: tuple[re.Match[str], int] | None = None
    for token in line.split():
        if token.startswith("[/EN#"):
            match = _OPENING.fullmatch(token)
            if match is None or opened is not None:
                raise BadData(f"{token!r} is no start of a phrase", file=file, row=row, field="phrase")
            opened = match, len(words)
            continue
        if opened is not None and token.endswith("]"):
            words += [token[:-1]] if len(token) > 1 else []
            phrases.append((*opened, len(words)))
            opened = None
        else:
            words.append(token)
    empty = next((m for m, first, stop in phrases if first == stop), None)
    unclosed = opened[0] if opened else empty
    if unclosed is not None:
        message = f"the phrase that starts with {unclosed.group()!r} is not closed by ] or has no words"
        raise BadData(message, file=file, row=row, field="phrase")
    if not words:
        raise BadData("the sentence has no words", file=file, row=row, field="sentence")
    return _sentence(words, phrases)


def _sentence(words: list[str], phrases: list[tuple[re.Match[str], int, int]]) -> Sentence:
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    found = []
    for match, first, stop in phrases:
        text = " ".join(words[first:stop])
        span = (starts[first], starts[first] + len(text))
        found.append(Phrase(text, span, (first, stop), match.group(1), tuple(match.group(2)[1:].split("/"))))
    return Sentence(" ".join(words), tuple(found))


def read_annotation(path: Path) -> Annotation:
    """An Annotations/<id>.xml file. Its coordinates count pixels from 1 and include the last one.

    raises: BadData (missing, no XML, a document type, a wrong or missing field: file, line, field)
    """
    root, lines = _parse_xml(path)
    size = root.find("size")
    width, height = (_whole(size, name, path, lines, root, least=1) for name in ("width", "height"))
    found = Annotation((width, height))
    for thing in root.findall("object"):
        names = [(name.text or "").strip() for name in thing.findall("name")]
        if not names or not all(name.isdigit() for name in names):
            raise BadData("must be the id of an entity, in digits", file=path, row=lines[thing], field="object.name")
        corners = thing.find("bndbox")
        if corners is not None:
            box = _box(corners, found.size, path, lines)
            for name in names:
                found.boxes.setdefault(name, []).append(box)
            continue
        flags = {flag: _whole(thing, flag, path, lines, thing, least=0) for flag in ("scene", "nobndbox")}
        found.scene.update(names if flags["scene"] else ())
        found.nobox.update(names if flags["nobndbox"] else ())
    return found


def _box(corners: Element, size: tuple[int, int], path: Path, lines: dict[Element, int]) -> Box:
    x0, y0, x1, y1 = (_whole(corners, name, path, lines, corners, least=-1) for name in _CORNERS)
    # From 1 with the last pixel included to 0 with the end excluded: only the first corner moves.
    left, top = max(x0 - 1, 0), max(y0 - 1, 0)
    right, bottom = min(x1, size[0]), min(y1, size[1])
    if left >= right or top >= bottom:
        message = f"{(x0, y0, x1, y1)} is no box inside a picture of {size[0]} x {size[1]} pixels"
        raise BadData(message, file=path, row=lines[corners], field="bndbox")
    return float(left), float(top), float(right), float(bottom)


def _whole(
    parent: Element | None, name: str, path: Path, lines: dict[Element, int], near: Element, *, least: int
) -> int:
    element = parent.find(name) if parent is not None else None
    text = (element.text or "").strip() if element is not None else ""
    if not re.fullmatch(r"-?\d{1,7}", text) or int(text) < least:
        row = lines[element if element is not None else near]
        message = f"must be a whole number, at least {least}, not {text!r}"
        raise BadData(message, file=path, row=row, field=f"{near.tag}.{name}")
    return int(text)


def _parse_xml(path: Path) -> tuple[Element, dict[Element, int]]:
    """The root element, and the line on which each element starts.

    Built on expat and not on ElementTree.parse, for two things that the latter does not offer: line numbers, and
    refusing a document type. Without one a file can declare no entity, so none can be expanded into gigabytes
    ("billion laughs") or fetched from elsewhere.
    """
    builder, lines = TreeBuilder(), {}
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        lines[builder.start(tag, attributes)] = parser.CurrentLineNumber

    def refuse(*declared: Any) -> None:
        raise BadData("a document type is not allowed here", file=path, row=parser.CurrentLineNumber)

    parser.StartElementHandler, parser.EndElementHandler = start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, refuse
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise BadData(f"has more than {_MOST_BYTES:,} bytes", file=path)
        parser.Parse(content, True)
        return builder.close(), lines
    except expat.ExpatError as error:
        raise BadData(f"not readable XML: {expat.errors.messages[error.code]}", file=path, row=error.lineno) from error
    except FileNotFoundError as error:
        raise BadData("is missing", file=path) from error
    except (OSError, ValueError, LookupError) as error:
        # The last two are what Python's codecs say of an encoding that the file declares.
        raise BadData(f"cannot be read: {error}", file=path) from error
