"""docs/extending.md at work: its files are written to a folder, installed by their entry points, and used."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.M | re.S)
#: File name -> text: every block opens with a docstring that begins with its file's name.
FILES = {re.match(r'"""(\w+\.py): ', block)[1]: block for block in BLOCKS}  # type: ignore[index]
MODULES = ("my_model", "my_data", "my_method")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the guide's files, installed as pip would: by a dist-info folder that names the entry points."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (declared,) = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.M | re.S)
    groups = tomllib.loads(declared)["project"]["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in groups.items()]
    installed = tmp_path / "mine-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n", encoding="utf-8")
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def module(name: str) -> ModuleType:
    """One of the guide's files, imported."""
    return importlib.import_module(name)


def write_data(folder: Path) -> None:
    """Two pictures and their questions; the second label is no label."""
    from PIL import Image

    folder.mkdir()
    Image.new("RGB", (48, 40), (200, 30, 30)).save(folder / "a.png")
    lines = ["id,image,text,label", "a,a.png,is it red,yes", "b,a.png,is it green,perhaps"]
    (folder / "val.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_checkpoint(folder: Path) -> None:
    """The guide's model with weights from a seed."""
    import torch

    from analysis_core.models import Checkpoint

    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = module("my_model").MyModel()
    Checkpoint.write(
        folder, model="my_model", labels=model.labels, architecture={}, state=model.state_dict(), record={"seed": 0}
    )


def test_there_are_three_complete_files_of_under_fifty_lines() -> None:
    assert set(FILES) == {"my_model.py", "my_data.py", "my_method.py", "use.py"}
    assert len(BLOCKS) == len(FILES)
    for name, text in FILES.items():
        assert len(text.splitlines()) < 50, name


def test_everything_is_found_by_its_entry_point_and_works_together(package: Path) -> None:
    write_data(package / "data")
    write_checkpoint(package / "checkpoint")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-W", "error:::analysis_core", "use.py"],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names, *report, values = done.stdout.splitlines()
    assert "'alone'" in names
    assert "'lime'" in names
    assert "batch invariance" in "\n".join(report)
    assert "failed" not in done.stdout
    shown = json.loads(values.replace("'", '"'))
    assert (len(shown["image"]), len(shown["text"])) == (16, 3)
    from analysis_core import results

    saved = results.load(package / "alone.npz")
    assert saved.method == "alone"
    assert saved.values["text"].tolist() == shown["text"]


def test_the_guides_method_is_exact_on_a_linear_model(package: Path) -> None:
    # f = <w, x> and an absent atom is 0: alone, atom i gives <w_i, x_i>, and nothing gives 0.
    import torch

    from analysis_core import Feature, Logit
    from tests.analysis_core import toys

    wa, wb, sample = toys.random(3, 2, seed=7), toys.random(4, 5, seed=8), toys.sample()
    one, feature = module("my_method").alone(toys.linear(wa, wb), sample, [Logit(0), Feature(0, "doubled")])
    torch.testing.assert_close(one.values["a"], (wa * sample["a"][0]).sum(1))
    torch.testing.assert_close(feature.values["b"], 2 * (wb * sample["b"][0]).sum(1))
    # Seven atoms, none, and the whole sample.
    assert one.quality["forwards"] == 9


def test_the_guides_dataset_names_file_row_and_field(package: Path) -> None:
    from analysis_core.errors import BadData

    write_data(package / "data")
    data = module("my_data").MyData(package / "data", "val")
    assert len(data) == 2
    sample = data[0]
    assert (sample["id"], sample["text"], sample["label"], sample["image"].size) == ("a", "is it red", 1, (48, 40))
    with pytest.raises(BadData, match=r"val\.csv, line 3, field 'label': 'perhaps' is no label"):
        data[1]
    with pytest.raises(BadData, match="no split 'train'"):
        module("my_data").MyData(package / "data", "train")


def test_the_guides_model_masks_padding_and_takes_every_gradient_method(package: Path) -> None:
    import torch

    from analysis_core import PredictedLogit
    from analysis_core.stages import methods

    write_data(package / "data")
    sample = module("my_data").MyData(package / "data", "val")[0]
    model = module("my_model").MyModel().eval()
    encoded = model.encode(sample)
    assert encoded.atoms["text"].names == ("is", "it", "red")
    assert encoded.atoms["text"].groups.tolist() == [0, 1, 2, -1, -1, -1, -1, -1]
    longer = {m: t.clone() for m, t in encoded.x.items()}
    longer["text"][0, 3:] = 7.0
    aux = {"image": {}, "text": encoded.aux["text"]}
    torch.testing.assert_close(model.forward(longer, aux).logits, model.forward(encoded.x, aux).logits)
    for method in methods.GRADIENTS:
        result = methods.attribute(method, model, sample, [PredictedLogit()])[0]
        assert (len(result.values["image"]), len(result.values["text"])) == (16, 3)
