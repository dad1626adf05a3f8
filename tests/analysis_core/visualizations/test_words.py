"""Strength classes of words and the highlighted sentence."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from analysis_core.errors import BadInput
from analysis_core.visualizations import svg, words

SVG = "{http://www.w3.org/2000/svg}"


def parse(picture: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - our own output


def test_classes_are_relative_to_the_largest_strength():
    # Shares 0, .09, .1, .5, 1 of the largest: 5 * share + .5 is .5, .95, 1, 3, 5.5.
    assert words.levels([0, 0.18, 0.2, 1, -2]) == [0, 0, 1, 3, 5]
    assert words.levels([0.0, 0.0]) == [0, 0]
    assert words.levels([]) == []
    assert words.levels(np.array([1e-300])) == [5]


def test_a_weight_that_is_no_number_is_refused():
    with pytest.raises(BadInput):
        words.levels([1, float("nan")])
    with pytest.raises(BadInput, match="2 words need as many weights, not 1"):
        words.svg(["a", "b"], [1], title="")


def test_strength_shows_by_thickness_and_background_and_the_sign_by_dashes():
    root = parse(words.svg(["red", "the", "cube"], [1, 0, -0.4], title="Words"))
    strong, weak = root.findall(f"{SVG}line")
    # Classes 5 and 2: one more than the class in pixels.
    assert (strong.get("stroke-width"), weak.get("stroke-width")) == ("6", "3")
    assert (strong.get("stroke-dasharray"), weak.get("stroke-dasharray")) == (None, "5 4")
    assert strong.get("stroke") != weak.get("stroke")
    backgrounds = [float(r.get("fill-opacity")) for r in root.findall(f"{SVG}rect") if r.get("fill-opacity")]
    assert backgrounds == [0.9, 0.36]
    assert [text.text for text in root.findall(f"{SVG}text")] == ["red", "the", "cube"]
    assert root.find(f"{SVG}title").text == "Words"


def test_lines_break_within_the_card():
    root = parse(words.svg(["word"] * 30 + ["x" * 200], [1] * 31, title="", width=300))
    for line in root.findall(f"{SVG}line"):
        assert 0 < float(line.get("x1")) < float(line.get("x2")) <= 300
        assert float(line.get("y1")) < float(root.get("height"))
    assert root.findall(f"{SVG}text")[-1].text.endswith("…")


def test_markup_and_control_characters_are_only_text():
    text = '<script>&"\x00\ud800'
    root = parse(words.svg([text], [1], title=text))
    assert root.find(f"{SVG}text").text == root.find(f"{SVG}title").text == '<script>&"\ufffd\ufffd'


def test_an_empty_sentence_and_an_empty_word_are_cards_too():
    assert parse(words.svg([], [], title="none")).findall(f"{SVG}text") == []
    assert parse(words.svg([""], [0], title="none")).findall(f"{SVG}text") == []


def test_wide_letters_take_more_room_than_narrow_ones():
    assert svg.width("ill", 10) < svg.width("see", 10) < svg.width("MWM", 10)
    assert svg.width("漢", 10) == 10
    assert svg.width("e\u0301", 10) == svg.width("e", 10)
    assert svg.shortened("abcdef", 10, 1000) == "abcdef"


def places(sentence, **options):
    labels = parse(words.svg(sentence, [1.0] * len(sentence), title="", **options)).findall(f"{SVG}text")
    return {label.text: float(label.get("x")) for label in labels}


def test_sentences_from_right_to_left_begin_at_the_right():
    found = places(["ما", "لون", "الكرة"])
    assert found["ما"] > found["لون"] > found["الكرة"]
    # The first word ends where the card's text does.
    assert found["ما"] + svg.width("ما", words.SIZE) + words.PAD == pytest.approx(640 - words.MARGIN, abs=0.02)
    lines = list(places([f"כדור{i}" for i in range(30)], width=300).values())
    assert max(lines) < 280
    assert min(lines) > 20


def test_runs_of_the_other_direction_keep_their_own_order():
    found = places(["מה", "red", "cube", "?", "של"])
    assert found["מה"] > found["cube"] > found["red"] > found["?"] > found["של"]
    found = places(["the", "word", "הכדור", "הגדול", "is"])
    assert found["the"] < found["word"] < found["הגדול"] < found["הכדור"] < found["is"]


def test_marks_and_joiners_take_no_room():
    # Thai vowels and Hindi signs above the letter have a combining class of 0; so have joiners.
    assert svg.width("ที่", 10) == svg.width("ท", 10)
    assert svg.width("a\u200db\ufe0f", 10) == svg.width("ab", 10)


def test_a_card_without_room_for_words_is_refused():
    for width in (0, 10, -5, "x"):
        with pytest.raises(BadInput, match="width must be a whole number of at least 80"):
            words.svg(["a"], [1], title="", width=width)
