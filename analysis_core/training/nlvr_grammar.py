"""Phrases of the synthetic NLVR sentences: quantities, things, places; each knows its words and what it picks out.

`nlvr_grammar_templates` joins them to sentences; `nlvr_regions` trains on those, executed on scenes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis_core.models.nlvr_regions.regions import COLOURS, SHAPES
from analysis_core.training.nlvr_grammar_scenes import Bools, Ints, Scenes

Picks = Callable[[Scenes], Bools]

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven")
_SIZE_WORDS = {"small": 10, "medium": 20, "big": 30}


@dataclass(frozen=True)
class Quantity:
    """How many: its words, whether they ask for a plural, and the test of a count."""

    text: str
    plural: bool
    test: Callable[[Ints], Bools]


@dataclass(frozen=True)
class Thing:
    """Some objects: noun phrase in singular and plural, the objects [N, 3, 8] it picks out, and what it refers to."""

    one: str
    many: str
    of: Picks
    refers: tuple[Picks, ...] = ()

    def text(self, plural: bool) -> str:
        return self.many if plural else self.one

    def modified(self, words: str, of: Picks, refers: tuple[Picks, ...] = ()) -> Thing:
        """The thing with a modifier behind it; only objects that both pick out remain."""
        before = self.of
        return Thing(f"{self.one} {words}", f"{self.many} {words}", lambda s: before(s) & of(s), self.refers + refers)


class Choices:
    """Random choices of one sentence."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def one(self, *options: str) -> str:
        """One of the options, equally likely; an empty option means no word."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def colours(self, count: int) -> list[int]:
        """Distinct colours."""
        return [int(c) for c in self.rng.permutation(len(COLOURS))[:count]]


def plural(noun: str) -> str:
    return noun + ("es" if noun.endswith("x") else "s")


def number_word(n: int) -> str:
    return _NUMBERS[n]


def any_of(s: Scenes) -> Bools:
    """Every object."""
    return s.present


def colour_is(*wanted: int) -> Picks:
    return lambda s: np.isin(s.colour, wanted)


def at_least(n: int) -> Callable[[Ints], Bools]:
    return lambda count: np.asarray(count >= n)


def exactly(n: int) -> Callable[[Ints], Bools]:
    return lambda count: np.asarray(count == n)


def quantity(c: Choices, high: int, *, bare_is_exact: bool = False) -> Quantity:
    """A quantity of 0 to `high`. A bare number means "at least" unless `bare_is_exact` ("a tower with two blocks")."""
    n = c.number(1, high) if c.chance(0.6) else 1
    word = number_word(n) if c.chance(0.6) else str(n)
    form = c.rng.choice(9, p=(0.34, 0.17, 0.2, 0.1, 0.03, 0.03, 0.03, 0.05, 0.05))
    if form == 0 or (form == 8 and n > 1):
        bare = exactly(n) if bare_is_exact else at_least(n)
        return Quantity(c.one("a", "one", "a") if n == 1 else word, n > 1, bare)
    if form == 1:
        return Quantity(c.one("at least ", "atleast ", "at least ") + word, n > 1, at_least(n))
    if form == 2:
        return Quantity(f"exactly {word}", n > 1, exactly(n))
    if form == 3:
        return Quantity(f"only {word}", n > 1, exactly(n))
    if form == 4:
        return Quantity(f"at most {word}", n > 1, lambda count: np.asarray(count <= n))
    if form == 5:
        return Quantity(f"more than {word}", n > 1, at_least(n + 1))
    if form == 6:
        return Quantity(f"less than {number_word(n + 1)}", True, lambda count: np.asarray(count <= n))
    if form == 7:
        return Quantity("no", c.chance(0.5), exactly(0))
    return Quantity("a", False, exactly(1) if bare_is_exact else at_least(1))


def block(c: Choices, colour: int | None = None) -> Thing:
    """A coloured block of a tower (any colour where none is given)."""
    noun = c.one("block", "block", "block", "block", "item", "object", "square")
    chosen = c.number(0, 2) if colour is None else colour
    name = c.one("", "", "", "", "color ") + noun
    return Thing(f"{COLOURS[chosen]} {name}", f"{COLOURS[chosen]} {plural(name)}", colour_is(chosen))


def item(c: Choices, colour: int | None = None, *, coloured: float = 0.8) -> Thing:
    """An object of a scattered box: perhaps a size, a colour, a shape."""
    words: list[str] = []
    tests: list[Picks] = [any_of]
    if c.chance(0.06):
        size = c.one(*_SIZE_WORDS)
        words.append(size)
        pixels = _SIZE_WORDS[size]
        tests.append(lambda s: np.asarray(s.size == pixels))
    if colour is not None or c.chance(coloured):
        chosen = c.number(0, 2) if colour is None else colour
        words.append(COLOURS[chosen])
        tests.append(colour_is(chosen))
    if c.chance(0.55):
        shape = c.number(0, 2)
        words.append(SHAPES[shape])
        tests.append(lambda s: np.asarray(s.shape == shape))
    else:
        words.append(c.one("item", "item", "object", "shape") if words else c.one("item", "object"))
    text = " ".join(words)
    return Thing(text, plural(text), lambda s: np.logical_and.reduce([test(s) for test in tests]))


def thing(c: Choices, tower: bool) -> Thing:
    return block(c) if tower else item(c)


def on_block(c: Choices) -> Thing:
    """A block beside others of its tower: on, over, above, below, under or between coloured blocks."""
    upper, lower = block(c), block(c)
    form = c.rng.choice(3, p=(0.5, 0.35, 0.15))
    article = c.one("a", "a", "a", "the")
    if form == 0:
        words, of = c.one("on", "on top of", "over", "above"), _stands_on(lower.of)
    elif form == 1:
        words, of = c.one("below", "under", "beneath", "bellow"), _stands_under(lower.of)
    else:
        on, under = _stands_on(lower.of), _stands_under(lower.of)
        return upper.modified(f"{c.one('', 'in ')}between two {lower.many}", lambda s: on(s) & under(s), (lower.of,))
    return upper.modified(f"{words} {article} {lower.one}", of, (lower.of,))


def _stands_on(lower: Picks) -> Picks:
    return lambda s: np.asarray((s.on & lower(s)[..., None, :]).any(-1))


def _stands_under(upper: Picks) -> Picks:
    return lambda s: np.asarray((s.on & upper(s)[..., :, None]).any(-2))


def level(c: Choices) -> tuple[str, Picks]:
    """A place in a tower, as words behind a block."""
    form = c.rng.choice(4, p=(0.42, 0.42, 0.08, 0.08))
    if form == 0:
        return c.one(
            "at the top", "at the top", "on the top", "at top", "on top"
        ), lambda s: s.present & (s.from_top == 0)
    if form == 1:
        words = c.one("at the base", "at the base", "at the bottom", "at base", "on the base", "as the base")
        return words, lambda s: s.present & (s.from_base == 0)
    if form == 2:
        return c.one("in the middle", "in the middle of it"), is_middle
    n = c.number(1, 3)
    side = c.one("base", "bottom", "top")
    ordinal = ("first", "second", "third", "fourth")[n]
    words = c.one(f"at the {ordinal} place from the {side}", f"as the {ordinal} block from the {side}")
    return words, nth(n, side)


def nth(n: int, side: str) -> Picks:
    """Objects with n others between them and the top (or the base) of their tower."""
    return lambda s: s.present & ((s.from_top if side == "top" else s.from_base) == n)


def is_middle(s: Scenes) -> Bools:
    """In the middle: as many blocks below as above."""
    return s.present & (s.from_top == s.from_base) & (s.from_top > 0)


def touching(c: Choices) -> tuple[str, Picks]:
    """A place at the edge of a box, as words behind an object; perhaps denied."""
    verb = c.one(
        "touching", "touching", "touching", "closely touching", "nearly touching", "close to", "that is touching"
    )
    form = c.rng.choice(5, p=(0.5, 0.15, 0.15, 0.05, 0.15))
    article = c.one("the", "the", "a", "an", "any")
    of: Picks
    if form == 0:
        words, of = f"{article} {c.one('edge', 'edge', 'wall', 'wall', 'side')}", _edge
    elif form == 1:
        words, of = f"{article} corner", _corner
    elif form == 2:
        words, of = f"the {c.one('bottom', 'base', 'bottom edge', 'base edge', 'bottom wall')}", _side("bottom")
    elif form == 3:
        words, of = f"the {c.one('top', 'top edge', 'top wall')}", _side("top")
    else:
        side = c.one("left", "right")
        words, of = f"{c.one('the ', '')}{side} {c.one('edge', 'wall', 'side')}", _side(side)
    words += c.one("", "", " of a box", " of the box")
    if c.chance(0.15):
        return f"not {verb.removeprefix('that is ')} {words}", lambda s: s.present & ~of(s)
    return f"{verb} {words}", of


def _edge(s: Scenes) -> Bools:
    return s.edge


def _corner(s: Scenes) -> Bools:
    return s.corner


def _side(side: str) -> Picks:
    return lambda s: s.nearest[side]
