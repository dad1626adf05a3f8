"""What the text of a cell means at a level of measurement. Called by answer_files."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from analysis_core.errors import BadInput, UnknownName
from analysis_core.statistics.ratings import LEVELS

#: Spellings of "not available", compared in lower case: missing at numeric levels, labels at nominal level.
NOT_AVAILABLE = frozenset({"nan", "na", "n/a", "<na>"})
BOOLEANS = frozenset({"true", "false", "yes", "no"})
#: Beyond it, and below its inverse, squared differences leave the range of float64.
LARGEST = 1e100


@dataclass
class Scale:
    """Turns cells into codes: numbers at numeric levels, the place of the label among the labels at nominal level.

    domain:        the declared values; any other is refused. At ordinal level labels that are no numbers may be
                   declared in their order, lowest first.
    decimal_comma: 3,5 is three and a half
    spelled:       how often which spelling of "not available" was met
    """

    level: str
    domain: tuple[str, ...] = ()
    decimal_comma: bool = False
    labels: dict[str, int] = field(default_factory=dict)
    numbers: frozenset[float] = frozenset()
    spelled: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UnknownName("level of measurement", self.level, LEVELS)
        if self.domain and (len(set(self.domain)) < max(2, len(self.domain)) or "" in self.domain):
            raise BadInput("the declared values are two or more different texts, none of them empty")
        if self.level == "nominal" or (self.level == "ordinal" and not all(map(_is_number, self.domain))):
            self.labels = {label: place for place, label in enumerate(self.domain)}
        else:
            self.numbers = self._declared_numbers()

    @property
    def by_label(self) -> bool:
        """Whether codes stand for labels, not for the numbers themselves."""
        return self.level == "nominal" or bool(self.labels)

    def code(self, text: str) -> float:
        """The code of a cell without the blanks around it; nan is missing.

        raises: ValueError, whose text is the sentence for the user
        """
        if not text:
            return math.nan
        if not self.by_label:
            return self._number(text)
        if text.lower() in NOT_AVAILABLE and text not in self.domain:
            self.spelled[text] += 1
            if self.level != "nominal":
                return math.nan
        if not self.domain:
            return self.labels.setdefault(text, len(self.labels))
        if text not in self.labels:
            raise ValueError(f"{text!r} is not one of the declared values {_listed(self.domain)}")
        return self.labels[text]

    def _declared_numbers(self) -> frozenset[float]:
        if missing := next((text for text in self.domain if text.lower() in NOT_AVAILABLE), None):
            raise BadInput(f"among the declared values: {missing!r} is a missing answer at level {self.level}")
        try:
            return frozenset(self._number(text) for text in self.domain)
        except ValueError as error:
            raise BadInput(f"among the declared values: {error}") from None

    def _number(self, text: str) -> float:
        if text.lower() in NOT_AVAILABLE:
            self.spelled[text] += 1
            return math.nan
        try:
            number = float("x" if "_" in text else text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            raise ValueError(self._no_number(text)) from None
        if not math.isfinite(number) or (self.level == "ratio" and number < 0):
            wanted = "numbers of at least 0" if math.isfinite(number) else "finite numbers"
            raise ValueError(f"{text!r}: level {self.level} needs {wanted}")
        if abs(number) > LARGEST or 0 < abs(number) < 1 / LARGEST:
            raise ValueError(f"{text!r}: numbers lie between {1 / LARGEST:g} and {LARGEST:g} in size, or are 0")
        if self.numbers and number not in self.numbers:
            raise ValueError(f"{text!r} is not one of the declared values {_listed(self.domain)}")
        return number

    def _no_number(self, text: str) -> str:
        sentence = f"{text!r} is not a number, as level {self.level} needs"
        if text.lower() in BOOLEANS:
            return f"{sentence}: truth values are labels (--level nominal), or write them as 1 and 0"
        if _is_number(text.replace(",", ".")):
            return f"{sentence}: decimal commas are read in files with semicolons only; write a point"
        if self.level == "ordinal" and not self.domain:
            return f"{sentence}; labels have an order where --values gives it, lowest first"
        return sentence


def _listed(domain: tuple[str, ...]) -> str:
    return ", ".join(domain[:12]) + (f" and {len(domain) - 12} more" if len(domain) > 12 else "")


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float("x" if "_" in text else text))
    except ValueError:
        return False
