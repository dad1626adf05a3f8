"""The shipped lxmert checkpoint behind the model protocol."""

from __future__ import annotations

import copy
import json
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from analysis_core import Feature, PredictedLogit, leaves, models
from analysis_core.datasets.scenes import render
from analysis_core.datasets.scenes.questions import Asker
from analysis_core.datasets.scenes.two_objects import two_object_questions
from analysis_core.datasets.scenes.vocabulary import ANSWERS
from analysis_core.errors import BadCheckpoint, BadInput, NullDirection
from analysis_core.evaluation.alignment import answered_right, evaluate
from analysis_core.models.checks import check_model
from analysis_core.stages import crossmodal, unimodal
from analysis_core.training.lxmert_data import TOKENS, gather
from analysis_core.training.lxmert_reasoning import answers

CHECKPOINT = Path(__file__).resolve().parents[3] / "fixtures/checkpoints/lxmert_scenes"


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return models.load("lxmert", checkpoint=CHECKPOINT)


@pytest.fixture(scope="module")
def samples():
    return list(islice(two_object_questions(seed=12, split="test-of-the-checkpoint"), 3))


def test_the_model_keeps_the_protocol(model, samples):
    for sample in samples:
        report = check_model(model, sample)
        assert report.ok, report
        assert report["gradient"].state == "ok"
        assert report["second order"].state == "ok"
        assert "by double_backward" in report["second order"].sentence
        assert "direction='sum' is refused wherever the modalities interact" in report["layer norm"].sentence


def test_the_sum_direction_raises_because_of_layer_norm(model, samples):
    with pytest.raises(NullDirection, match="LayerNorm"):
        crossmodal.second_order(model, samples[0], PredictedLogit(), source="text", to="image", direction="sum")


def test_sub_words_are_grouped_to_words_and_signs_are_no_atoms(model, samples):
    encoded = model.encode({**samples[0], "text": "Besides the cube, are there more things?"})
    text = encoded.atoms["text"]
    assert text.names == ("Besides", "the", "cube", "are", "there", "more", "things")
    # [CLS] besides the cube , are there more thing ##s ? [SEP] and padding up to 24
    assert text.groups.tolist() == [-1, 0, 1, 2, -1, 3, 4, 5, 6, 6, -1, -1, *[-1] * 12]
    assert encoded.aux["text"]["mask"].sum() == 12
    assert encoded.x["text"].shape == (1, 24, 96)


def test_regions_are_rows_with_their_boxes(model, samples):
    for sample in samples:
        encoded = model.encode(sample)
        n, image = len(sample["boxes"]), encoded.atoms["image"]
        assert image.kind == "region"
        assert torch.equal(image.boxes, torch.from_numpy(sample["boxes"]))
        assert image.groups.tolist() == [*range(n), *[-1] * (6 - n)]
        assert encoded.x["image"].shape == (1, 6, 64)
        assert torch.allclose(encoded.aux["image"]["boxes"][0, :n], torch.from_numpy(sample["boxes"] / 96))


def test_absent_words_are_mask_tokens_and_absent_regions_the_mean_region(model, samples):
    encoded = model.encode(samples[0])
    absent = model.baseline(encoded)
    words = encoded.atoms["text"].groups >= 0
    mask = model.network.embedding.weight[TOKENS.index("[MASK]")]
    assert torch.equal(absent["text"][0, words], mask.expand(int(words.sum()), -1))
    assert torch.equal(absent["text"][0, ~words], encoded.x["text"][0, ~words])
    n = len(samples[0]["boxes"])
    assert torch.equal(absent["image"][0, :n], model.network.mean_region.expand(n, -1))
    # Features are standardised over the training regions, so their mean is about 0.
    assert float(model.network.mean_region.abs().max()) < 0.2


def test_features_feed_the_last_layer_and_layers_can_be_explained(model, samples):
    encoded = model.encode(samples[0])
    output = leaves.forward(model, encoded.x, encoded.aux)
    assert output.features.shape == (1, 192)
    assert torch.allclose(model.network.lxmert.answer_head.logit_fc[-1](output.features), output.logits)
    assert {name: t.shape for name, t in output.layers.items()} == dict.fromkeys(model.layers, (1, 96))
    found = unimodal.gradient(model, samples[0], Feature(3, layer="vision"))
    assert bool((found.values["image"] > 0).all())


def test_logits_are_those_of_transformers_own_forward(model, samples):
    encoded = model.encode(samples[0])
    tokens = model.reader.read(samples[0]["text"])
    n = len(samples[0]["boxes"])
    with torch.no_grad():
        ours = leaves.forward(model, encoded.x, encoded.aux).logits
        theirs = model.network.lxmert(
            input_ids=torch.tensor([tokens.ids]),
            visual_feats=encoded.x["image"][:, :n],
            visual_pos=encoded.aux["image"]["boxes"][:, :n],
        ).question_answering_score
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_padding_reaches_no_answer(model, samples):
    encoded = model.encode(samples[0])
    x = {name: t.clone() for name, t in encoded.x.items()}
    for name in x:
        x[name][0, ~encoded.aux[name]["mask"][0]] = 7.0
    with torch.no_grad():
        changed, whole = (leaves.forward(model, v, encoded.aux).logits for v in (x, encoded.x))
    assert torch.equal(changed, whole)


