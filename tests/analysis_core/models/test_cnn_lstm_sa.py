"""The shipped cnn_lstm_sa checkpoint behind the model protocol."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from analysis_core import models
from analysis_core.datasets.scenes import render
from analysis_core.datasets.scenes.questions import Asker
from analysis_core.datasets.scenes.vocabulary import ANSWERS
from analysis_core.errors import BadCheckpoint, BadInput
from analysis_core.models.checks import capabilities, check_model
from analysis_core.models.superpixels import superpixels

CHECKPOINT = Path(__file__).resolve().parents[3] / "fixtures/checkpoints/clevr_cnn_lstm_sa"


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return models.load("cnn_lstm_sa", checkpoint=CHECKPOINT)


@pytest.fixture(scope="module")
def samples():
    """Fresh held-out scenes: the split's name is used nowhere else."""
    found = []
    for scene, rng in render.scenes(11, "test-of-the-checkpoint", 0, 30):
        image = Image.fromarray(scene.image)
        found += [
            {"image": image, "text": q.text, "answer": q.answer, "kind": q.kind} for q in Asker(scene.kinds, rng).ask(5)
        ]
    return found


def batch(model, samples):
    encoded = [model.encode(sample) for sample in samples]
    x = {name: torch.cat([e.x[name] for e in encoded]) for name in model.modalities}
    return x, {"image": {}, "text": {"length": torch.cat([e.aux["text"]["length"] for e in encoded])}}


def test_the_checkpoint_answers_at_least_95_percent_of_fresh_questions(model, samples):
    with torch.no_grad():
        predicted = model.forward(*batch(model, samples)).logits.argmax(1)
    right = [model.labels[k] == sample["answer"] for k, sample in zip(predicted.tolist(), samples, strict=True)]
    assert len(right) == 150
    assert sum(right) / len(right) >= 0.95


def test_the_picture_is_the_modality_with_a_pixel_map(model, samples):
    assert capabilities(model, samples[0]).pixels == ("image",)


def test_the_record_states_accuracy_per_question_type_with_intervals(model):
    described = models.describe("cnn_lstm_sa", checkpoint=CHECKPOINT)
    overall = described.record["held_out"]["overall"]
    assert overall["interval"][0] >= 0.95
    assert described.record["plan"]["seed"] == 0
    assert described.labels == model.labels == ANSWERS
    assert described.weights.stat().st_size <= 3_000_000


def test_shapes_and_atoms_are_as_the_protocol_wants(model, samples):
    encoded = model.encode(samples[0])
    output = model.forward(encoded.x, encoded.aux)
    assert output.logits.shape == (1, len(model.labels))
    assert output.features.shape == (1, 512)
    assert set(output.layers) == set(model.layers)
    image, text = encoded.atoms["image"], encoded.atoms["text"]
    assert image.kind == "superpixel"
    assert 35 <= len(image) <= 50
    assert image.groups.shape == (96 * 96,)
    assert image.groups.unique().tolist() == list(range(len(image)))
    assert text.names[0] == samples[0]["text"].split()[0]
    assert text.groups.tolist() == [*range(len(text)), *[-1] * (24 - len(text))]
    assert encoded.x["text"].shape[1] == 24


def test_superpixel_boxes_surround_their_pixels():
    atoms = superpixels(render.draw_scene(render.scene_generator(0, "slic", 0)).image)
    grid = atoms.groups.view(96, 96)
    for i, (x0, y0, x1, y1) in enumerate(atoms.boxes.int().tolist()):
        rows, columns = torch.nonzero(grid == i, as_tuple=True)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x0, y0, x1, y1)


def test_features_are_the_input_of_the_last_layer(model, samples):
    encoded = model.encode(samples[0])
    output = model.forward(encoded.x, encoded.aux)
    assert torch.allclose(model.network.reasoner.answer(output.features), output.logits, atol=1e-5)


def test_check_model_finds_nothing_wrong(model, samples):
    report = check_model(model, samples[0])
    assert report.ok, str(report)


def test_a_batch_gives_what_its_rows_give_alone(model, samples):
    x, aux = batch(model, samples[:6])
    together = model.forward(x, aux)
    for i, sample in enumerate(samples[:6]):
        encoded = model.encode(sample)
        alone = model.forward(encoded.x, encoded.aux)
        assert torch.allclose(together.logits[i], alone.logits[0], atol=1e-4)
        assert torch.allclose(together.features[i], alone.features[0], atol=1e-4)


