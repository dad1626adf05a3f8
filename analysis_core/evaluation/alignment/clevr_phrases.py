"""Which phrase of a CLEVR question names which object: from the question's program, its text and the scene.

A program's `unique` node is an object that the question speaks of; the filters before it are what the phrase says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from analysis_core.datasets.scenes.vocabulary import ATTRIBUTES

#: Other words that CLEVR's questions use for a value (Johnson et al. 2017, the generator's synonyms).
SYNONYMS = {
    "tiny": "small",
    "big": "large",
    "matte": "rubber",
    "metallic": "metal",
    "shiny": "metal",
    "block": "cube",
    "ball": "sphere",
}
#: Nouns that say nothing about the shape.
NOUNS = ("thing", "object")

Description = dict[str, str]


def named_objects(
    text: str, program: Sequence[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]]
) -> tuple[tuple[dict[str, Any], ...], int]:
    """Phrases of 1 to 4 words, each of which names one object of the scene by itself, in the order of the text.

    returns: {"text", "span" (characters of the question), "boxes": (index of the object,)}, one per object; and of how
             many objects the question speaks in phrases that fit others too ("the thing left of the cube"). Those are
             left out: the paper wants alignments without any controversy
    """
    mentions = _mentions(text)
    found: dict[int, tuple[int, int]] = {}
    unsettled = 0
    for node in (i for i, step in enumerate(program) if step.get("function") == "unique"):
        wanted = _filters(program, node)
        # The object fits its phrase; if no other does, where else the question leads to need not be followed.
        fitting = [i for i, thing in enumerate(objects) if wanted.items() <= thing.items()]
        said = [span for span, description in mentions if description == wanted]
        if len(fitting) == 1 and said:
            found.setdefault(fitting[0], said[0])
        else:
            unsettled += 1
    in_order = sorted(found.items(), key=lambda item: item[1])
    phrases = tuple({"text": text[slice(*span)], "span": span, "boxes": (i,)} for i, span in in_order)
    return phrases, unsettled


def _filters(program: Sequence[Mapping[str, Any]], node: int) -> Description:
    """What the filters directly before a node demand."""
    wanted: Description = {}
    while program[node].get("inputs"):
        node = program[node]["inputs"][0]
        name, _, attribute = str(program[node].get("function")).partition("_")
        if name != "filter":
            break
        wanted[attribute] = str(program[node]["value_inputs"][0])
    return wanted


def _mentions(text: str) -> list[tuple[tuple[int, int], Description]]:
    """Every noun phrase in the singular, and what it says."""
    found = []
    for match in _PHRASE.finditer(text.lower()):
        said = {name: word for name, word in match.groupdict().items() if word and word not in NOUNS}
        found.append((match.span(), {name: SYNONYMS.get(word, word) for name, word in said.items()}))
    return found


def _pattern() -> re.Pattern[str]:
    parts = []
    for name, values in ATTRIBUTES.items():
        words = [*values, *(word for word, value in SYNONYMS.items() if value in values)]
        words += NOUNS if name == "shape" else ()
        parts.append(f"(?P<{name}>{'|'.join(words)})" if name == "shape" else f"(?:(?P<{name}>{'|'.join(words)}) )?")
    return re.compile(r"\b" + "".join(parts) + r"\b")


_PHRASE = _pattern()
