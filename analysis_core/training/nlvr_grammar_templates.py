"""Whole synthetic NLVR sentences: a frame, what it says of the boxes or objects, and its truth on scenes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis_core.models.nlvr_regions.regions import COLOURS
from analysis_core.training import nlvr_grammar as g
from analysis_core.training.nlvr_grammar_boxes import BoxTest, box_test, count, how_big, how_many, part
from analysis_core.training.nlvr_grammar_scenes import Bools, Ints, Scenes, anywhere, every, some


@dataclass(frozen=True)
class Sentence:
    """A synthetic sentence.

    template: name of its frame, with that of its box statement behind a dot
    tower:    whether it speaks of towers or of scattered boxes
    label:    truth [N] on scenes
    boxes:    boxes [N, 3] that satisfy its box statement (all of the label but the outer quantity)
    refers:   the objects [N, 3, 8] it refers to, in the order of its words
    """

    template: str
    text: str
    tower: bool
    label: Callable[[Scenes], Bools]
    boxes: g.Picks
    refers: tuple[g.Picks, ...]


def sentence(rng: np.random.Generator, tower: bool) -> Sentence:
    """A random sentence about towers or about scattered boxes."""
    c = g.Choices(rng)
    frames: dict[Callable[[g.Choices, bool], Sentence], float] = {
        there_is_a_box: 0.34,
        of_the_boxes: 0.12,
        every_box: 0.07,
        objects: 0.15,
        all_objects: 0.04,
        edge_colours: 0.0 if tower else 0.03,
        block_as_part: 0.12 if tower else 0.0,
        the_part_is: 0.05 if tower else 0.0,
        the_tower: 0.05 if tower else 0.0,
        coloured_tower: 0.06 if tower else 0.0,
        tower_of_size: 0.05 if tower else 0.0,
        same_size: 0.02,
        all_parts: 0.02 if tower else 0.0,
    }
    weights = np.array(list(frames.values()))
    return list(frames)[int(rng.choice(len(frames), p=weights / weights.sum()))](c, tower)


def box_noun(c: g.Choices, tower: bool) -> str:
    return "tower" if tower else c.one("box", "box", "box", "grey box", "grey square")


def _box_count(test: BoxTest, q: g.Quantity) -> Callable[[Scenes], Bools]:
    return lambda s: q.test(test.of(s).sum(-1))


def there_is(q: g.Quantity, noun: str, nouns: str) -> str:
    return f"there {'are' if q.plural else 'is'} {q.text} {nouns if q.plural else noun}"


def there_is_a_box(c: g.Choices, tower: bool) -> Sentence:
    """As in "there are two towers with a black block at the top"."""
    q, noun, test = g.quantity(c, 2) if c.chance(0.55) else _a(), box_noun(c, tower), box_test(c, tower)
    link = c.one("with", "with", "with", "that has", "which has", "having", "which contains", "containing")
    text = f"{there_is(q, noun, g.plural(noun))} {link} {test.text}{c.one('', '', '', '', '', ' in it')}"
    return Sentence(f"there_is_a_box.{test.name}", text, tower, _box_count(test, q), test.of, test.refers)


def _a() -> g.Quantity:
    return g.Quantity("a", False, g.at_least(1))


def of_the_boxes(c: g.Choices, tower: bool) -> Sentence:
    """As in "one of the grey box contains exactly one object"."""
    noun, test = g.plural(box_noun(c, tower)), box_test(c, tower)
    amounts = {
        "one": g.at_least(1),
        "at least one": g.at_least(1),
        "exactly one": g.exactly(1),
        "only one": g.exactly(1),
        "two": g.at_least(2),
        "exactly two": g.exactly(2),
        "none": g.exactly(0),
        "each": g.exactly(3),
        "all": g.exactly(3),
    }
    word = c.one("one", *amounts)
    q = g.Quantity(word, False, amounts[word])
    text = f"{word} of the {c.one('', '', 'three ')}{noun} {c.one('has', 'contains', 'have')} {test.text}"
    return Sentence(f"of_the_boxes.{test.name}", text, tower, _box_count(test, q), test.of, test.refers)


def every_box(c: g.Choices, tower: bool) -> Sentence:
    """As in "each tower has a yellow block", "there is at least one blue item in every box"."""
    noun, test = box_noun(c, tower), how_many(c, tower) if c.chance(0.7) else box_test(c, tower)
    if c.chance(0.6):
        who = c.one(f"each {noun}", f"every {noun}", f"all three {g.plural(noun)}", f"all {g.plural(noun)}")
        text = f"{who} {c.one('has', 'contains', 'have')} {test.text}"
    else:
        text = f"there is {test.text} in {c.one('each', 'every', 'each', 'all')} {noun}"
    return Sentence(f"every_box.{test.name}", text, tower, lambda s: every(test.of(s)), test.of, test.refers)


def objects(c: g.Choices, tower: bool) -> Sentence:
    """As in "there are exactly two black objects touching the edge": counted over the whole picture."""
    kind = g.thing(c, tower)
    if c.chance(0.75):
        kind = g.on_block(c) if tower else kind.modified(*g.touching(c))
    q = g.quantity(c, 3)
    of = kind.of
    text = there_is(q, kind.one, kind.many)
    if not tower and " touching " in text and c.chance(0.25):
        words, place = g.touching(c)
        kind = g.item(c)
        of = kind.modified(words, place).of
        text = f"{q.text} {kind.text(q.plural)} {'are' if q.plural else 'is'} {words.removeprefix('that is ')}"
    return Sentence("objects", text, tower, _total(of, q), lambda s: some(of(s)), (of, *kind.refers))


def _total(of: g.Picks, q: g.Quantity) -> Callable[[Scenes], Bools]:
    return lambda s: q.test(of(s).sum((-1, -2)))


def all_objects(c: g.Choices, tower: bool) -> Sentence:
    """As in "none of the blue circles are touching any edge", "all black blocks are at the base"."""
    kind = g.thing(c, tower)
    words, place = g.level(c) if tower else g.touching(c)
    words = words.removeprefix("that is ")
    inside, of = kind.modified(words, place).of, kind.of
    if c.chance(0.5):
        text = f"none of the {c.one(kind.one, kind.many)} {c.one('are', 'is')} {words}"
        return Sentence(
            "all_objects.none",
            text,
            tower,
            lambda s: ~anywhere(inside(s)),
            lambda s: ~some(inside(s)),
            (inside, of),
        )
    text = f"all {c.one('', 'the ', 'of the ')}{kind.many} are {words}"
    outside: g.Picks = lambda s: of(s) & ~inside(s)  # noqa: E731 - a closure beside its two parts
    return Sentence(
        "all_objects.all", text, tower, lambda s: ~anywhere(outside(s)), lambda s: ~some(outside(s)), (inside, of)
    )


def edge_colours(c: g.Choices, tower: bool) -> Sentence:
    """As in "there is only one color touching the wall", "items of all 3 colors are touching the edge"."""
    n = c.number(1, 3)
    wall = c.one("the wall", "the edge", "the side")
    number = f"all {c.one('three', '3')}" if n == 3 else f"only {c.one(g.number_word(n), str(n))}"
    colour = "color" if n == 1 else c.one("colors", "different colors")
    text = c.one(
        f"there {'is' if n == 1 else 'are'} {number} {colour} touching {wall}",
        f"{c.one('the ', '')}items of {number} {colour} are touching {wall}",
    )
    label = lambda s: _edge_colour_count(s) == n  # noqa: E731 - a closure beside its text
    return Sentence("edge_colours", text, tower, label, lambda s: some(s.edge), (lambda s: s.edge,))


def _edge_colour_count(s: Scenes) -> Ints:
    return np.asarray(sum(anywhere((s.colour == k) & s.edge).astype(np.int64) for k in range(3)))


def block_as_part(c: g.Choices, tower: bool) -> Sentence:
    """As in "there is a blue block as the base of a tower with three blocks"."""
    side, colour = c.one("base", "top"), c.number(0, 2)
    block, of, q = g.block(c, colour), part(side, colour), g.quantity(c, 2)
    text = f"{there_is(q, block.one, block.many)} as the {side} of a tower"
    if c.chance(0.35):
        return Sentence("block_as_part", text, tower, _total(of, q), lambda s: some(of(s)), (of,))
    test = how_big(c, tower) if c.chance(0.8) else how_many(c, tower, places=False)
    both: g.Picks = lambda s: of(s) & test.of(s)[..., None]  # noqa: E731 - a closure beside its two parts
    return Sentence(
        f"block_as_part.{test.name}",
        f"{text} with {test.text}",
        tower,
        _total(both, q),
        lambda s: some(both(s)),
        (of, *test.refers),
    )


def the_part_is(c: g.Choices, tower: bool) -> Sentence:
    """As in "the base of a tower is blue", "two towers have a blue second block"."""
    colour, n = c.number(0, 2), c.number(0, 3)
    side = c.one("base", "top")
    ordinal = ("first", "second", "third", "fourth")[n]
    place, same = g.nth(n, side), g.colour_is(colour)
    of: g.Picks = lambda s: place(s) & same(s)  # noqa: E731 - a closure beside its two parts
    subject = c.one(
        "the {} of a tower", "the {} of one tower", "one of the towers has a {} that", "there is a tower whose {}"
    )
    words = c.one(side, side) if n == 0 else f"{ordinal} block from the {side}"
    text = f"{subject.format(words)} is {c.one('', '', 'a ')}{COLOURS[colour]}"
    return Sentence("the_part_is", text, tower, _total(of, _a()), lambda s: some(of(s)), (of,))


def the_tower(c: g.Choices, tower: bool) -> Sentence:
    """As in "the tower with four blocks has a yellow block over a black block": some such tower."""
    size, test = how_big(c, tower), how_many(c, tower)
    lead = c.one(
        "the tower with", "the tower with", "there is a tower with", "at least one tower with", "one of the tower with"
    )
    link = (
        c.one("has", "has", "contains")
        if not lead.startswith("there")
        else c.one("having", "and it has", ", and it has")
    )
    both: g.Picks = lambda s: size.of(s) & test.of(s)  # noqa: E731 - a closure beside its two parts
    text = f"{lead} {size.text} {link} {test.text}".replace(" ,", ",")
    return Sentence(f"the_tower.{test.name}", text, tower, lambda s: some(both(s)), both, (*test.refers, *size.refers))


def coloured_tower(c: g.Choices, tower: bool) -> Sentence:
    """As in "there is a blue tower with only one block": all of its blocks have the colour."""
    colour, q, size = c.number(0, 2), g.quantity(c, 2), how_big(c, tower)
    of = g.colour_is(colour)
    text = there_is(q, f"{COLOURS[colour]} tower", f"{COLOURS[colour]} towers")
    single: g.Picks = lambda s: count(s, of) == s.present.sum(-1)  # noqa: E731 - a closure beside its text
    if c.chance(0.5):
        return Sentence("coloured_tower", text, tower, lambda s: q.test(single(s).sum(-1)), single, (of,))
    both: g.Picks = lambda s: single(s) & size.of(s)  # noqa: E731 - a closure beside its two parts
    text = f"{text} with {size.text}"
    return Sentence("coloured_tower.how_big", text, tower, lambda s: q.test(both(s).sum(-1)), both, (of, g.any_of))


def tower_of_size(c: g.Choices, tower: bool) -> Sentence:
    """As in "there is a four blocks tower which has a black base", "the base of a three block tower is blue"."""
    n = c.number(1, 4)
    size = c.one("one block", "single block") if n == 1 else f"{g.number_word(n)} {c.one('blocks', 'block')}"
    fits: g.Picks = lambda s: s.present.sum(-1) == n  # noqa: E731 - a closure beside its text
    if c.chance(0.3):
        side, colour = c.one("base", "top"), c.number(0, 2)
        of = part(side, colour)
        based: g.Picks = lambda s: fits(s) & some(of(s))  # noqa: E731 - a closure beside its two parts
        text = f"the {side} of {c.one('a', 'the', 'one')} {size} tower is {c.one('', 'a ')}{COLOURS[colour]}"
        return Sentence("tower_of_size.part", text, tower, lambda s: some(based(s)), based, (of, g.any_of))
    test = box_test(c, tower)
    both: g.Picks = lambda s: fits(s) & test.of(s)  # noqa: E731 - a closure beside its two parts
    text = f"there is {c.one('a', 'one')} {size} tower {c.one('with', 'which has', 'that has', 'having')} {test.text}"
    refers = (g.any_of, *test.refers)
    return Sentence(f"tower_of_size.{test.name}", text, tower, lambda s: some(both(s)), both, refers)


def same_size(c: g.Choices, tower: bool) -> Sentence:
    """As in "two towers have the same height", "there are two boxes with the same number of items"."""
    noun = g.plural(box_noun(c, tower))
    what = c.one("height", "number of blocks") if tower else f"number of {c.one('items', 'objects')}"
    lead = c.one(f"there are two {noun} {c.one('with', 'that has', 'that have', 'having')}", f"two {noun} have")
    text = f"{lead} the same {what}"
    return Sentence("same_size", text, tower, lambda s: some(_as_big_as_another(s)), _as_big_as_another, (g.any_of,))


def _as_big_as_another(s: Scenes) -> Bools:
    size = s.present.sum(-1)
    return np.asarray((size == np.roll(size, 1, axis=-1)) | (size == np.roll(size, -1, axis=-1)))


def all_parts(c: g.Choices, tower: bool) -> Sentence:
    """As in "the top of the three towers are the same in colors", "the bases of the towers are all blue"."""
    side = c.one("base", "top")
    place = g.nth(0, side)
    lead = f"{c.one('', 'all ')}the {c.one(side, side + 's')} of the {c.one('', 'three ')}towers are"
    form = c.number(0, 2)
    if form == 2:
        colour = c.number(0, 2)
        of = part(side, colour)
        text = f"{lead} {c.one('', 'all ')}{COLOURS[colour]}"
        return Sentence("all_parts.colour", text, tower, lambda s: every(some(of(s))), lambda s: some(of(s)), (of,))
    words = c.one("the same in colors", "the same", "the same color", "same in color")
    text = f"{lead} {'not ' if form else ''}{words}"
    same = lambda s: _colours_at(s, place) == 1  # noqa: E731 - a closure beside its text
    label = (lambda s: ~same(s)) if form else same
    return Sentence("all_parts.same", text, tower, label, lambda s: some(place(s)), (place,))


def _colours_at(s: Scenes, place: g.Picks) -> Ints:
    at = place(s)
    return np.asarray(sum(anywhere((s.colour == k) & at).astype(np.int64) for k in range(3)))