def test_answers_without_gradients_are_those_with_them(model, samples):
    x, aux = batch(model, samples[:20])
    with torch.enable_grad():
        expected = model.forward(x, aux)
    with torch.no_grad():
        found = model.forward(x, aux)
    for one, other in ((found.logits, expected.logits), (found.features, expected.features)):
        assert (one - other).abs().max() < 1e-5 * other.abs().max()
        assert not torch.equal(one, other)  # they went two ways


def test_encoding_and_forward_are_deterministic(model, samples):
    first, second = model.encode(samples[1]), model.encode(samples[1])
    assert torch.equal(first.atoms["image"].groups, second.atoms["image"].groups)
    assert torch.equal(model.forward(first.x, first.aux).logits, model.forward(second.x, second.aux).logits)


def test_padding_is_never_read(model, samples):
    encoded = model.encode(samples[0])
    x = {**encoded.x, "text": encoded.x["text"].clone()}
    x["text"][:, len(encoded.atoms["text"]) :] = 7.0
    assert torch.equal(model.forward(x, encoded.aux).logits, model.forward(encoded.x, encoded.aux).logits)


def test_first_and_mixed_second_derivatives_reach_both_inputs(model, samples):
    question = next(s for s in samples if s["kind"].startswith("pair"))
    encoded = model.encode(question)
    x = {name: value.clone().requires_grad_() for name, value in encoded.x.items()}
    logit = model.forward(x, encoded.aux).logits[0].max()
    by_word, by_pixel = torch.autograd.grad(logit, (x["text"], x["image"]), create_graph=True)
    assert by_word.abs().sum() > 0
    assert by_pixel.abs().sum() > 0
    # All words at once: a batched vector-Jacobian product, which some operations refuse.
    rows = torch.eye(24)[: len(encoded.atoms["text"])]
    directions = rows[:, None, :, None] * by_word.detach()[None]
    (mixed,) = torch.autograd.grad(by_word, x["image"], directions, is_grads_batched=True)
    assert (mixed.flatten(1).norm(dim=1) > 0).all()


def test_a_float64_copy_agrees(model, samples):
    double = copy.deepcopy(model).double()
    encoded, exact = model.encode(samples[2]), double.encode(samples[2])
    assert exact.x["text"].dtype == exact.x["image"].dtype == torch.float64
    with torch.no_grad():
        difference = double.forward(exact.x, exact.aux).logits - model.forward(encoded.x, encoded.aux).logits
    assert difference.abs().max() < 1e-3


def test_the_baseline_takes_the_content_away(model, samples):
    question = next(s for s in samples if s["kind"] == "count" and s["answer"] == "3")
    encoded = model.encode(question)
    absent = model.baseline(encoded)
    assert {name: value.shape for name, value in absent.items()} == {n: v.shape for n, v in encoded.x.items()}
    without_picture = model.forward({**encoded.x, "image": absent["image"]}, encoded.aux).logits.argmax()
    # A picture without objects: nothing is counted.
    assert model.labels[int(without_picture)] == "0"
    assert not torch.equal(absent["text"], encoded.x["text"])
    assert (absent["text"][:, len(encoded.atoms["text"]) :] == 0).all()


def test_an_unknown_word_and_another_picture_size_are_read(model, samples):
    picture = samples[0]["image"].resize((480, 320)).convert("RGBA")
    encoded = model.encode({"image": picture, "text": "What colour is the zebra-like thing?"})
    assert encoded.x["image"].shape == (1, 3, 96, 96)
    assert encoded.atoms["text"].names == ("What", "colour", "is", "the", "zebra", "like", "thing")
    assert model.forward(encoded.x, encoded.aux).logits.isfinite().all()


@pytest.mark.parametrize("text", ["", "?!", "word " * 25])
def test_too_few_or_too_many_words_are_refused(model, samples, text):
    with pytest.raises(BadInput, match="reads 1 to 24"):
        model.encode({"image": samples[0]["image"], "text": text})


def test_weights_that_do_not_fit_are_refused(tmp_path):
    shutil.copytree(CHECKPOINT, tmp_path / "other")
    config = json.loads((tmp_path / "other/config.json").read_text())
    config["architecture"]["question"] = 64
    (tmp_path / "other/config.json").write_text(json.dumps(config))
    with pytest.raises(BadCheckpoint, match="does not fit"):
        models.load("cnn_lstm_sa", checkpoint=tmp_path / "other")
