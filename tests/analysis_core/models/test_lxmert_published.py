"""lxmert from folders in transformers' layout, with the region features of a detector."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LxmertConfig, LxmertForQuestionAnswering

from analysis_core import AllLogits, leaves
from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.checks import check_model
from analysis_core.models.lxmert import Lxmert
from analysis_core.models.lxmert.network import Architecture
from analysis_core.stages import crossmodal
from analysis_core.training.lxmert_data import TOKENS

#: A published folder in miniature.
SMALL = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "l_layers": 1,
    "r_layers": 1,
    "x_layers": 1,
    "vocab_size": len(TOKENS),
    "visual_feat_dim": 12,
    "num_qa_labels": 5,
}


def a_folder(tmp_path, **changed):
    """What save_pretrained writes, with the tokenizer's vocabulary beside it."""
    torch.manual_seed(0)
    LxmertForQuestionAnswering(LxmertConfig(**{**SMALL, **changed})).eval().save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(TOKENS) + "\n")
    return tmp_path


def detected(n=4, width=12, **fields):
    """A sample with the regions of a detector."""
    rng = np.random.default_rng(3)
    corners = np.sort(rng.uniform(0, 100, (n, 2, 2)), axis=1).reshape(n, 4)
    return {
        "text": "What color is the large metal cube?",
        "boxes": corners,
        "features": rng.normal(size=(n, width)),
        "image_size": (200, 100),
        **fields,
    }


def test_a_published_folder_is_read_by_transformers_own_loader(tmp_path):
    folder = a_folder(tmp_path)
    model = Lxmert.from_pretrained(folder, labels=("a", "b", "c", "d", "e"))
    encoded = model.encode(detected())
    n = 4
    theirs = LxmertForQuestionAnswering.from_pretrained(folder).eval()
    with torch.no_grad():
        ours = leaves.forward(model, encoded.x, encoded.aux)
        expected = theirs(
            input_ids=torch.tensor([model.reader.read(detected()["text"]).ids]),
            visual_feats=torch.tensor(detected()["features"], dtype=torch.float32)[None],
            visual_pos=torch.tensor(detected()["boxes"] / [200, 100, 200, 100], dtype=torch.float32)[None],
        ).question_answering_score
    assert encoded.x["image"].shape == (1, 36, 12)
    assert len(encoded.atoms["image"]) == n
    assert torch.allclose(ours.logits, expected, atol=1e-5)
    assert model.labels == ("a", "b", "c", "d", "e")
    assert check_model(model, detected()).ok


def test_without_a_known_mean_an_absent_region_is_the_mean_of_the_pictures_regions(tmp_path):
    folder = a_folder(tmp_path)
    sample = detected()
    mean = torch.tensor(sample["features"].mean(0), dtype=torch.float32)
    model = Lxmert.from_pretrained(folder)
    assert torch.allclose(model.baseline(model.encode(sample))["image"][0, 2], mean, atol=1e-6)
    assert model.labels == tuple(f"answer {k}" for k in range(5))
    told = Lxmert.from_pretrained(folder, mean_region=torch.full((12,), 0.5))
    assert bool((told.baseline(told.encode(sample))["image"][0, :4] == 0.5).all())


def test_folders_that_are_not_lxmerts_are_named(tmp_path):
    folder = a_folder(tmp_path)
    with pytest.raises(BadCheckpoint, match="5 classes"):
        Lxmert.from_pretrained(folder, labels=("yes", "no"))
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer.json").unlink(missing_ok=True)
    with pytest.raises(BadCheckpoint, match="no tokenizer"):
        Lxmert.from_pretrained(folder)
    with pytest.raises(BadCheckpoint):
        Lxmert.from_pretrained(tmp_path / "nowhere")


def test_wrong_region_features_say_why(tmp_path):
    model = Lxmert.from_pretrained(a_folder(tmp_path))
    with pytest.raises(BadInput, match="'features'"):
        model.encode(detected(features=None))
    with pytest.raises(BadInput, match=r"\[4, 12\]"):
        model.encode(detected(features=np.zeros((4, 11))))
    with pytest.raises(BadInput, match="finite"):
        model.encode(detected(features=np.full((4, 12), np.nan)))


@pytest.mark.slow
def test_the_published_size_runs_on_36_regions_of_2048_features():
    # transformers' defaults are the published sizes: 768 units, 9 language, 5 vision and 5 cross-modal layers.
    torch.manual_seed(0)
    architecture = Architecture(TOKENS, 20, 36, LxmertConfig(num_qa_labels=3129).to_diff_dict())
    model = Lxmert(architecture, [f"answer {k}" for k in range(3129)])
    encoded = model.encode(detected(n=36, width=2048))
    with torch.no_grad():
        output = leaves.forward(model, encoded.x, encoded.aux)
    assert encoded.x["image"].shape == (1, 36, 2048)
    assert output.logits.shape == (1, 3129)
    assert output.features.shape == (1, 1536)
    assert bool(output.logits.isfinite().all())
    found = crossmodal.second_order(
        model, detected(n=36, width=2048), AllLogits(), source="text", to="image", atoms=[1]
    )
    assert found.pairs.shape == (1, 36)
    assert bool((found.pairs > 0).all())
