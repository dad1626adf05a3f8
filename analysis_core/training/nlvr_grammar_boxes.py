"""What a synthetic NLVR sentence says of one box or tower: the part behind "with" or "has"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis_core.models.nlvr_regions.regions import COLOURS, SHAPES
from analysis_core.training import nlvr_grammar as g
from analysis_core.training.nlvr_grammar_scenes import Bools, Ints, Scenes, some


@dataclass(frozen=True)
class BoxTest:
    """Words, the boxes [N, 3] that pass, the objects it refers to (in the order of the words)."""

    name: str
    text: str
    of: g.Picks
    refers: tuple[g.Picks, ...]


def count(s: Scenes, of: g.Picks) -> Ints:
    """[N, 3] objects of each box that are picked out."""
    return np.asarray(of(s).sum(-1))


def box_test(c: g.Choices, tower: bool) -> BoxTest:
    """A random statement about one box."""
    makers: dict[Callable[[g.Choices, bool], BoxTest], float] = {
        how_many: 0.36,
        how_big: 0.08,
        only: 0.09,
        colours: 0.08,
        kinds: 0.11,
        of_which: 0.09,
        sized: 0.07,
        same_number: 0.02,
        parts if tower else on_top: 0.06,
        stacked if tower else only_shapes: 0.04,
    }
    return list(makers)[int(c.rng.choice(len(makers), p=list(makers.values())))](c, tower)


def how_many(c: g.Choices, tower: bool, *, places: bool = True) -> BoxTest:
    """As in "two blue blocks", "a black block at the top", "no circle touching the edge"."""
    q, kind = g.quantity(c, 3), g.thing(c, tower)
    if kind.one in ("item", "object"):
        # Without colour, shape or place it is the size of the box, where a bare number is exact.
        return how_big(c, tower)
    if places and c.chance(0.45):
        kind = g.on_block(c) if tower and c.chance(0.4) else kind.modified(*(g.level(c) if tower else g.touching(c)))
    of, text = kind.of, f"{q.text} {kind.text(q.plural)}"
    if c.chance(0.06):
        colour = c.number(0, 2)
        noun = "block" if tower else "item"
        denied = c.chance(0.3)
        be = f"{'are' if q.plural else 'is'}{' not' if denied else ''}"
        tail = c.one(f"{COLOURS[colour]}", f"of {COLOURS[colour]} color", f"{COLOURS[colour]} in color")
        text = f"{q.text} {g.plural(noun) if q.plural else noun} {c.one('which', 'that')} {be} {tail}"
        of = g.colour_is(*({0, 1, 2} - {colour} if denied else {colour}))
        return BoxTest("how_many", text, lambda s: q.test(count(s, of)), (of,))
    return BoxTest("how_many", text, lambda s: q.test(count(s, of)), (of, *kind.refers))


def how_big(c: g.Choices, tower: bool) -> BoxTest:
    """As in "exactly four blocks", "3 items": a bare number is exact here."""
    q = g.quantity(c, 4 if tower else 6, bare_is_exact=True)
    noun = c.one("block", "block", "block", "object") if tower else c.one("item", "item", "object")
    text = f"{q.text} {g.plural(noun) if q.plural else noun}"
    return BoxTest("how_big", text, lambda s: q.test(count(s, g.any_of)), (g.any_of,))


def only(c: g.Choices, tower: bool) -> BoxTest:
    """As in "only blue and yellow items", "blocks of black color only": nothing else, and each of them."""
    noun = g.plural(c.one("block", "block", "item") if tower else c.one("item", "item", "object"))
    wanted = c.colours(1 if c.chance(0.6) else 2)
    names = " and ".join(COLOURS[k] for k in wanted)
    text = c.one(
        f"only {names} {noun}",
        f"only {names} {noun}",
        f"{noun} of only {names} color",
        f"{noun} of {names} color only",
        f"only {noun} of {names} color",
    )
    sets = tuple(g.colour_is(k) for k in wanted)
    return BoxTest("only", text, lambda s: _nothing_but(s, sets), sets)


def _nothing_but(s: Scenes, sets: tuple[g.Picks, ...]) -> Bools:
    counts = [count(s, of) for of in sets]
    every = np.logical_and.reduce([n > 0 for n in counts])
    return np.asarray(every & (sum(counts) == s.present.sum(-1)))


def colours(c: g.Choices, tower: bool) -> BoxTest:
    """As in "blocks of all three colors", "items of two different colors", "only items of the same shape"."""
    noun = g.plural("block" if tower else c.one("item", "object"))
    by_shape = not tower and c.chance(0.25)
    what = "shape" if by_shape else "color"
    n = c.number(1, 3)
    if n == 1:
        words = c.one(f"the same {what}", f"the same {what}", f"one {what}", f"same {what}", f"single {what}")
    elif n == 2:
        words = f"{c.one('two', '2', 'only two', 'only 2')} {c.one('different ', '')}{g.plural(what)}"
    else:
        words = f"{c.one('all three', 'all 3', 'three', '3')} {c.one('different ', '', '')}{g.plural(what)}"
    text = f"{c.one('', '', 'the ', 'all the ', 'only ')}{noun} of {words}"
    if n == 1 and c.chance(0.2):
        text = c.one(f"only same {noun} in {what}", f"{noun} that are the same in {what}", f"the same {what} {noun}")
    return BoxTest("colours", text, lambda s: distinct(s.shape if by_shape else s.colour) == n, (g.any_of,))


def distinct(values: Ints) -> Ints:
    """[N, 3] how many different values, -1 left out, the objects of each box have."""
    return np.asarray(sum((values == k).any(-1).astype(np.int64) for k in range(3)))


def kinds(c: g.Choices, tower: bool) -> BoxTest:
    """As in "a yellow circle, a blue square and two black items": each of two or three statements holds."""
    tests = [how_many(c, tower, places=c.chance(0.3)) for _ in range(3 if c.chance(0.2) else 2)]
    text = ", ".join(test.text for test in tests[:-1]) + f" and {tests[-1].text}"
    refers = tuple(of for test in tests for of in test.refers)
    return BoxTest("kinds", text, lambda s: np.logical_and.reduce([test.of(s) for test in tests]), refers)


def of_which(c: g.Choices, tower: bool) -> BoxTest:
    """As in "four items of which two are blue", "exactly three blocks where one of them is black"."""
    size = how_big(c, tower)
    n = c.number(1, 3)
    forms = (("", g.at_least(n)), ("at least ", g.at_least(n)), ("exactly ", g.exactly(n)), ("only ", g.exactly(n)))
    prefix, test = forms[int(c.rng.choice(4, p=(0.55, 0.2, 0.15, 0.1)))]
    amount = prefix + (g.number_word(n) if c.chance(0.6) else str(n))
    be, colour = "are" if n > 1 else "is", c.number(0, 2)
    of, adjective = g.colour_is(colour), COLOURS[colour]
    if not tower and c.chance(0.3):
        shape = c.number(0, 2)
        of, adjective = _shape_is(shape), g.plural(SHAPES[shape]) if n > 1 else f"a {SHAPES[shape]}"
    text = c.one(
        f"of which {amount} {be} {adjective}",
        f"where {amount} of them {be} {adjective}",
        f"and {amount} of them {be} {adjective}",
        f"where {amount} of the {'blocks' if tower else 'items'} {be} {adjective}",
        f"and {amount} {be} {adjective}",
    )
    both = lambda s: size.of(s) & test(count(s, of))  # noqa: E731 - a closure beside its two parts
    return BoxTest("of_which", f"{size.text} {text}", both, (of, g.any_of))


def sized(c: g.Choices, tower: bool) -> BoxTest:
    """As in "four items of two different colors", "three blocks of the same color", "3 items with only blue color"."""
    size = how_big(c, tower)
    n = c.number(1, 3)
    words = (
        c.one("of the same color", "of same color", "of one color", "of a single color"),
        c.one("of two different colors", "of 2 colors", "of only two colors", "of two colors"),
        c.one("of all three colors", "of three different colors", "of all 3 different colors", "of different colors"),
    )[n - 1]
    if c.chance(0.7):
        both = lambda s: size.of(s) & (distinct(s.colour) == n)  # noqa: E731 - a closure beside its text
        return BoxTest("sized.colours", f"{size.text} {words}", both, (g.any_of,))
    wanted = c.colours(1 if c.chance(0.5) else 2)
    names = " and ".join(COLOURS[k] for k in wanted)
    sets = tuple(g.colour_is(k) for k in wanted)
    text = f"{size.text} {c.one('of only', 'with only')} {names} color"
    return BoxTest("sized.only", text, lambda s: size.of(s) & _nothing_but(s, sets), sets)


def same_number(c: g.Choices, tower: bool) -> BoxTest:
    """As in "the same number of blue and yellow items", "more black than blue blocks"."""
    noun = g.plural("block" if tower else c.one("item", "object"))
    a, b = c.colours(2)
    first, second = g.colour_is(a), g.colour_is(b)
    if c.chance(0.5):
        text = f"{c.one('the same', 'same', 'equal')} number of {COLOURS[a]} and {COLOURS[b]} {noun}"
        return BoxTest("same_number", text, lambda s: count(s, first) == count(s, second), (first, second))
    text = c.one(f"more {COLOURS[a]} than {COLOURS[b]} {noun}", f"more {COLOURS[a]} {noun} than {COLOURS[b]} {noun}")
    return BoxTest("same_number", text, lambda s: count(s, first) > count(s, second), (first, second))


def parts(c: g.Choices, tower: bool) -> BoxTest:
    """As in "a black base", "black as a base and yellow as a top block", "a blue second block"."""
    a, b = c.number(0, 2), c.number(0, 2)
    side = c.one("base", "top")
    other = "top" if side == "base" else "base"
    first, second = part(side, a), part(other, b)
    if c.chance(0.4):
        text = c.one(f"a {COLOURS[a]} {side}", f"a {side} of {COLOURS[a]} block", f"{COLOURS[a]} color {side}")
        return BoxTest("parts", text, lambda s: some(first(s)), (first,))
    text = c.one(
        f"{COLOURS[a]} as a {side} and {COLOURS[b]} as a {other} block",
        f"a {COLOURS[a]} {side} and a {COLOURS[b]} {other}",
        f"a {COLOURS[a]} block at the {side} and {COLOURS[b]} at the {other}",
        f"{COLOURS[a]} {side} and {COLOURS[b]} {other}",
    )
    return BoxTest("parts", text, lambda s: some(first(s)) & some(second(s)), (first, second))


def part(side: str, colour: int) -> g.Picks:
    """The top or base block of a tower, if it has this colour."""
    place, of = g.nth(0, side), g.colour_is(colour)
    return lambda s: place(s) & of(s)


def on_top(c: g.Choices, tower: bool) -> BoxTest:
    """As in "3 items where the black item is on top", "a yellow item on top"."""
    colour = c.number(0, 2)
    of = part("top", colour)
    if c.chance(0.5):
        text = f"{c.one('a', 'the')} {COLOURS[colour]} {c.one('item', 'object')} {c.one('on', 'at the')} top"
        return BoxTest("on_top", text, lambda s: some(of(s)), (of,))
    size = how_big(c, tower)
    text = f"{size.text} {c.one('where the', 'and the', 'and a')} {COLOURS[colour]} item {c.one('is on', 'on')} top"
    return BoxTest("on_top", text, lambda s: size.of(s) & some(of(s)), (of, g.any_of))


def stacked(c: g.Choices, tower: bool) -> BoxTest:
    """As in "two blue blocks stacked together"."""
    n, colour = c.number(2, 3), c.number(0, 2)
    of = g.colour_is(colour)
    word = g.number_word(n) if c.chance(0.5) else str(n)
    how = c.one("stacked together", "stacked together", "on top of each other", "attached with each other", "in a row")
    consecutive = c.one("", "", "consecutive ") if how == "in a row" else ""
    text = f"{c.one('', 'at least ')}{word} {consecutive}{COLOURS[colour]} blocks {how}"
    return BoxTest("stacked", text, lambda s: longest_run(s, of) >= n, (of,))


def longest_run(s: Scenes, of: g.Picks) -> Ints:
    """[N, 3] the longest run of picked-out blocks that stand on one another."""
    picked = of(s)
    run, longest = picked, some(picked).astype(np.int64)
    for length in (2, 3, 4):
        run = picked & some(s.on & run[..., None, :])
        longest = np.where(some(run), length, longest)
    return longest


def only_shapes(c: g.Choices, tower: bool) -> BoxTest:
    """As in "only squares and circles"."""
    wanted = [int(k) for k in c.rng.permutation(3)[: 1 if c.chance(0.5) else 2]]
    names = " and ".join(g.plural(SHAPES[k]) for k in wanted)
    sets: tuple[Callable[[Scenes], Bools], ...] = tuple(_shape_is(k) for k in wanted)
    text = c.one(f"only {names}", f"objects which are only {names}", f"only {names}")
    return BoxTest("only_shapes", text, lambda s: _nothing_but(s, sets), sets)


def _shape_is(shape: int) -> g.Picks:
    return lambda s: np.asarray(s.shape == shape)
