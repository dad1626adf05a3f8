"""What an NLVR-like sentence says of three boxes, read off its words with plain loops; shares nothing with the grammar.

A scene is three lists of objects (dicts: colour, shape, size, x, y).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Thing = dict[str, Any]
Box = list[Thing]
Scene = list[Box]

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"]
ORDINALS = ["first", "second", "third", "fourth"]
COLOURS, SHAPES = ("yellow", "blue", "black"), ("square", "triangle", "circle")
SIZES = {"small": 10, "medium": 20, "big": 30}
BOX = r"(?:tower|grey box|grey square|box)(?:s|es)?"
HAS = r"(?:with|that has|which has|having|which contains|containing|contains|has|have)"


def truth(template: str, text: str, scene: Scene) -> bool:
    """The sentence's truth; the template's name says which reading its frame has."""
    frame, _, statement = template.partition(".")
    return FRAMES[frame](text, statement, scene)


def number(word: str) -> int:
    return int(word) if word.isdigit() else NUMBERS.index(word)


def quantity(text: str, *, exact: bool = False) -> tuple[Callable[[int], bool], str]:
    """The test that a leading quantity means, and the rest of the text."""
    found = re.match(r"(?:(at least|atleast|exactly|only|at most|more than|less than) )?(\w+) (.*)", text)
    assert found, text
    how, n, rest = found[1], 1 if found[2] == "a" else number(found[2]), found[3]
    tests: dict[str | None, Callable[[int], bool]] = {
        "at least": lambda k: k >= n,
        "atleast": lambda k: k >= n,
        "exactly": lambda k: k == n,
        "only": lambda k: k == n,
        "at most": lambda k: k <= n,
        "more than": lambda k: k > n,
        "less than": lambda k: k < n,
        None: lambda k: k == n if exact or n == 0 else k >= n,
    }
    return tests[how], rest


def order(box: Box) -> Box:
    """From the top to the base."""
    return sorted(box, key=lambda o: o["y"])


def touches(o: Thing, where: str) -> bool:
    right, bottom = o["x"] + o["size"] == 100, o["y"] + o["size"] == 100
    sides = {"left": o["x"] == 0, "right": right, "top": o["y"] == 0, "bottom": bottom, "base": bottom}
    for side, at in sides.items():
        if side in where.split():
            return at
    if "corner" in where:
        return (sides["left"] or right) and (sides["top"] or bottom)
    return any(sides.values())


def place(words: str, o: Thing, box: Box) -> bool:
    """Whether an object is where the words behind its noun say."""
    found = re.fullmatch(
        r"(not )?(?:that is touching|(?:closely |nearly )?touching|close to) (.*?)(?: of (?:a|the) box)?", words
    )
    if found:
        return touches(o, found[2]) != bool(found[1])
    column = order(box)
    i = next(k for k, other in enumerate(column) if other is o)
    found = re.fullmatch(r"(on|on top of|over|above|below|under|beneath|bellow) (?:a|the) (\w+) .*", words)
    if found:
        j = i + 1 if found[1] in ("on", "on top of", "over", "above") else i - 1
        return 0 <= j < len(column) and column[j]["colour"] == found[2]
    found = re.fullmatch(r"(?:in )?between two (\w+) .*", words)
    if found:
        return 0 < i < len(column) - 1 and column[i - 1]["colour"] == column[i + 1]["colour"] == found[1]
    found = re.fullmatch(r"(?:at|as) the (\w+) (?:place|block) from the (\w+)", words)
    if found:
        return i == (ORDINALS.index(found[1]) if found[2] == "top" else len(column) - 1 - ORDINALS.index(found[1]))
    if "middle" in words:
        return len(column) % 2 == 1 and len(column) > 1 and i == len(column) // 2
    return i == (0 if words.endswith("top") else len(column) - 1)


def matches(phrase: str, o: Thing, box: Box) -> bool:
    """Whether an object is what a noun phrase (without its quantity) says."""
    found = re.fullmatch(
        r"(?:(small|medium|big) )?(?:(yellow|blue|black) )?(?:color )?"
        r"(block|item|object|shape|square|triangle|circle)s?(?: (.*))?",
        phrase,
    )
    assert found, phrase
    size, colour, noun, words = found.groups()
    # In a tower every block is a square, so "square" is always right there.
    fits = noun not in SHAPES or o["shape"] == noun
    fits = fits and (not size or o["size"] == SIZES[size]) and (not colour or o["colour"] == colour)
    relative = re.fullmatch(r"(?:which|that) (?:are|is)( not)? (?:of )?(\w+)(?: color| in color)?", words or "")
    if relative and relative[2] in COLOURS:
        return fits and (o["colour"] == relative[2]) != bool(relative[1])
    return fits and (not words or place(words, o, box))


def how_many(text: str, box: Box) -> bool:
    bare = re.search(r"(?:^| )(?:block|item|object)s?$", text) and not any(c in text for c in (*COLOURS, *SIZES))
    test, phrase = quantity(text, exact=bool(bare))
    return test(sum(matches(phrase, o, box) for o in box))


def colour_count(box: Box, key: str = "colour") -> int:
    return len({o[key] for o in box})


def only(text: str, box: Box) -> bool:
    named = {c for c in COLOURS if c in text}
    return {o["colour"] for o in box} == named


def colours(text: str, box: Box) -> bool:
    key = "shape" if "shape" in text else "colour"
    for words, n in (("three", 3), ("3", 3), ("two", 2), ("2", 2)):
        if words in text.split():
            return colour_count(box, key) == n
    return colour_count(box, key) == 1


def of_which(text: str, box: Box) -> bool:
    found = re.fullmatch(
        r"(.*?) (?:of which|where|and) (.*?)(?: of them| of the (?:block|item)s)? (?:is|are) (?:a )?(\w+)", text
    )
    assert found, text
    test, _ = quantity(found[2] + " of")
    kind = found[3].removesuffix("s") if found[3] not in COLOURS else found[3]
    return how_many(found[1], box) and test(sum(kind in (o["colour"], o["shape"]) for o in box))


def sized(text: str, box: Box) -> bool:
    size, _, rest = re.split(r" (of|with) ", text, maxsplit=1)
    if any(c in rest for c in COLOURS):
        return how_many(size, box) and only(rest, box)
    wanted = 3 if rest == "different colors" else 0
    return how_many(size, box) and (colour_count(box) == wanted if wanted else colours(rest, box))


def same_number(text: str, box: Box) -> bool:
    a, b = (c for c in re.findall(r"\w+", text) if c in COLOURS)
    n, m = (sum(o["colour"] == c for o in box) for c in (a, b))
    return n > m if text.startswith("more") else n == m


def part_is(side: str, colour: str, box: Box) -> bool:
    return bool(box) and order(box)[0 if side == "top" else -1]["colour"] == colour


def parts(text: str, box: Box) -> bool:
    named = [w for w in re.findall(r"\w+", text) if w in COLOURS]
    sides = [w for w in re.findall(r"\w+", text) if w in ("top", "base")]
    return all(part_is(s, c, box) for s, c in zip(sides, named, strict=True))


def on_top(text: str, box: Box) -> bool:
    """Nothing lies wholly higher than some object of the colour."""
    colour = next(c for c in COLOURS if c in text)
    highest = [o for o in box if not any(p["y"] + p["size"] <= o["y"] for p in box)]
    sized = re.fullmatch(r"(.*?) (?:where the|and the|and a) \w+ item (?:is )?on top", text)
    return any(o["colour"] == colour for o in highest) and (not sized or how_many(sized[1], box))


def stacked(text: str, box: Box) -> bool:
    found = re.match(r"(?:at least )?(\w+) (?:consecutive )?(\w+) blocks", text)
    assert found, text
    runs = re.findall(r"1+", "".join(str(int(o["colour"] == found[2])) for o in order(box)))
    return any(len(run) >= number(found[1]) for run in runs)


def only_shapes(text: str, box: Box) -> bool:
    return {o["shape"] for o in box} == {s for s in SHAPES if s in text.replace("objects", "")}


STATEMENTS: dict[str, Callable[[str, Box], bool]] = {
    "how_many": how_many,
    "how_big": how_many,
    "only": only,
    "colours": colours,
    "kinds": lambda text, box: all(how_many(part, box) for part in re.split(r", | and ", text)),
    "of_which": of_which,
    "sized.colours": sized,
    "sized.only": sized,
    "same_number": same_number,
    "parts": parts,
    "on_top": on_top,
    "stacked": stacked,
    "only_shapes": only_shapes,
}


def satisfying(statement: str, text: str, scene: Scene) -> int:
    return sum(STATEMENTS[statement](text, box) for box in scene)


def there_is_a_box(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(rf"there (?:is|are) (.*?{BOX}) {HAS} (.*?)(?: in it)?", text)
    assert found, text
    return quantity(found[1])[0](satisfying(statement, found[2], scene))


def of_the_boxes(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(rf"(.*?) of the (?:three )?{BOX} {HAS} (.*)", text)
    assert found, text
    n = satisfying(statement, found[2], scene)
    wholes = {"none": 0, "each": 3, "all": 3}
    return n == wholes[found[1]] if found[1] in wholes else quantity(found[1] + " of")[0](n)


def every_box(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(rf"(?:each|every|all three|all) {BOX} {HAS} (.*)", text)
    found = found or re.fullmatch(rf"there is (.*) in (?:each|every|all) {BOX}", text)
    assert found, text
    return satisfying(statement, found[1], scene) == 3


def objects(text: str, statement: str, scene: Scene) -> bool:
    text = re.sub(r" (is|are) (?=not |closely |nearly |touching|close to)", " ", text)
    test, phrase = quantity(re.sub(r"^there (is|are) ", "", text).replace("that touching", "that is touching"))
    return test(sum(matches(phrase, o, box) for box in scene for o in box))


def all_objects(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(r"(none of the|all(?: the| of the)?) (.*?) (?:are|is) (.*)", text)
    assert found, text
    inside = [place(found[3], o, box) for box in scene for o in box if matches(found[2], o, box)]
    return not any(inside) if found[1].startswith("none") else all(inside)


def edge_colours(text: str, statement: str, scene: Scene) -> bool:
    n = next(number(w) for w in text.split() if w in NUMBERS[1:4] or w in "123")
    return len({o["colour"] for box in scene for o in box if touches(o, "edge")}) == n


def block_as_part(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(r"there (?:is|are) (.*) as the (top|base) of a tower(?: with (.*))?", text)
    assert found, text
    test, phrase = quantity(found[1])
    towers = [box for box in scene if not found[3] or STATEMENTS[statement](found[3], box)]
    return test(sum(part_is(found[2], phrase.split()[0], box) for box in towers))


def the_part_is(text: str, statement: str, scene: Scene) -> bool:
    found = re.search(r"(?:(\w+) block from the )?(top|base) .*?(?:that )?is (?:a )?(yellow|blue|black)$", text)
    found = found or re.search(r"(?:(\w+) block from the )?(top|base) is (?:a )?(yellow|blue|black)$", text)
    assert found, text
    n = ORDINALS.index(found[1]) if found[1] else 0
    columns = [order(box) if found[2] == "top" else order(box)[::-1] for box in scene]
    return any(len(column) > n and column[n]["colour"] == found[3] for column in columns)


def the_tower(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(r".*?tower with (.*?),? (?:and it has|having|has|contains) (.*)", text)
    assert found, text
    return any(how_many(found[1], box) and STATEMENTS[statement](found[2], box) for box in scene)


def coloured_tower(text: str, statement: str, scene: Scene) -> bool:
    found = re.fullmatch(r"there (?:is|are) (.*) (yellow|blue|black) towers?(?: with (.*))?", text)
    assert found, text
    towers = [box for box in scene if all(o["colour"] == found[2] for o in box)]
    return quantity(found[1] + " of")[0](sum(not found[3] or how_many(found[3], box) for box in towers))


def tower_of_size(text: str, statement: str, scene: Scene) -> bool:
    found = re.search(r"(?:a|the|one) (\w+) blocks? tower (.*)", text)
    assert found, text
    n = 1 if found[1] == "single" else number(found[1])
    towers = [box for box in scene if len(box) == n]
    if statement == "part":
        return any(part_is(text.split()[1], text.split()[-1], box) for box in towers)
    return satisfying(statement, re.sub(rf"^{HAS} ", "", found[2]), towers) > 0


def same_size(text: str, statement: str, scene: Scene) -> bool:
    return len({len(box) for box in scene}) < 3


def all_parts(text: str, statement: str, scene: Scene) -> bool:
    side = "top" if " top" in text else "base"
    found = {order(box)[0 if side == "top" else -1]["colour"] for box in scene if box}
    if statement == "colour":
        return found == {text.split()[-1]}
    return (len(found) == 1) != (" not " in text)


FRAMES: dict[str, Callable[[str, str, Scene], bool]] = {
    "there_is_a_box": there_is_a_box,
    "of_the_boxes": of_the_boxes,
    "every_box": every_box,
    "objects": objects,
    "all_objects": all_objects,
    "edge_colours": edge_colours,
    "block_as_part": block_as_part,
    "the_part_is": the_part_is,
    "the_tower": the_tower,
    "coloured_tower": coloured_tower,
    "tower_of_size": tower_of_size,
    "same_size": same_size,
    "all_parts": all_parts,
}
