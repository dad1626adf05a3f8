"""Generated NLVR sentences against an interpreter of their words, and the batches made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nlvr_interpreter import FRAMES, STATEMENTS, truth

from analysis_core.models.nlvr_regions.regions import COLOUR, COLOURS, EDGES, PRESENT, SHAPE, SHAPES
from analysis_core.training.nlvr_grammar_scenes import Scenes, is_tower, recombined, scenes_from
from analysis_core.training.nlvr_grammar_templates import Sentence, sentence
from analysis_core.training.nlvr_regions_batches import (
    Real,
    Synthetic,
    build_vocabulary,
    real_batch,
    real_examples,
    tokens_of,
)

Regions = list[dict[str, Any]]


def tower(rng: np.random.Generator) -> Regions:
    """1 to 4 blocks, as NLVR places them: the base at y = 80, each next one 21 pixels higher."""
    return [
        {"colour": COLOURS[rng.integers(3)], "shape": "square", "size": 20, "x": 40, "y": 80 - 21 * i}
        for i in range(rng.integers(1, 5))
    ]


def scattered(rng: np.random.Generator) -> Regions:
    """1 to 7 objects, each coordinate at an edge in two cases of three."""
    box = []
    for _ in range(rng.integers(1, 8)):
        size = int(rng.choice([10, 20, 30]))
        x, y = (int(rng.choice([0, 100 - size, rng.integers(0, 101 - size)])) for _ in range(2))
        box.append({"colour": COLOURS[rng.integers(3)], "shape": SHAPES[rng.integers(3)], "size": size, "x": x, "y": y})
    return box


def random_scenes(rng: np.random.Generator, *, towers: bool, n: int) -> list[list[Regions]]:
    return [[(tower if towers else scattered)(rng) for _ in range(3)] for _ in range(n)]


def flat(scene: list[Regions]) -> Regions:
    return [o | {"box": b} for b, box in enumerate(scene) for o in box]


def arrays(scenes: list[list[Regions]]) -> Scenes:
    return scenes_from([flat(scene) for scene in scenes])


@pytest.fixture(scope="module")
def drawn() -> list[Sentence]:
    rng = np.random.default_rng(3)
    return [sentence(rng, bool(i % 2)) for i in range(1600)]


@pytest.fixture(scope="module")
def real() -> Real:
    """Stand-in for the real part: random scenes with one sentence about a colour, a shape and a side."""
    rng = np.random.default_rng(4)
    rows = []
    for i in range(60):
        scene = random_scenes(rng, towers=i % 2 == 0, n=1)[0]
        text = "There is a yellow triangle touching the left wall."
        rows.append({"text": text, "label": int(truth("objects", text.lower()[:-1], scene)), "regions": flat(scene)})
    return real_examples(rows)


def test_each_sentence_is_true_exactly_where_its_words_say_so(drawn: list[Sentence]) -> None:
    rng = np.random.default_rng(5)
    seen: dict[str, set[bool]] = {}
    for spoken in drawn:
        scenes = random_scenes(rng, towers=spoken.tower, n=10)
        expected = [truth(spoken.template, spoken.text, scene) for scene in scenes]
        assert spoken.label(arrays(scenes)).tolist() == expected, (spoken.template, spoken.text)
        seen.setdefault(spoken.template.partition(".")[0], set()).update(expected)
    assert seen == {frame: {True, False} for frame in FRAMES}


def test_every_frame_and_every_box_statement_is_drawn(drawn: list[Sentence]) -> None:
    assert {s.template.partition(".")[0] for s in drawn} == set(FRAMES)
    assert {s.template.partition(".")[2] for s in drawn} >= set(STATEMENTS)


def test_a_sentence_refers_to_present_objects_and_judges_three_boxes(drawn: list[Sentence]) -> None:
    rng = np.random.default_rng(6)
    for spoken in drawn[:300]:
        scenes = arrays(random_scenes(rng, towers=spoken.tower, n=4))
        assert spoken.boxes(scenes).shape == (4, 3)
        assert spoken.refers, spoken.template
        for of in spoken.refers:
            assert not (of(scenes) & ~scenes.present).any(), spoken.text


def test_facts_of_a_tower_by_hand() -> None:
    # From the base: yellow at y 80, blue at 59, black at 38.
    column = [
        {"colour": c, "shape": "square", "size": 20, "x": 40, "y": y}
        for c, y in zip(COLOURS, (80, 59, 38), strict=True)
    ]
    scene = arrays([[column, [], []]])
    assert is_tower(flat([column, [], []]))
    assert scene.from_base[0, 0, :3].tolist() == [0, 1, 2]
    assert scene.from_top[0, 0, :3].tolist() == [2, 1, 0]
    # on[i, j]: blue on yellow, black on blue; black is above yellow but not on it.
    assert np.argwhere(scene.on[0, 0]).tolist() == [[1, 0], [2, 1]]
    assert np.argwhere(scene.above[0, 0]).tolist() == [[1, 0], [2, 0], [2, 1]]


def test_facts_at_the_edges_by_hand() -> None:
    # A corner object, one a pixel away from the right edge, one in the open.
    places = [(0, 90), (89, 40), (40, 40)]
    box = [{"colour": "black", "shape": "circle", "size": 10, "x": x, "y": y} for x, y in places]
    scene = arrays([[box, [], []]])
    assert scene.edge[0, 0, :3].tolist() == [True, False, False]
    assert scene.corner[0, 0, :3].tolist() == [True, False, False]
    assert not is_tower(flat([box, [], []]))


def test_recombined_scenes_keep_the_boxes_up_to_names_and_mirror() -> None:
    rng = np.random.default_rng(7)
    source = random_scenes(rng, towers=False, n=5)
    scenes = recombined(arrays(source), 50, rng, shapes=True)
    # Sizes and heights survive renaming, mirroring and shuffling.
    known = {tuple(sorted((o["size"], o["y"]) for o in box)) for scene in source for box in scene}
    for n in range(50):
        for b in range(3):
            there = scenes.present[n, b]
            assert tuple(sorted(zip(scenes.size[n, b][there], scenes.y[n, b][there], strict=True))) in known


def test_synthetic_batches_are_balanced_and_their_targets_are_aligned(real: Real) -> None:
    vocabulary = build_vocabulary(real, draws=2000)
    batch = Synthetic(real, vocabulary, np.random.default_rng(8)).batch(64)
    assert batch.label.sum() == 32
    # Each sentence comes with two scenes that make it true and two that make it false.
    assert (batch.label.reshape(-1, 4).sum(1) == 2).all()
    present = batch.image[..., PRESENT].reshape(64, 1, 3, 8)
    assert (batch.gates <= present).all()
    assert (batch.gates.amax((2, 3)) <= batch.gate_known).all()


def test_the_same_seed_draws_the_same_batch(real: Real) -> None:
    vocabulary = build_vocabulary(real, draws=2000)
    one, two = (Synthetic(real, vocabulary, np.random.default_rng(9)).batch(16) for _ in range(2))
    assert (one.tokens == two.tokens).all()
    assert (one.image == two.image).all()


def test_augmentation_keeps_the_truth_of_real_sentences(real: Real) -> None:
    vocabulary = build_vocabulary(real, draws=2000)
    batch = real_batch(real, vocabulary, np.random.default_rng(10))
    said = set()
    for tokens, rows, label in zip(batch.tokens, batch.image, batch.label, strict=True):
        words = [vocabulary.tokens[i] for i in tokens if i > 0]
        colour, shape, side = words[3], words[4], words[7]
        said.add((colour, shape, side))
        is_colour = rows[:, COLOUR][:, COLOURS.index(colour)] > 0
        is_shape = rows[:, SHAPE][:, SHAPES.index(shape)] > 0
        at_side = rows[:, EDGES][:, ("left", "right").index(side)] == 1
        assert bool((is_colour & is_shape & at_side).any()) == bool(label), words
    assert len(said) > 6


def test_numbers_plurals_and_slips_become_one_spelling() -> None:
    assert tokens_of("There are 2 Towers, atleast .") == ("there", "are", "two", "tower", "at", "least")
