"""The Flickr30k Entities reader on the release's own sentences, on files in its layout, and on broken ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from analysis_core import datasets
from analysis_core.datasets.flickr30k import Flickr30k
from analysis_core.datasets.flickr30k_entities import parse_sentence
from analysis_core.errors import BadData
from tests.analysis_core.datasets.flickr30k_files import annotation, write_picture, write_split

PROJECT = Path(__file__).resolve().parents[3]
SPECIMENS = PROJECT / "../shared/data/format_specimens"
needs_specimens = pytest.mark.skipif(not SPECIMENS.is_dir(), reason="../shared/data/format_specimens is absent")

SENTENCES = (
    "[/EN#11/people A man] with [/EN#12/animals two dogs] on [/EN#13/scene the beach] .",
    "[/EN#11/people/bodyparts A man] throws [/EN#14/other a ball] to [/EN#0/notvisual them] .",
    "Nobody is [/EN#0/notvisual here] .",
)
OBJECTS = (
    (["11"], (1, 1, 10, 30)),
    (["12"], (11, 21, 20, 30)),
    (["12", "14"], (31, 5, 40, 8)),
    (["13"], "scene"),
    (["15"], "nobox"),
)


@pytest.fixture
def root(tmp_path):
    write_picture(tmp_path, "1000", SENTENCES, OBJECTS)
    write_picture(tmp_path, "2000", ["[/EN#21/people A woman] ."], [(["21"], (2, 3, 4, 5))])
    write_split(tmp_path, "val", ["1000", "2000"])
    return tmp_path


def phrases(sample):
    return [(p["text"], p["entity"], p["types"], p["boxes"]) for p in sample["phrases"]]


def test_there_is_one_sample_per_sentence_with_its_picture(root):
    found = datasets.load("flickr30k", root=root, split="val")
    assert [found.row(i)["id"] for i in range(len(found))] == ["1000#0", "1000#1", "1000#2", "2000#0"]
    sample = found[3]
    assert (sample["image"].mode, sample["image"].size) == ("RGB", (40, 30))
    assert sample["text"] == "A woman ."
    assert found.row(-1)["id"] == "2000#0"
    assert found.labels[sample["label"]] == "match"
    with pytest.raises(IndexError):
        found[4]


def test_phrases_have_their_words_types_and_all_boxes_of_their_entity(root):
    sample = Flickr30k(root, "val").row(0)
    assert sample["text"] == "A man with two dogs on the beach ."
    assert phrases(sample) == [
        ("A man", "11", ("people",), (0,)),
        ("two dogs", "12", ("animals",), (1, 2)),
        ("the beach", "13", ("scene",), ()),
    ]
    assert [sample["text"][slice(*p["span"])] for p in sample["phrases"]] == ["A man", "two dogs", "the beach"]
    assert [sample["text"].split()[slice(*p["words"])] for p in sample["phrases"]][1] == ["two", "dogs"]
    assert phrases(Flickr30k(root, "val").row(1)) == [
        ("A man", "11", ("people", "bodyparts"), (0,)),
        ("a ball", "14", ("other",), (2,)),
        ("them", None, ("notvisual",), ()),
    ]


def test_boxes_count_from_0_and_exclude_their_ends(root):
    # File: pixels 11 to 20 from 1, both included = pixels 10 to 19 from 0 = the interval [10, 20).
    sample = Flickr30k(root, "val").row(0)
    assert sample["boxes"].tolist() == [[0, 0, 10, 30], [10, 20, 20, 30], [30, 4, 40, 8]]
    assert sample["boxes"].dtype == np.float32
    assert sample["entities"]["13"] == {"boxes": (), "scene": True, "nobox": False}
    assert sample["entities"]["15"] == {"boxes": (), "scene": False, "nobox": True}


def test_boxes_that_reach_over_the_edge_end_there(tmp_path):
    write_picture(tmp_path, "1", ["[/EN#5/other a thing] ."], [(["5"], (0, 0, 99, 12))])
    write_split(tmp_path, "val", ["1"])
    assert Flickr30k(tmp_path, "val").row(0)["boxes"].tolist() == [[0, 0, 40, 12]]


def test_only_the_picture_that_is_asked_for_is_opened(root):
    (root / "flickr30k-images" / "2000.jpg").write_bytes(b"no picture")
    found = Flickr30k(root, "val")
    assert found[0]["image"].size == (40, 30)
    with pytest.raises(BadData, match=r"val.txt, line 2, field 'image': the picture .*2000.jpg is not a picture"):
        found[3]


def test_a_sample_is_a_copy_that_may_be_changed(root):
    found = Flickr30k(root, "val")
    found[0]["image"].paste("black", (0, 0, 40, 30))
    assert found[0]["image"].getpixel((3, 3)) != (0, 0, 0)


def test_unrelated_captions_do_not_match(root):
    (root / "UNRELATED_CAPTIONS").write_text("# format: <imageID> <sentence number>\n1000 3\n")
    found = Flickr30k(root, "val")
    assert [found.row(i)["label"] for i in range(4)] == [1, 1, 0, 1]
    (root / "UNRELATED_CAPTIONS").write_text("1000\n")
    with pytest.raises(BadData, match="UNRELATED_CAPTIONS, line 1"):
        Flickr30k(root, "val")


def karpathy(root, **fields):
    image = {"filename": "1000.jpg", "split": "val", "sentences": [{"raw": "A man with two dogs. ", "tokens": []}]}
    (root / "dataset_flickr30k.json").write_text(json.dumps({"images": [{"split": "test"}, {**image, **fields}]}))
    (root / "val.txt").unlink(missing_ok=True)


def test_karpathys_list_gives_the_split_and_the_entities_the_sentences(root):
    karpathy(root)
    found = Flickr30k(root, "val")
    assert [found.row(i)["id"] for i in range(len(found))] == ["1000#0", "1000#1", "1000#2"]
    assert found[0]["phrases"][1]["boxes"] == (1, 2)


def test_karpathys_sentences_stand_in_where_the_entities_are_not_there(root):
    karpathy(root)
    for folder in ("Sentences", "Annotations"):
        (root / folder).rename(root / f"no {folder}")
    sample = Flickr30k(root, "val")[0]
    assert (sample["text"], sample["phrases"], sample["boxes"]) == ("A man with two dogs.", (), None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"split": 3}, r"images\[1\], field 'split'"),
        ({"filename": "../secret.jpg"}, r"images\[1\], field 'filename'"),
        ({"sentences": [{"raw": 5}]}, r"images\[1\], field 'sentences.raw'"),
        ({"split": "train"}, "splits found: test, train"),
    ],
)
def test_a_wrong_entry_of_karpathys_file_is_named(root, fields, message):
    karpathy(root, **fields)
    with pytest.raises(BadData, match=message):
        Flickr30k(root, "val")


def test_a_split_that_is_not_there_and_doubled_or_strange_ids_are_named(root):
    with pytest.raises(BadData, match="lists found: val"):
        Flickr30k(root, "test")
    with pytest.raises(BadData, match="does not exist"):
        Flickr30k(root / "nowhere", "val")
    write_split(root, "twice", ["1000", "1000"])
    with pytest.raises(BadData, match="line 2, field 'id': '1000' occurs twice"):
        Flickr30k(root, "twice")
    write_split(root, "climbs", ["../1000"])
    with pytest.raises(BadData, match="line 1, field 'id'"):
        Flickr30k(root, "climbs")
    write_split(root, "gone", ["3000"])
    with pytest.raises(BadData, match=r"3000.txt: is missing"):
        Flickr30k(root, "gone")


@pytest.mark.parametrize(
    "line",
    [
        "[/EN#11/people A man .",
        "[/EN#11/people ] .",
        "[/EN#11/people A [/EN#12/other b] c] .",
        "[/EN#11 A man] .",
        "[/EN#x/people A man] .",
    ],
)
def test_a_broken_phrase_is_named_with_file_and_line(root, line):
    path = root / "Sentences" / "2000.txt"
    path.write_text(f"\n{line}\n")
    with pytest.raises(BadData, match=r"2000.txt, line 2, field 'phrase'"):
        Flickr30k(root, "val").row(3)


def test_brackets_outside_phrases_are_words():
    sentence = parse_sentence("a sign [ of ] [/EN#3/other # 8]", file="f", row=1)
    assert (sentence.text, [p.text for p in sentence.phrases]) == ("a sign [ of ] # 8", ["# 8"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<xmin>2</xmin>", "<xmin>two</xmin>", r"line 11, field 'bndbox.xmin': must be a whole number"),
        ("<xmin>2</xmin>", "", r"line 10, field 'bndbox.xmin'"),
        ("<xmin>2</xmin>", "<xmin>5</xmin>", r"line 10, field 'bndbox': \(5, 3, 4, 5\) is no box inside"),
        ("<name>21</name>", "<name>x</name>", r"line 8, field 'object.name'"),
        ("<width>40</width>", "", r"field 'annotation.width'"),
        ("<width>40</width>", "<width>41</width>", r"field 'size': its picture has 40 x 30 pixels, not 41 x 30"),
        ("</annotation>", "", "line .*not readable XML"),
    ],
)
def test_a_broken_annotation_is_named_with_file_line_and_field(root, old, new, message):
    path = root / "Annotations" / "2000.xml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadData, match=r"2000.xml.*" + message):
        Flickr30k(root, "val")[3]


def test_an_object_without_box_needs_both_flags(root):
    path = root / "Annotations" / "2000.xml"
    path.write_text(annotation("2000", (40, 30), [(["21"], "scene")]).replace("<nobndbox>0</nobndbox>", ""))
    with pytest.raises(BadData, match=r"field 'object\.nobndbox'"):
        Flickr30k(root, "val").row(3)


def test_entities_are_never_expanded(root):
    # "Billion laughs": nine more lines like b's would make 10 ** 10 characters of a few hundred.
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<annotation>&b;</annotation>'
    path = root / "Annotations" / "2000.xml"
    for encoding in ("utf-8", "utf-16"):
        path.write_text(bomb, encoding=encoding)
        with pytest.raises(BadData, match="line 2: a document type is not allowed"):
            Flickr30k(root, "val").row(3)
    path.write_text(" " * 1_000_001)
    with pytest.raises(BadData, match="more than 1,000,000 bytes"):
        Flickr30k(root, "val").row(3)


@needs_specimens
def test_the_releases_own_sentences_are_read(tmp_path):
    shutil.copytree(SPECIMENS / "flickr30k" / "sentences", tmp_path / "sentences")
    write_split(tmp_path, "test", ["4945942737", "6338542128"])
    found = Flickr30k(tmp_path, "test")
    assert len(found) == 10
    sample = found.row(9)
    assert sample["text"] == "# 8 for Iowa State stiff arms a Texas AM player attempting to tackle him ."
    assert [p["text"] for p in sample["phrases"]] == ["# 8", "Iowa State stiff arms", "a Texas AM player", "him"]
    assert [p["entity"] for p in sample["phrases"]] == ["253073", "253083", "253069", None]
    assert sample["phrases"][3]["types"] == ("notvisual",)
    for row in (found.row(i) for i in range(10)):
        assert row["boxes"] is None
        assert all(row["text"][slice(*p["span"])] == p["text"] for p in row["phrases"])


@needs_specimens
def test_a_list_without_its_sentences_says_which_are_missing():
    # The release's own list of 1,000 pictures, in a folder that holds nothing else.
    root = SPECIMENS / "flickr30k_entities_upstream"
    first = (root / "test.txt").read_text().split()[0]
    with pytest.raises(BadData, match=f"Sentences: there are no sentences for picture {first}"):
        Flickr30k(root, "test")
