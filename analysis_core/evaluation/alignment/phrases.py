"""Which word atoms make up a phrase, and which are function words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis_core.errors import BadInput

#: English words without content of their own: they name no object, so their maps should point nowhere in particular.
FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be both but by do does for from had has have how in is it its of on or than that the "
        "their them there these they this those to was were what when where which who whose why will with",
    )
)


def word_spans(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where a text holds the words that a model made of it, in their order; case does not matter.

    raises: BadInput (a word that does not follow the one before)
    """
    spans, at, lowered = [], 0, text.lower()
    for word in words:
        start = lowered.find(word.lower(), at)
        if start < 0:
            raise BadInput(f"the model's word {word!r} is not where it should be in {text!r}")
        at = start + len(word)
        spans.append((start, at))
    return spans


def words_of(phrase: tuple[int, int], spans: Sequence[tuple[int, int]]) -> list[int]:
    """The words that share a character with the phrase. raises: BadInput (none)"""
    start, stop = phrase
    found = [i for i, (a, b) in enumerate(spans) if a < stop and b > start]
    if not found:
        raise BadInput(f"no word of the model lies in the phrase at characters {start} to {stop}")
    return found


def function_words(words: Sequence[str], phrases: Sequence[Sequence[int]]) -> list[int]:
    """Function words outside all phrases."""
    taken = {i for phrase in phrases for i in phrase}
    return [i for i, word in enumerate(words) if i not in taken and word.lower() in FUNCTION_WORDS]
