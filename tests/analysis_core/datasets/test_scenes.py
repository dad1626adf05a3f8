"""Generated scenes: what is drawn is what is told, and answers follow from programs."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np
import pytest
from clevr_interpreter import execute

from analysis_core.datasets.scenes import render
from analysis_core.datasets.scenes.questions import QUESTION_TYPES, Asker
from analysis_core.datasets.scenes.vocabulary import ANSWER_TYPES, COLORS, WORDS


@pytest.fixture(scope="module")
def drawn():
    """200 scenes with 10 questions each."""
    return [(scene, Asker(scene.kinds, rng).ask(10)) for scene, rng in render.scenes(3, "test", 0, 200)]


def test_every_object_is_at_least_60_percent_visible(drawn):
    for scene, _ in drawn:
        for i, thing in enumerate(scene.objects):
            assert (scene.owner == i).sum() >= 0.6 * thing.sprite.mask.sum()


def test_boxes_hold_pixels_of_the_named_colour(drawn):
    for scene, _ in drawn[:60]:
        for i, thing in enumerate(scene.objects):
            x0, y0, x1, y1 = scene.box(i)
            inside = scene.image[y0:y1, x0:x1].reshape(-1, 3).astype(float)
            # Shading scales a colour and leaves its direction in RGB space.
            wanted = np.array(COLORS[thing.looks.color], float)
            cosine = inside @ wanted / (np.linalg.norm(inside, axis=1) * np.linalg.norm(wanted))
            assert (cosine > 0.96).mean() > 0.25, (thing, cosine.max())


def test_scenes_hold_three_to_six_objects_inside_the_picture(drawn):
    sizes = Counter(len(scene.objects) for scene, _ in drawn)
    assert set(sizes) == {3, 4, 5, 6}
    assert all(scene.image.shape == (96, 96, 3) for scene, _ in drawn)


def test_executing_a_program_gives_the_stored_answer(drawn):
    for scene, questions in drawn:
        objects = [thing.looks._asdict() for thing in scene.objects]
        for question in questions:
            assert execute(question.program, objects) == question.answer, question.text


def test_a_hidden_attribute_is_never_named_by_the_question(drawn):
    for question in (q for _, questions in drawn for q in questions):
        family, _, attribute = question.kind.partition("_")
        if family in ("query", "pair", "same"):
            assert f"filter_{attribute}" not in [node["function"] for node in question.program]


def test_every_type_occurs_and_every_word_and_answer_is_known(drawn):
    questions = [q for _, asked in drawn for q in asked]
    assert {q.kind for q in questions} == set(QUESTION_TYPES)
    assert {q.answer for q in questions} <= set(ANSWER_TYPES)
    assert {word for q in questions for word in re.findall("[a-z]+", q.text.lower())} <= set(WORDS)


def test_guessing_from_the_question_type_is_poor():
    answers = defaultdict(Counter)
    for scene, rng in render.scenes(4, "test", 0, 600):
        for question in Asker(scene.kinds, rng).ask(10):
            answers[question.kind][question.answer] += 1
    right = sum(counts.most_common(1)[0][1] for counts in answers.values())
    total = sum(sum(counts.values()) for counts in answers.values())
    # Half of the binary questions and fewer of the others: below one half in all.
    assert right / total < 0.5
    for kind in ("exist", "compare_number"):
        assert 0.4 < answers[kind]["yes"] / sum(answers[kind].values()) < 0.6


def test_the_same_seed_draws_the_same_bytes_and_another_split_does_not():
    def pictures(seed: int, split: str) -> bytes:
        return b"".join(scene.image.tobytes() for scene, _ in render.scenes(seed, split, 0, 5))

    assert pictures(0, "val") == pictures(0, "val")
    assert pictures(0, "val") != pictures(0, "train")
    assert pictures(0, "val") != pictures(1, "val")


def test_scenes_can_be_drawn_from_any_position():
    whole = [scene.image for scene, _ in render.scenes(0, "val", 0, 4)]
    tail = [scene.image for scene, _ in render.scenes(0, "val", 2, 4)]
    assert all((a == b).all() for a, b in zip(whole[2:], tail, strict=True))