def test_attention_of_words_over_regions_adds_up_to_one(model, samples):
    encoded = model.encode(samples[0])
    n = len(samples[0]["boxes"])
    found = model.attention(encoded.x, encoded.aux, source="text", to="image")
    assert torch.allclose(found.sum(2), torch.ones(1, 24))
    assert float(found[..., n:].abs().max()) == 0
    with pytest.raises(BadInput, match="'text' to 'image'"):
        model.attention(encoded.x, encoded.aux, source="image", to="text")


def test_a_float64_copy_agrees(model, samples):
    double = copy.deepcopy(model).double()
    encoded = double.encode(samples[0])
    assert encoded.x["image"].dtype == encoded.x["text"].dtype == torch.float64
    single = model.encode(samples[0])
    with torch.no_grad():
        a, b = double.forward(encoded.x, encoded.aux).logits, model.forward(single.x, single.aux).logits
    assert torch.allclose(a, b.double(), atol=1e-3)


def test_training_sees_the_regions_that_encode_makes(model):
    material = gather(model.network.crops, model.reader, seed=3, split="test", n=2, per_scene=4)
    for row, (scene, rng) in enumerate(render.scenes(3, "test", 0, 2)):
        boxes = [scene.box(i) for i in range(len(scene.objects))]
        for column, question in enumerate(Asker(scene.kinds, rng).ask(4)):
            encoded = model.encode({"text": question.text, "image": Image.fromarray(scene.image), "boxes": boxes})
            assert torch.allclose(encoded.x["image"][0], material.regions[row], atol=1e-4)
            assert torch.allclose(encoded.aux["image"]["boxes"][0], material.boxes[row])
            tokens = torch.from_numpy(material.tokens[row, column].astype(np.int64))
            assert torch.equal(model.network.embedding(tokens), encoded.x["text"][0])


def test_the_record_states_accuracy_per_question_type_with_intervals():
    described = models.describe("lxmert", checkpoint=CHECKPOINT)
    assert described.record["held_out"]["overall"]["interval"][0] >= 0.93
    assert described.record["plan"]["seed"] == 0
    assert described.labels == ANSWERS
    assert described.weights.stat().st_size <= 3_000_000


@pytest.mark.slow
def test_fresh_questions_are_answered_as_well_as_the_record_says(model):
    material = gather(model.network.crops, model.reader, seed=21, split="test-of-the-checkpoint", n=120, per_scene=10)
    right, _ = answers(model.network, material)
    stated = models.describe("lxmert", checkpoint=CHECKPOINT).record["held_out"]["overall"]["accuracy"]
    # 1200 questions: three standard errors at .97 are .015; questions of one scene vary together, hence .03.
    assert right.mean() >= stated - 0.03


@pytest.mark.parametrize("change", [{"lxmert": {"hidden_size": 98}}, {"crops": {"side": 24}}, {"depth": 3}])
def test_a_checkpoint_of_another_architecture_is_refused(tmp_path, change):
    shutil.copytree(CHECKPOINT, tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    config["architecture"] |= change
    (tmp_path / "other/config.json").write_text(json.dumps(config))
    with pytest.raises(BadCheckpoint):
        models.load("lxmert", checkpoint=tmp_path / "other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": " ?"}, "no word"),
        ({"text": "what " * 30}, "reads up to 24"),
        ({"boxes": None}, "boxes"),
        ({"boxes": [[0, 0, 5, 5]] * 7}, "1 to 6"),
        ({"boxes": np.zeros((0, 4))}, "1 to 6"),
        ({"boxes": [[5, 0, 5, 5]]}, "x0 < x1"),
        ({"boxes": [[0, 0, 5, float("nan")]]}, "finite"),
    ],
)
def test_samples_that_cannot_be_read_say_why(model, samples, change, message):
    with pytest.raises(BadInput, match=message):
        model.encode({**samples[0], **change})


@pytest.mark.slow
def test_second_order_tells_two_phrases_apart_where_first_order_cannot(model):
    asked = answered_right(model, two_object_questions(seed=12, split="test-of-the-checkpoint", families=("pair",)))
    readouts = ("hutchinson", "swapped_phrase", "first_order")
    report = evaluate(model, islice(asked, 60), readouts=readouts)
    found, swapped, first = (report.rate(name) for name in readouts)
    # docs/methods/alignment.md has the figures of 200 questions; 120 phrases are within .12 of them.
    assert found.value >= 0.65
    assert found.low > max(first.high, swapped.high)
    assert first.value <= 0.55
    assert report.rate("hutchinson", joint=True).value >= 0.85


@pytest.mark.slow
def test_second_order_finds_the_named_region_of_the_two_hundred_questions(model):
    # The first table of docs/methods/alignment.md: .792, joint .945, first order .500. Wanted: .75, .85, at most .50.
    asked = answered_right(model, two_object_questions(seed=0, families=("pair",)))
    report = evaluate(model, islice(asked, 200), readouts=("hutchinson", "first_order"))
    assert len(report.questions) == 200
    assert report.rate("hutchinson").value >= 0.75
    assert report.rate("hutchinson", joint=True).value >= 0.85
    # The same region for both phrases, which name two.
    assert report.rate("first_order").value <= 0.50
