"""From a question to WordPiece tokens grouped into the words that a reader sees; encoding and training share it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from transformers import BertTokenizer

from analysis_core.errors import BadCheckpoint

#: A word with inner apostrophes or hyphens, or one sign that is neither word nor space.
_PARTS = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True)
class Tokens:
    """ids and, for each of them, the index of its word or -1 ([CLS], [SEP], punctuation); words; their characters."""

    ids: tuple[int, ...]
    groups: tuple[int, ...]
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


class Reader:
    """LXMERT's tokenizer (BERT's lower-casing WordPiece) with sub-words counted to their words."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.pad, _, self._first, self._last, self.mask = tokenizer.convert_tokens_to_ids(list(_SPECIAL))
        self.pieces = lru_cache(maxsize=None)(self._pieces)

    @classmethod
    def of_tokens(cls, tokens: Sequence[str]) -> Reader:
        """raises: BadCheckpoint (a special token is missing)"""
        if missing := [name for name in _SPECIAL if name not in tokens]:
            raise BadCheckpoint(f"the vocabulary lacks {', '.join(missing)}")
        return cls(BertTokenizer(vocab={token: i for i, token in enumerate(tokens)}))

    @classmethod
    def of_folder(cls, folder: Path) -> Reader:
        """The tokenizer stored beside published weights. raises: BadCheckpoint"""
        if not any((folder / name).is_file() for name in ("vocab.txt", "tokenizer.json")):
            raise BadCheckpoint(f"{folder} has no tokenizer: put vocab.txt or tokenizer.json beside the weights")
        return cls(BertTokenizer.from_pretrained(folder))

    @property
    def tokens(self) -> tuple[str, ...]:
        """The vocabulary by id."""
        vocabulary = self._tokenizer.get_vocab()
        return tuple(sorted(vocabulary, key=vocabulary.__getitem__))

    def read(self, text: str) -> Tokens:
        """[CLS], the pieces of each word, [SEP]. Punctuation is read as in training but is no atom of its own."""
        ids, groups = [self._first], [-1]
        words: list[str] = []
        spans: list[tuple[int, int]] = []
        for found in _PARTS.finditer(text):
            pieces = self.pieces(found.group())
            is_word = found.group()[0].isalnum() or found.group()[0] == "_"
            ids += pieces
            groups += [len(words) if is_word else -1] * len(pieces)
            if is_word:
                words.append(found.group())
                spans.append(found.span())
        return Tokens((*ids, self._last), (*groups, -1), tuple(words), tuple(spans))

    def _pieces(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.convert_tokens_to_ids(self._tokenizer.tokenize(word)))
