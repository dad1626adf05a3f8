"""Looks for class names in what conditions show: a caption, a file's name or a word in a drawing can give the answer.

Called before the freeze (services/freezing.py). A datapoint's own words are legitimate, and so are the labels of
choices, which stand on the page and never in an artefact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from studies import artefact_files
from studies.computed import SVG
from studies.models import Artefact, StudyVersion

#: Parts of a result that no page reads; studies/page_panels.py reads the others.
UNREAD = frozenset({"config", "quality", "target", "values", "datapoint", "index", "end", "atom"})
#: Attributes whose values are SVG's own keywords, whatever was drawn.
KEYWORDS = frozenset({"text-anchor", "lengthAdjust", "font-family", "font-weight", "role", "d", "transform"})
#: Where a page shows the datapoint's own words; anywhere else they are no excuse.
OWN_PLACES = re.compile(r"words\[\d+\]\.text|pairs\[\d+\]\.word")
LETTERS = re.compile(r"[^\W\d_]")
WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Leak:
    """A class name where annotators could read it."""

    item: str  # "item 3", or "feature 41" for examples that serve several items
    stage: str
    where: str
    word: str  # "" where a drawing cannot be read

    def __str__(self) -> str:
        if not self.word:
            return f"{self.item}, stage {self.stage}: {self.where} cannot be read"
        return f"{self.item}, stage {self.stage}: {self.where} names the class {self.word!r}"


def leaks(version: StudyVersion) -> list[Leak]:
    """Every class name in a text, file name or drawing that some condition of the version shows.

    Reads every drawing. One that cannot be read is a finding too.
    """
    items = {item.subject: item for item in version.items.all()}
    shown = version.artefacts.filter(state=Artefact.State.READY, stage__in=[*version.config.shown_stages, "input"])
    own_words = {row.subject: _words_of(row.numbers) for row in shown.filter(stage="input")}
    names = _Names(_class_names(version))
    found = []
    for row in shown.order_by("stage", "subject_kind", "subject", "target"):
        about = f"item {items[row.subject].position}" if row.subject in items else f"feature {row.subject}"
        for where, text in _texts(row):
            words = names.in_text(text) if text is not None else [""]
            own = own_words.get(row.subject, set()) if OWN_PLACES.fullmatch(where) else set()
            foreign = (word for word in words if not _stands_in(word, own))
            found += [Leak(about, row.stage, where, word) for word in foreign]
    return list(dict.fromkeys(found))


def _class_names(version: StudyVersion) -> set[str]:
    """The labels of all choices, and the classes that were merged into them."""
    labels = {str(choice["label"]) for choices in version.items.values_list("choices", flat=True) for choice in choices}
    answers = version.config.answers
    return labels | set(answers.fixed or ()) | set(answers.merge)


class _Names:
    """Class names to search for, as whole words in any case."""

    def __init__(self, names: set[str]) -> None:
        spelled = sorted((name for name in names if LETTERS.search(name)), key=len, reverse=True)
        parts = [r"\s+".join(map(re.escape, name.split())) for name in spelled]
        # A digit or an underscore ends a word too: "overlay_red2".
        self.pattern = re.compile(rf"(?<![^\W\d_])(?:{'|'.join(parts)})(?![^\W\d_])", re.I) if parts else None
        # Bare numbers stand in every drawing: only a text that says nothing else gives a class away.
        self.numbers = {name.strip() for name in names} - set(spelled)

    def in_text(self, text: str) -> list[str]:
        found = [match[0] for match in self.pattern.finditer(text)] if self.pattern else []
        return [*found, *([text.strip()] if text.strip() in self.numbers else [])]


def _stands_in(word: str, own_words: set[str]) -> bool:
    parts = WORDS.findall(word.casefold())
    return bool(parts) and own_words.issuperset(parts)


def _texts(row: Artefact) -> Iterator[tuple[str, str | None]]:
    """(where, text) of everything in a result that a page, a file name or a drawing can say; None = unreadable."""
    yield from _strings(row.numbers or {}, "", is_example=row.stage == "Rg")
    for name, entry in row.files.items():
        yield f"the file name {name!r}", name
        if entry["type"] == SVG:
            yield from ((f"{where} of the file {name!r}", text) for where, text in _drawn(entry))


def _strings(value: Any, where: str, *, is_example: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _strings(part, f"{where}[{number}]", is_example=is_example)
    elif isinstance(value, dict):
        # The words of an example are the example's own, as those of the item are its own.
        for key in value.keys() - UNREAD - ({"words"} if is_example else set()):
            yield from _strings(value[key], f"{where}.{key}".lstrip("."), is_example=is_example)


def _drawn(entry: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Texts, titles, comments and attributes of an SVG file."""
    try:
        content = artefact_files.load(entry)
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise ElementTree.ParseError("declares entities")
        builder = ElementTree.TreeBuilder(insert_comments=True, insert_pis=True)
        # Entities, by which XML can harm, were refused above.
        root = ElementTree.fromstring(content, ElementTree.XMLParser(target=builder))  # noqa: S314
    except (artefact_files.CorruptArtefact, ElementTree.ParseError):
        yield "the content", None
        return
    for element in root.iter():
        tag = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else "comment"
        yield from ((f"<{tag}>", text) for text in (element.text, element.tail) if text and text.strip())
        for name, value in element.attrib.items():
            if name not in KEYWORDS and value != "none" and LETTERS.search(value):
                yield f"{name}= of <{tag}>", value


def _words_of(numbers: dict[str, Any] | None) -> set[str]:
    return {part for row in (numbers or {}).get("words", ()) for part in WORDS.findall(row["text"].casefold())}
