"""Two-object questions in memory, the spans of phrases in generated questions, and crops of boxes."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from PIL import Image

from analysis_core.datasets.scenes import render
from analysis_core.datasets.scenes.questions import Asker
from analysis_core.datasets.scenes.regions import crops
from analysis_core.datasets.scenes.two_objects import two_object_questions
from analysis_core.datasets.scenes.vocabulary import ANSWERS, ATTRIBUTES


@pytest.fixture(scope="module")
def asked():
    """Scenes with 12 questions each."""
    return [(scene, Asker(scene.kinds, rng).ask(12)) for scene, rng in render.scenes(4, "test", 0, 80)]


def fits(phrase: str, looks) -> bool:
    """Whether each content word of a phrase is one of the object's values."""
    words = phrase.replace("things", "thing").split()
    known = [word for word in words if word != "thing"]
    return all(word in looks or word.removesuffix("s") in looks for word in known)


def test_spans_hold_phrases_that_fit_the_objects_they_name(asked):
    for scene, questions in asked:
        for q in questions:
            phrases = [q.text[start:stop] for start, stop in q.spans]
            looks = [thing.looks for thing in scene.objects]
            assert all(phrase.strip() == phrase and phrase for phrase in phrases)
            if q.first >= 0:
                named = [q.first, q.second][: len(phrases)]
                assert all(fits(phrase, looks[i]) for phrase, i in zip(phrases, named, strict=True)), q
            else:
                counted = [found for found in q.sets if found is not None]
                for phrase, found in zip(phrases, counted, strict=True):
                    assert [fits(phrase, look) for look in looks] == found.tolist(), q


def test_a_phrase_ends_with_its_noun_and_has_no_article(asked):
    nouns = {*ATTRIBUTES["shape"], "thing"}
    for q in (q for _, questions in asked for q in questions):
        for start, stop in q.spans:
            words = q.text[start:stop].split()
            assert words[-1].removesuffix("s") in nouns
            assert not {"the", "a"} & set(words)


def test_each_phrase_of_a_two_object_question_names_one_object_of_its_own():
    for sample in islice(two_object_questions(seed=5, split="test"), 40):
        one, two = (phrase["boxes"] for phrase in sample["phrases"])
        assert one != two
        assert len(one) == len(two) == 1
        assert sample["boxes"].shape == (len(sample["boxes"]), 4)
        assert ANSWERS[sample["label"]] == sample["answer"]
        assert sample["question_type"].partition("_")[0] in ("pair", "same")


def test_two_object_questions_repeat_for_a_seed_and_share_no_scene():
    one, two = (list(islice(two_object_questions(seed=5, families=["pair"]), 6)) for _ in range(2))
    assert [s["text"] for s in one] == [s["text"] for s in two]
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(one, two, strict=True))
    assert len({s["id"] for s in one}) == 6
    assert {s["question_type"].partition("_")[0] for s in one} == {"pair"}


def test_crops_hold_what_lies_in_the_box():
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[5:9, 10:16] = (200, 100, 50)
    found = crops(Image.fromarray(picture), [[10, 5, 16, 9], [0, 0, 10, 5]], side=8)
    assert found.shape == (2, 8, 8, 3)
    assert (found[0] == (200, 100, 50)).all()
    assert (found[1] == 0).all()


def test_what_lies_outside_the_picture_is_black_and_a_thin_box_is_a_pixel_wide():
    white = Image.new("RGB", (10, 10), "white")
    outside, thin = crops(white, [[5, 0, 15, 10], [2.2, 3, 2.4, 7]], side=8)
    assert (outside[:, 0] == 255).all()
    assert (outside[:, -1] == 0).all()
    assert (thin == 255).all()
