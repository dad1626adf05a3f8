"""The NLVR reader on the real files (their README's numbers) and on small broken ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pytest
from PIL import Image

from analysis_core import datasets
from analysis_core.datasets.nlvr import Nlvr
from analysis_core.errors import BadData

ROOT = Path(__file__).resolve().parents[3] / "../shared/data/nlvr"
needs_data = pytest.mark.skipif(not ROOT.is_dir(), reason="../shared/data/nlvr is absent")

YELLOW, BLUE, BLACK = (255, 255, 0), (0, 153, 255), (0, 0, 0)


def row(**changes: Any) -> dict[str, Any]:
    """One line of a small file: a yellow square in the first box, a black circle in the third."""
    square = {"x_loc": 10, "y_loc": 20, "size": 30, "type": "square", "color": "Yellow"}
    circle = {"x_loc": 40, "y_loc": 50, "size": 10, "type": "circle", "color": "Black"}
    line = {"sentence": "There is a circle.", "label": "true", "identifier": "7-0", "directory": "0"}
    return line | {"structured_rep": [[square], [], [circle]]} | changes


def write_split(root: Path, lines: list[Any], split: str = "dev", pictures: tuple[str, ...] = ("7-0-0",)) -> Path:
    folder = root / split / "images" / "0"
    folder.mkdir(parents=True)
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    (root / split / f"{split}.json").write_text(text, encoding="utf-8")
    for name in pictures:
        Image.new("RGBA", (400, 100), (0, 0, 0, 0)).save(folder / f"{split}-{name}.png")
    return root


@needs_data
@pytest.mark.parametrize(("split", "n", "true"), [("dev", 989, 547), ("test", 990, 556), ("hidden", 985, 546)])
def test_items_and_labels_are_as_many_as_the_readme_counts(split: str, n: int, true: int) -> None:
    data = datasets.load("nlvr", root=ROOT, split=split)
    assert data.labels == ("false", "true")
    assert dict(data.label_types) == {"false": "boolean", "true": "boolean"}
    rows = [Nlvr.row(data, i) for i in range(len(data))]  # type: ignore[arg-type]
    assert (len(rows), sum(r["label"] for r in rows)) == (n, true)
    assert len({r["id"] for r in rows}) == n


@needs_data
def test_the_majority_class_of_dev_is_553_in_1000() -> None:
    data = Nlvr(ROOT, "dev")
    assert round(np.mean([data.row(i)["label"] for i in range(len(data))]), 3) == 0.553


@needs_data
def test_46_sentences_of_dev_also_occur_in_the_training_part() -> None:
    dev, train = Nlvr(ROOT, "dev"), Nlvr(ROOT, "test+hidden")
    assert len(train) == 990 + 985
    seen = {train.row(i)["text"] for i in range(len(train))}
    unique = {dev.row(i)["text"] for i in range(len(dev))}
    assert (len(seen), len(unique), len(seen & unique)) == (478, 249, 46)


@needs_data
def test_ratings_give_the_published_agreement() -> None:
    # README of the data: dev, alpha nominal over three categories .7995, with nonsense as missing .8395.
    data = Nlvr(ROOT, "dev")
    evals = [data.row(i)["evals"] for i in range(len(data))]
    words = ("false", "true", "nonsense")
    counts = np.array([[Counter(e.values())[word] for word in words] for e in evals])
    assert krippendorff.alpha(value_counts=counts, level_of_measurement="nominal") == pytest.approx(0.7995, abs=5e-5)
    two = krippendorff.alpha(value_counts=counts[:, :2], level_of_measurement="nominal")
    assert two == pytest.approx(0.8395, abs=5e-5)


@needs_data
@pytest.mark.parametrize("permutation", range(6))
def test_object_centres_have_their_colour_in_every_permutation(permutation: int) -> None:
    data = Nlvr(ROOT, f"dev@{permutation}")
    assert len(data) == (300 if permutation else 989)
    colours = {"yellow": YELLOW, "blue": BLUE, "black": BLACK}
    for i in range(0, 300, 10):
        sample = data[i]
        assert sample["permutation"] == permutation
        for region, (x0, y0, x1, y1) in zip(sample["regions"], sample["boxes"], strict=True):
            pixel = sample["image"].getpixel((int((x0 + x1) / 2), int((y0 + y1) / 2)))
            assert np.abs(np.subtract(pixel, colours[region["colour"]])).max() < 60, sample["id"]


@needs_data
def test_pictures_of_hidden_are_found_although_it_names_no_folder() -> None:
    sample = Nlvr(ROOT, "hidden")[984]
    assert sample["image"].size == (400, 100)
    assert sample["image"].mode == "RGB"
    assert "evals" not in sample


def test_a_sample_has_its_fields(tmp_path: Path) -> None:
    sample = Nlvr(write_split(tmp_path, [row()]), "dev")[0]
    assert (sample["id"], sample["text"], sample["label"]) == ("dev:7-0", "There is a circle.", 1)
    assert sample["answer_type"] == "boolean"
    assert sample["regions"][1] == {"box": 2, "colour": "black", "shape": "circle", "size": 10, "x": 40, "y": 50}
    # Boxes are drawn at x = 0, 150, 300: the circle of the third lies at 300 + 40.
    assert sample["boxes"].tolist() == [[10, 20, 40, 50], [340, 50, 350, 60]]


def test_boxes_follow_the_permutation(tmp_path: Path) -> None:
    # Permutation 3 is (1, 2, 0): first the empty box, then the circle's at x = 150, then the square's at x = 300.
    sample = Nlvr(write_split(tmp_path, [row()], pictures=("7-0-3",)), "dev@3")[0]
    assert sample["id"] == "dev@3:7-0"
    assert [r["box"] for r in sample["regions"]] == [1, 2]
    assert sample["boxes"].tolist() == [[190, 50, 200, 60], [310, 20, 340, 50]]


def test_a_permutation_holds_only_rows_whose_picture_is_there(tmp_path: Path) -> None:
    root = write_split(tmp_path, [row(), row(identifier="8-0")], pictures=("7-0-0", "8-0-0", "8-0-2"))
    assert len(Nlvr(root, "dev")) == 2
    assert [Nlvr(root, "dev@2").row(0)["id"]] == ["dev@2:8-0"]


def test_transparent_pictures_are_flattened_on_white(tmp_path: Path) -> None:
    assert Nlvr(write_split(tmp_path, [row()]), "dev")[0]["image"].getpixel((0, 0)) == (255, 255, 255)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="nowhere: the dataset folder is missing"):
        Nlvr(tmp_path / "nowhere", "dev")


def test_an_unknown_split_names_those_that_exist(tmp_path: Path) -> None:
    root = write_split(write_split(tmp_path, [row()]), [row()], split="test")
    with pytest.raises(BadData, match="split 'train' is not there; splits found: dev, test"):
        Nlvr(root, "dev+train")


@pytest.mark.parametrize("split", ["dev@6", "dev@x", "dev@-1"])
def test_an_unknown_permutation_is_an_error(tmp_path: Path, split: str) -> None:
    with pytest.raises(BadData, match="must be 0 to 5"):
        Nlvr(write_split(tmp_path, [row()]), split)


def test_a_split_joined_with_itself_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="the same part twice"):
        Nlvr(write_split(tmp_path, [row()]), "dev+dev@0")


def test_a_broken_line_is_named_by_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"dev\.json, line 2: not a JSON object") as caught:
        Nlvr(write_split(tmp_path, [row(), '{"sentence": ']), "dev")
    assert caught.value.row == 2


@pytest.mark.parametrize("field", ["sentence", "label", "identifier", "structured_rep"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    line = row()
    del line[field]
    with pytest.raises(BadData, match=rf"dev\.json, line 1, field '{field}': the field is missing"):
        Nlvr(write_split(tmp_path, [line]), "dev")


THING = {"x_loc": 1, "y_loc": 1, "size": 9, "type": "circle", "color": "Black"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "maybe"}, "field 'label': must be 'true' or 'false'"),
        ({"sentence": None}, "field 'sentence': must be a text with words"),
        ({"sentence": "  "}, "field 'sentence': must be a text with words"),
        (
            {
                "structured_rep": [
                    [{"x_loc": float("nan"), "y_loc": 1, "size": 9, "type": "circle", "color": "Black"}],
                    [],
                    [],
                ]
            },
            r"field 'structured_rep\[0\]\[0\]\.x_loc': must be a number",
        ),
        ({"identifier": 7}, "field 'identifier': must be a plain name"),
        ({"identifier": "../7-0"}, "field 'identifier': must be a plain name"),
        ({"directory": "../../images"}, "field 'directory': must be a plain name"),
        ({"structured_rep": [[], []]}, "field 'structured_rep': must be three lists"),
        (
            {"structured_rep": [[], [{"x_loc": 1}], []]},
            r"field 'structured_rep\[1\]\[0\]\.y_loc': the field is missing",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadData, match=message):
        Nlvr(write_split(tmp_path, [row(**changes)]), "dev")


@pytest.mark.parametrize(("key", "value"), [("color", "Pink"), ("type", "star"), ("size", "big"), ("x_loc", True)])
def test_a_wrong_object_is_named(tmp_path: Path, key: str, value: Any) -> None:
    line = row()
    line["structured_rep"][2][0][key] = value
    with pytest.raises(BadData, match=rf"structured_rep\[2\]\[0\]\.{key}"):
        Nlvr(write_split(tmp_path, [line]), "dev")


def test_a_row_that_occurs_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="line 2, field 'identifier': '7-0' occurs twice"):
        Nlvr(write_split(tmp_path, [row(), row()]), "dev")


def test_a_missing_picture_names_picture_and_row(tmp_path: Path) -> None:
    data = Nlvr(write_split(tmp_path, [row(), row(identifier="8-0")]), "dev")
    with pytest.raises(BadData, match=r"line 2, field 'image': the picture dev-8-0-0\.png is missing"):
        data[1]


def test_a_truncated_picture_names_picture_and_row(tmp_path: Path) -> None:
    root = write_split(tmp_path, [row()])
    picture = root / "dev/images/0/dev-7-0-0.png"
    picture.write_bytes(picture.read_bytes()[:60])
    with pytest.raises(BadData, match=r"line 1, field 'image': the picture .*dev-7-0-0\.png cannot be read"):
        Nlvr(root, "dev")[0]


def test_a_picture_in_another_format_is_refused(tmp_path: Path) -> None:
    root = write_split(tmp_path, [row()])
    Image.new("RGB", (400, 100)).save(root / "dev/images/0/dev-7-0-0.png", format="BMP")
    with pytest.raises(BadData, match="is not a picture in one of the formats"):
        Nlvr(root, "dev")[0]


def test_a_picture_of_another_size_is_refused_because_boxes_would_lie_elsewhere(tmp_path: Path) -> None:
    root = write_split(tmp_path, [row()])
    Image.new("RGB", (800, 200)).save(root / "dev/images/0/dev-7-0-0.png")
    with pytest.raises(BadData, match="is 800 x 200 pixels, not 400 x 100"):
        Nlvr(root, "dev")[0]


def test_samples_out_of_range_raise_index_error(tmp_path: Path) -> None:
    data = Nlvr(write_split(tmp_path, [row()]), "dev")
    assert data[-1]["id"] == "dev:7-0"
    with pytest.raises(IndexError):
        data[1]


def test_reading_loads_no_torch() -> None:
    code = "import sys, analysis_core.datasets.nlvr; sys.exit('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).resolve().parents[3]).returncode
        == 0
    )
