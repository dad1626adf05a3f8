"""Training of lxmert in miniature: the phases run, resume and record; attention is shown what phrases name."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from analysis_core import models
from analysis_core.datasets.scenes.render import scenes
from analysis_core.datasets.scenes.vocabulary import WORDS
from analysis_core.models.lxmert.crops import CropEncoder
from analysis_core.models.lxmert.words import Reader
from analysis_core.training import kept_phase, lxmert
from analysis_core.training.lxmert_data import MAX_TOKENS, TOKENS, buckets, gather
from analysis_core.training.lxmert_reasoning import attention_loss

TINY = lxmert.Plan(
    pictures=80,
    crop_epochs=1,
    scenes=6,
    questions_per_scene=10,
    steps=2,
    held_out_scenes=3,
    held_out_questions_per_scene=4,
)


@pytest.fixture(scope="module")
def material():
    torch.manual_seed(0)
    encoder = CropEncoder(24, (4, 4, 4), 8).eval()
    return gather(encoder, Reader.of_tokens(TOKENS), seed=2, split="test", n=20, per_scene=12)


@pytest.mark.slow
def test_a_run_writes_a_checkpoint_that_loads_with_its_record(tmp_path):
    torch.set_num_threads(1)
    record = lxmert.train(TINY, tmp_path / "out", tmp_path / "work")
    described = models.describe("lxmert", checkpoint=tmp_path / "out")
    assert described.record == record
    assert record["held_out"]["overall"]["n"] == 12
    assert models.load("lxmert", checkpoint=tmp_path / "out").labels == described.labels


@pytest.mark.slow
def test_an_interrupted_run_takes_up_its_crop_network_and_ends_with_the_same_weights(tmp_path, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    lxmert.train(TINY, tmp_path / "at_once", tmp_path / "elsewhere")
    with monkeypatch.context() as patched:
        patched.setattr(lxmert, "gather", interrupted)
        patched.setattr(kept_phase, "perf_counter", iter([100.0, 207.5]).__next__)
        with pytest.raises(KeyboardInterrupt):
            lxmert.train(TINY, tmp_path / "out", tmp_path / "work")
    monkeypatch.setattr(lxmert, "train_crops", lambda *a, **o: pytest.fail("the crop network is there"))
    record = lxmert.train(TINY, tmp_path / "out", tmp_path / "work")
    assert record["seconds"]["crops"] == 107.5
    resumed, at_once = (models.describe("lxmert", checkpoint=tmp_path / name) for name in ("out", "at_once"))
    assert resumed.sha256 == at_once.sha256
    assert resumed.record["crop_loss"] == at_once.record["crop_loss"]


def test_every_word_of_a_question_is_in_the_vocabulary(material):
    unknown = TOKENS.index("[UNK]")
    assert not (material.tokens == unknown).any()
    assert material.length.max() <= MAX_TOKENS
    assert {w for w in WORDS if w not in TOKENS} == {"things", "cubes", "spheres", "cylinders"}


def test_tokens_of_a_phrase_know_the_regions_that_fit_them(material):
    # The named regions of a colour's token are objects of that colour, among the scene's own.
    stream = scenes(2, "test", 0, 20)
    checked = 0
    for row, (scene, _) in enumerate(stream):
        for tokens, named in zip(material.tokens[row], material.named[row], strict=True):
            for token, bits in zip(tokens, named, strict=True):
                regions = [i for i in range(6) if bits >> i & 1]
                assert all(i < len(scene.objects) for i in regions)
                if TOKENS[token] in ("red", "green", "cube", "sphere", "metal", "small"):
                    assert all(TOKENS[token] in scene.objects[i].looks for i in regions)
                    checked += len(regions)
                if TOKENS[token] in ("[PAD]", "[CLS]", "the", "is", "?"):
                    assert not regions
    assert checked > 50


def test_batches_hold_questions_of_about_the_same_length(material):
    stream = buckets(material, np.random.default_rng(0), 8)
    spans = [np.ptp(material.length.ravel()[next(stream)]) for _ in range(32)]
    assert np.mean(spans) <= 1.5
    assert np.ptp(material.length) >= 8


def test_attention_on_the_named_region_costs_nothing_and_even_attention_log_n():
    named = np.array([[0, 2, 2, 0]], np.uint8)  # tokens 1 and 2 name region 1
    sharp = torch.zeros(1, 2, 4, 6)
    sharp[..., 1] = 1
    assert float(attention_loss((sharp, sharp), named)) == pytest.approx(0)
    even = torch.full((1, 2, 4, 6), 1 / 6)
    assert float(attention_loss((even,), named)) == pytest.approx(math.log(6))


def test_questions_that_name_no_region_cost_nothing_instead_of_nan():
    even = torch.full((1, 2, 4, 6), 1 / 6)
    assert float(attention_loss((even,), np.zeros((1, 4), np.uint8))) == 0
