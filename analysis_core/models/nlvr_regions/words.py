"""From a sentence to its words and their vocabulary tokens: spelling, numbers and plurals are normalised here only."""

from __future__ import annotations

import difflib
import string
from collections.abc import Sequence

PAD, MASK = "[PAD]", "[MASK]"

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NOUNS = "block box tower item object circle square triangle color edge wall shape side corner base top thing stack"
_PLURALS = {noun + ("es" if noun == "box" else "s"): noun for noun in _NOUNS.split()}
#: Slips that are frequent in crowd-written sentences and that the nearest word in spelling would not repair.
_SLIPS = {
    "atleast": "at least",
    "atmost": "at most",
    "atower": "a tower",
    "abox": "a box",
    "ll": "all",
    "t": "at",
    "tow": "two",
    "bule": "blue",
    "bae": "base",
    "bellow": "below",
    "beneath": "below",
    "colour": "color",
    "colours": "color",
    "colored": "color",
    "coloured": "color",
    "blacks": "black",
    "blues": "blue",
    "yellows": "yellow",
    "gray": "grey",
    "sthe": "the",
    "1st": "first",
    "2nd": "second",
    "3rd": "third",
    "4th": "fourth",
}


def words(sentence: str) -> tuple[str, ...]:
    """The words as a reader reads them, punctuation kept; punctuation that stands alone joins the word before it."""
    found: list[str] = []
    for part in sentence.split():
        if found and not part.strip(string.punctuation):
            found[-1] += " " + part
        else:
            found.append(part)
    return tuple(found)


def normalise(word: str) -> tuple[str, ...]:
    """Vocabulary tokens of one word, at least one: "atleast" gives two, a lone dash a token that is not known."""
    bare = word.lower().strip(string.punctuation + " ")
    return tuple(_singular(part) for part in _SLIPS.get(bare, bare).split()) or (word,)


def _singular(word: str) -> str:
    if word.isdigit() and int(word) < len(_NUMBERS):
        return _NUMBERS[int(word)]
    return _PLURALS.get(word, word)


class Vocabulary:
    """Tokens by index; 0 is [PAD], 1 is [MASK], which also stands for words that are not known."""

    def __init__(self, tokens: Sequence[str]) -> None:
        """tokens: all tokens, [PAD] and [MASK] first"""
        self.tokens = tuple(tokens)
        self._index = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def index(self, token: str) -> int:
        """The token's index; a misspelt word of four letters or more takes the nearest known one, else [MASK]."""
        if token in self._index or len(token) < 4:
            return self._index.get(token, 1)
        near = difflib.get_close_matches(token, self.tokens[2:], n=1, cutoff=0.8)
        return self._index[near[0]] if near else 1

    def encode(self, sentence: str) -> tuple[list[int], list[int]]:
        """Token indices, and for each token the position of its word in `words(sentence)`."""
        pairs = [(self.index(token), i) for i, word in enumerate(words(sentence)) for token in normalise(word)]
        return [token for token, _ in pairs], [word for _, word in pairs]
