"""The Flickr30k experiment on planted photos: what every readout and control finds follows from the planting."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from analysis_core.datasets.flickr30k import Flickr30k
from analysis_core.errors import BadInput
from analysis_core.evaluation import alignment
from analysis_core.evaluation.alignment import paper
from analysis_core.evaluation.alignment.flickr30k_experiment import prepare
from tests.analysis_core.datasets.flickr30k_files import write_picture, write_split
from tests.analysis_core.toys_photos import COLOURS, PlantedPhotos, write_photos

PICTURES = 10


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    write_photos(root, PICTURES)
    return Flickr30k(root, "val")


@pytest.fixture(scope="module")
def found(photos):
    return alignment.flickr30k(PlantedPhotos(), photos, pictures=PICTURES)


def value(experiment, readout, **how):
    return experiment.rate("phrases", readout, **how).value


def test_planted_words_and_regions_are_found_and_chance_is_not_above_chance(found):
    # Eight phrases on each picture, four entities with boxes: one in four at random.
    assert found.rate("phrases", "second_order_norm").n == 8 * PICTURES
    for readout in ("second_order_norm", "hutchinson", "removal"):
        assert value(found, readout) == 1
        assert value(found, readout, joint=True) == 1
    assert found.chance("phrases") == 0.25
    random = found.over_pictures("phrases", "random")
    assert random.low < 0.25 < random.high


def test_controls_find_what_they_can_and_no_more(found):
    # First order is the same for both phrases of a sentence, with the stronger colour above: right for one of two.
    # Words like "is" are tied to nothing, and a swapped phrase finds the other one's entity.
    assert value(found, "first_order") == 0.5
    assert value(found, "function_words") == 0
    assert value(found, "swapped_phrase") == 0
    # Blue has two boxes of 16 x 16, together the largest area: right for one of four.
    assert value(found, "box_area") == 0.25
    assert found.rate("phrases", "attention") is None


def test_the_report_tells_what_the_controls_say(found):
    said = " ".join(found.findings("phrases"))
    assert "second_order_norm (1.000) lies above every control." in said
    assert "not distinguishable" not in said
    assert all(f"| {name} |" in str(found) for name in (*alignment.READOUTS, "chance"))


def test_an_entitys_score_is_the_mean_over_all_of_its_boxes(photos):
    # |d2f / dword dpixel| = the colour's strength on its own pixels, and 0 on those of other colours.
    found = alignment.flickr30k(PlantedPhotos(), photos, pictures=1, readouts=["second_order_norm", "box_area"])
    strengths = {colour: strength for colour, (_, strength, _) in COLOURS.items()}
    for question in found.groups["phrases"].questions:
        for phrase, gold, scores in zip(
            question.phrases, question.gold, question.scores["second_order_norm"], strict=True
        ):
            expected = [0.0] * 4
            expected[gold[0]] = strengths[phrase.split()[1]]
            assert list(scores) == pytest.approx(expected)
        assert sorted(question.scores["box_area"][0]) == [128, 256, 384, 512]


def test_pairs_say_where_they_are_and_repeat_for_a_seed(photos, found):
    first = found.pairs[0]
    sample = photos[first.row]
    assert sample["id"] == first.question
    assert sample["text"][slice(*first.span)] == first.phrase
    assert {pair.picture for pair in found.pairs} == {str(1000 + i) for i in range(PICTURES)}
    draws = [alignment.flickr30k(PlantedPhotos(), photos, pictures=3, readouts=["random"], seed=s) for s in (1, 1, 2)]
    assert draws[0] == draws[1]
    assert draws[0].pairs != draws[2].pairs


def test_another_model_reads_the_same_pairs(photos):
    one = alignment.flickr30k(PlantedPhotos(), photos, pictures=3, readouts=["random"], seed=4)
    again = alignment.drawn_again(photos, one)
    other = alignment.flickr30k(PlantedPhotos(), photos, again=again, readouts=["random"], seed=5)
    assert other.pairs == one.pairs
    renamed = replace(one, pairs=(replace(one.pairs[0], question="another"),))
    with pytest.raises(BadInput, match="another dataset"):
        alignment.drawn_again(photos, renamed)


def made(root, sentences, objects, **size):
    write_picture(root, "1", sentences, objects, **size)
    write_split(root, "val", ["1"])
    return Flickr30k(root, "val")


def test_the_command_reads_a_split_and_prints_the_table(photos, monkeypatch, capsys):
    monkeypatch.setattr(paper.models, "load", lambda name, checkpoint: PlantedPhotos())
    monkeypatch.setattr(paper.models, "describe", lambda name, checkpoint: SimpleNamespace(sha256="0"))
    given = ["--root", str(photos.root), "--model", "toy", "--checkpoint", "none", "--n", "2", "--readouts", "random"]
    monkeypatch.setattr(sys, "argv", ["paper", "flickr30k", *given])
    paper.main()
    said = capsys.readouterr().out
    assert "phrases: 16 pairs on 2 pictures" in said
    assert "| random |" in said


A, B = (1, 1, 10, 10), (21, 11, 30, 20)


def test_entities_with_the_same_boxes_are_one_candidate_and_scenes_none(tmp_path):
    line = "[/EN#1/people A man] and [/EN#2/people a friend] , [/EN#3/people two men] on [/EN#4/scene a beach] ."
    sample = prepare(
        made(tmp_path, [line], [(["1", "3"], A), (["2", "3"], B), (["5", "1"], A), (["4"], "scene")]).row(0)
    )
    assert sample["candidates"] == ((0,), (0, 1), (1,))
    named = [(p["text"], p["boxes"]) for p in sample["phrases"]]
    assert named == [("A man", (0,)), ("a friend", (2,)), ("two men", (1,))]


def test_of_two_phrases_for_one_entity_the_first_counts(tmp_path):
    line = "[/EN#1/people A man] sees [/EN#1/people himself] near [/EN#2/other a tree] ."
    sample = prepare(made(tmp_path, [line], [(["1"], A), (["2"], B)]).row(0))
    assert [p["text"] for p in sample["phrases"]] == ["A man", "a tree"]


def test_pictures_with_too_few_phrases_and_unrelated_sentences_are_left_out(tmp_path):
    line = "[/EN#1/people A man] near [/EN#2/other a tree] ."
    photos = made(tmp_path, [line] * 4, [(["1"], A), (["2"], B)])
    found = alignment.flickr30k(PlantedPhotos(), photos, readouts=["random"])
    assert len(found.pairs) == 8
    assert "Only 1 of 20 pictures have 8 or more phrases" in str(found)
    (tmp_path / "UNRELATED_CAPTIONS").write_text("1 2\n")
    with pytest.raises(BadInput, match="Only 0 of 20 pictures"):
        alignment.flickr30k(PlantedPhotos(), Flickr30k(tmp_path, "val"), readouts=["random"])


def test_of_more_phrases_than_fifteen_the_seed_draws(tmp_path):
    line = "[/EN#1/people A man] near [/EN#2/other a tree] ."
    photos = made(tmp_path, [line] * 9, [(["1"], A), (["2"], B)])
    one, two = (alignment.flickr30k(PlantedPhotos(), photos, readouts=["random"], seed=s).pairs for s in (0, 1))
    assert len(one) == len(two) == 15
    assert one != two


def test_boxes_that_a_model_crops_away_are_no_candidates(tmp_path):
    class Cropped(PlantedPhotos):
        """Sees the left 20 x 30 pixels of the picture."""

        def boxes_in_input(self, sample, boxes):
            return boxes * torch.tensor([16 / 20, 12 / 30, 16 / 20, 12 / 30])

    line = "[/EN#1/people A man] near [/EN#2/other a tree] and [/EN#3/other a car] ."
    objects = [(["1"], A), (["2"], B), (["3"], (1, 21, 9, 30))]
    photos = made(tmp_path, [line] * 4, objects)
    found = alignment.flickr30k(Cropped(), photos, readouts=["random"])
    assert {pair.phrase for pair in found.pairs} == {"A man", "a car"}
    assert {pair.candidates for pair in found.pairs} == {2}
