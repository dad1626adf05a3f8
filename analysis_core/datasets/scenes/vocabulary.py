"""What scenes are made of and how it is spoken about: attributes, kinds, descriptions, answers and types."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: CLEVR v1.0's eight colours (Johnson et al. 2017), RGB.
COLORS: dict[str, tuple[int, int, int]] = {
    "gray": (87, 87, 87),
    "red": (173, 35, 35),
    "blue": (42, 75, 215),
    "green": (29, 105, 20),
    "brown": (129, 74, 25),
    "purple": (129, 38, 192),
    "cyan": (41, 208, 208),
    "yellow": (255, 238, 51),
}
SHAPES = ("cube", "sphere", "cylinder")
MATERIALS = ("rubber", "metal")
SIZES = ("small", "large")
#: Attribute -> its values, in the order in which English puts them before the noun.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "size": SIZES,
    "color": tuple(COLORS),
    "material": MATERIALS,
    "shape": SHAPES,
}
MAX_OBJECTS = 6


class Kind(NamedTuple):
    """What one object looks like, up to where it stands."""

    size: str
    color: str
    material: str
    shape: str


class Description(NamedTuple):
    """A conjunction of attribute values; "" leaves an attribute open."""

    size: str
    color: str
    material: str
    shape: str

    @property
    def named(self) -> tuple[str, ...]:
        """The attributes that the description fixes."""
        return tuple(name for name, value in zip(ATTRIBUTES, self, strict=True) if value)

    def phrase(self, *, plural: bool = False) -> str:
        """ "small red cube", "metal things" """
        noun = (self.shape or "thing") + ("s" if plural else "")
        return " ".join([value for value in self[:3] if value] + [noun])


KINDS = tuple(Kind(*values) for values in product(*ATTRIBUTES.values()))
DESCRIPTIONS = tuple(Description(*values) for values in product(*(("", *values) for values in ATTRIBUTES.values())))
#: [n_kinds, n_descriptions]: does a kind fit a description?
FITS: NDArray[np.bool_] = np.array(
    [[all(d in ("", k) for k, d in zip(kind, wanted, strict=True)) for wanted in DESCRIPTIONS] for kind in KINDS]
)
#: [n_descriptions, 4]: which attributes a description fixes.
NAMES: NDArray[np.bool_] = np.array([[bool(value) for value in wanted] for wanted in DESCRIPTIONS])

NUMBERS = tuple(str(n) for n in range(MAX_OBJECTS + 1))


def _answer_types() -> dict[str, str]:
    types = {value: name for name, values in ATTRIBUTES.items() for value in values}
    types |= {"yes": "boolean", "no": "boolean"}
    types |= dict.fromkeys(NUMBERS, "number")
    for name in ("color", "shape"):
        types |= {f"{a}+{b}": f"{name} pair" for a, b in product(ATTRIBUTES[name], repeat=2)}
    return types


#: Answer -> type, in the order of the labels.
ANSWER_TYPES = _answer_types()
ANSWERS = tuple(ANSWER_TYPES)

_WORDS_OF_QUESTIONS = (
    "what is are the a there how many besides and do have same more fewer than color shape material size thing things"
)
#: Every lower-case word that a generated question can hold.
WORDS = tuple(
    dict.fromkeys(
        [
            *_WORDS_OF_QUESTIONS.split(),
            *(value for values in ATTRIBUTES.values() for value in values),
            *(shape + "s" for shape in SHAPES),
        ]
    )
)
