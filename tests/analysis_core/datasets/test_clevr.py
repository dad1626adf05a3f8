"""The CLEVR reader on generated files, on CLEVR's own, and on broken ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from clevr_interpreter import execute
from PIL import Image

from analysis_core import datasets
from analysis_core.datasets.clevr import CLEVR_ANSWER_TYPES, Clevr
from analysis_core.datasets.scenes import render
from analysis_core.datasets.scenes.vocabulary import ANSWERS, COLORS
from analysis_core.errors import BadData

PROJECT = Path(__file__).resolve().parents[3]
SAMPLES = PROJECT / "../shared/data/clevr_samples"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/data/clevr_samples is absent")
RECIPE = {"generator": "scenes", "seed": 5, "size": 96, "splits": {"val": {"scenes": 8, "questions_per_scene": 8}}}
QUESTIONS = "questions/CLEVR_val_questions.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("clevr")
    (root / "recipe.json").write_text(json.dumps(RECIPE))
    Clevr(root, "val")
    return root


@pytest.fixture
def root(made, tmp_path):
    """A copy that a test may break."""
    shutil.copytree(made, tmp_path / "clevr")
    return tmp_path / "clevr"


def change_question(root: Path, row: int, **fields: object) -> None:
    content = json.loads((root / QUESTIONS).read_text())
    content["questions"][row].update(fields)
    (root / QUESTIONS).write_text(json.dumps(content))


def test_a_sample_holds_the_scene_that_was_drawn(made):
    dataset = datasets.load("clevr", root=made, split="val")
    drawn = [scene for scene, _ in render.scenes(5, "val", 0, 8)]
    assert len(dataset) == 64
    assert len({dataset[i]["id"] for i in range(64)}) == 64
    for i in range(0, 64, 8):
        sample, scene = dataset[i], drawn[i // 8]
        assert (np.array(sample["image"]) == scene.image).all()
        assert sample["boxes"].tolist() == [list(scene.box(k)) for k in range(len(scene.objects))]
        assert [thing["color"] for thing in sample["objects"]] == [thing.looks.color for thing in scene.objects]


def test_labels_types_and_programs_agree_with_the_answers(made):
    dataset = Clevr(made, "val")
    assert dataset.labels == ANSWERS
    for i in range(len(dataset)):
        sample = dataset[i]
        assert dataset.labels[sample["label"]] == sample["answer"] == execute(sample["program"], sample["objects"])
        assert sample["answer_type"] == dataset.label_types[sample["answer"]]
        assert sample["question_type"].split("_")[0] in (
            "query",
            "pair",
            "same",
            "besides",
            "count",
            "exist",
            "compare",
        )


def test_relationships_say_who_stands_in_front(made):
    scenes = json.loads((made / "scenes/CLEVR_val_scenes.json").read_text())["scenes"]
    for scene in scenes:
        for i, in_front in enumerate(scene["relationships"]["front"]):
            # Nearer to the camera = smaller y in 3d_coords.
            nearer = [
                j for j, o in enumerate(scene["objects"]) if o["3d_coords"][1] < scene["objects"][i]["3d_coords"][1]
            ]
            assert in_front == nearer


def test_a_caller_may_draw_on_the_picture(made):
    dataset = Clevr(made, "val")
    dataset[0]["image"].paste((0, 0, 0), (0, 0, 96, 96))
    assert np.array(dataset[1]["image"]).max() > 0


@needs_samples
def test_original_questions_and_pictures_are_read():
    # 88 original questions and 10 generated ones for picture 0; answers exist for the 10 and for indices 2 and 7.
    dataset = Clevr(SAMPLES, "val")
    samples = [dataset[i] for i in range(len(dataset))]
    assert len(samples) == 98
    assert len({sample["id"] for sample in samples}) == 98
    assert sum(sample["label"] is not None for sample in samples) == 12
    assert {sample["image"].size for sample in samples} == {(480, 320)}
    assert {sample["image"].mode for sample in samples} == {"RGB"}
    by_text = {sample["text"]: sample for sample in samples}
    assert by_text["What is the material of the big purple object?"]["answer"] == "metal"
    assert by_text["What is the color of the large shiny sphere?"]["answer"] == "purple"
    assert all(sample["boxes"] is None for sample in samples)


@needs_samples
def test_generated_clevr_answers_lie_in_the_28():
    dataset = Clevr(SAMPLES / "generated", "new")
    assert len(dataset) == 110
    assert len(dataset.labels) == len(CLEVR_ANSWER_TYPES) == 28
    assert all(dataset[i]["answer"] in CLEVR_ANSWER_TYPES for i in range(110))
    assert dataset[0]["question_type"] == dataset[0]["program"][-1]["function"]


@needs_samples
def test_object_centres_of_generated_clevr_scenes_have_the_named_colour():
    # A check of the samples' README; shading scales a colour and keeps its direction in RGB space.
    dataset = Clevr(SAMPLES / "generated", "new")
    cosines = []
    for i in range(0, 110, 10):
        picture = np.array(dataset[i]["image"], float)
        for thing in dataset[i]["objects"]:
            x, y = thing["pixel_coords"][:2]
            patch = picture[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3).mean(0)
            wanted = np.array(COLORS[thing["color"]], float)
            cosines.append(patch @ wanted / (np.linalg.norm(patch) * np.linalg.norm(wanted)))
    assert np.mean(np.array(cosines) > 0.9) > 0.9


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(BadData, match="does not exist") as caught:
        Clevr(tmp_path / "nowhere", "val")
    assert caught.value.file == str(tmp_path / "nowhere")


def test_a_missing_split_names_those_that_are_there(root):
    with pytest.raises(BadData, match="splits with questions: val"):
        Clevr(root, "test")


def test_a_split_cannot_leave_the_folder(root):
    with pytest.raises(BadData, match="no name for a split"):
        Clevr(root, "../val")


def test_broken_json_names_file_and_line(root):
    lines = (root / QUESTIONS).read_text().split("\n")
    lines[4] = lines[4][:-20]
    (root / QUESTIONS).write_text("\n".join(lines))
    with pytest.raises(BadData, match="not readable JSON") as caught:
        Clevr(root, "val")
    # The cut fifth line leaves a string open, which its line break then ends.
    assert caught.value.file.endswith(QUESTIONS)
    assert caught.value.row in (5, 6)


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"image_filename": "CLEVR_val_999999.png"}, "image_filename", "CLEVR_val_999999.png"),
        ({"image_filename": "../../secret.png"}, "image_filename", "is not in"),
        ({"question": None}, "question", "must be a text"),
        ({"answer": "purpel"}, "answer", "'purpel' is not one of the 97 answers"),
        ({"answer": 3}, "answer", "3 is not one of"),
        ({"program": "scene"}, "program", "list of nodes"),
        ({"question_index": 0}, "question_index", "0 occurs twice"),
    ],
)
def test_a_wrong_question_names_file_row_and_field(root, fields, field, message):
    change_question(root, 17, **fields)
    with pytest.raises(BadData, match=message) as caught:
        Clevr(root, "val")
    assert (caught.value.entry, caught.value.field) == ("questions[17]", field)


def test_a_truncated_picture_is_named_when_it_is_opened(root):
    picture = root / "images/val/CLEVR_val_000002.png"
    picture.write_bytes(picture.read_bytes()[:3000])
    dataset = Clevr(root, "val")
    assert dataset[15]["image"].size == (96, 96)
    with pytest.raises(BadData, match="cannot be read") as caught:
        dataset[16]
    assert caught.value.file == str(picture)
    assert caught.value.entry == "questions[16]"


def test_a_picture_of_another_format_is_refused(root):
    picture = root / "images/val/CLEVR_val_000000.png"
    Image.new("RGB", (4, 4)).save(picture, format="BMP")
    with pytest.raises(BadData, match="is not a picture in one of the formats"):
        Clevr(root, "val")[0]


def test_a_huge_picture_is_refused(root, monkeypatch):
    monkeypatch.setattr("analysis_core.datasets.clevr.MOST_PIXELS", 96 * 96 - 1)
    with pytest.raises(BadData, match="96 x 96 pixels are more than the 9,215 allowed"):
        Clevr(root, "val")[0]


def test_a_wrong_box_names_the_scene(root):
    path = root / "scenes/CLEVR_val_scenes.json"
    content = json.loads(path.read_text())
    content["scenes"][3]["objects"][0]["bbox"] = [5, 5, 1, 9]
    path.write_text(json.dumps(content))
    with pytest.raises(BadData) as caught:
        Clevr(root, "val")
    assert (caught.value.entry, caught.value.field) == ("scenes[3]", "bbox")


def test_reading_loads_no_torch(made):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from analysis_core import datasets; "
        f"datasets.load('clevr', root=Path({str(made)!r}), split='val')[0]; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
