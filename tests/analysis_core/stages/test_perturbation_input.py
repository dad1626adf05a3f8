"""Counts, seeds, modalities and samples that perturbing methods cannot use; NumPy's integers, which they can."""

import math

import numpy as np
import pytest
import torch

from analysis_core import Logit, results
from analysis_core.errors import BadInput, UnknownName
from analysis_core.stages import crossmodal, unimodal
from analysis_core.stages.dime_background import Background
from tests.analysis_core import toys, toys_towers

SAMPLE, PAIR, TARGETS = toys.sample(), {"source": "a", "to": "b"}, [Logit(0)]
MIXED = toys_towers.samples(5)


def additive():
    return toys.additive()


SEEDED = {
    "lime": lambda seed: unimodal.lime(additive(), SAMPLE, TARGETS, seed=seed)[0],
    "lime apart": lambda seed: unimodal.lime(additive(), SAMPLE, TARGETS, seed=seed, design="apart")[0],
    "shap, exact": lambda seed: unimodal.shap(additive(), SAMPLE, TARGETS, seed=seed)[0],
    "shap": lambda seed: unimodal.shap(additive(), SAMPLE, TARGETS, seed=seed, evaluations=60, exact_up_to=0)[0],
    "second order": lambda seed: crossmodal.second_order(
        toys.bilinear(toys.random(3, 4)), toys.sample(p=1, q=1), Logit(0), **PAIR, direction="hutchinson", seed=seed
    ),
    "smoothgrad": lambda seed: unimodal.smoothgrad(additive(), SAMPLE, TARGETS, seed=seed)[0],
    "pairs, lime": lambda seed: crossmodal.lime(additive(), SAMPLE, Logit(0), **PAIR, seed=seed),
    "pairs, shap": lambda seed: crossmodal.shap(additive(), SAMPLE, Logit(0), **PAIR, seed=seed),
    "emap": lambda seed: crossmodal.emap(toys_towers.Products(), MIXED, seed=seed),
    "dime": lambda seed: crossmodal.dime(toys_towers.Products(), MIXED[0], MIXED[1:], TARGETS, seed=seed)[0],
    "background": lambda seed: crossmodal.dime(
        model := toys_towers.Products(), MIXED[0], Background(model, MIXED[1:], partners=seed, seed=seed), TARGETS
    )[0],
}


@pytest.mark.parametrize("method", SEEDED)
def test_numpys_integers_are_seeds_and_their_results_are_saved(method):
    assert results.dumps(SEEDED[method](np.int64(3))) == results.dumps(SEEDED[method](3))


@pytest.mark.parametrize("method", SEEDED)
@pytest.mark.parametrize("seed", [1.5, "1", math.nan, True])
def test_a_seed_that_is_no_whole_number_is_told(method, seed):
    with pytest.raises(BadInput, match=r"(seed|partners) must be a whole number, not"):
        SEEDED[method](seed)


@pytest.mark.parametrize("design", ["joint", "apart"])
def test_samples_are_a_whole_number_of_any_kind(design):
    for samples in (200.5, "200", math.nan, True):
        with pytest.raises(BadInput, match=r"samples must be a whole number, not"):
            unimodal.lime(additive(), SAMPLE, TARGETS, samples=samples, design=design)
        with pytest.raises(BadInput, match=r"samples must be a whole number, not"):
            crossmodal.dime(toys_towers.Products(), MIXED[0], MIXED[1:], TARGETS, samples=samples, design=design)
    (found,) = unimodal.lime(additive(), SAMPLE, TARGETS, samples=np.int64(50), design=design)
    assert results.loads(results.dumps(found)).config["samples"] == 50


def test_modalities_that_are_no_list_of_names():
    for method in (unimodal.lime, unimodal.shap):
        with pytest.raises(BadInput, match=r"modalities must be a list, such as \[\"image\"\], not 3"):
            method(additive(), SAMPLE, TARGETS, modalities=3)
        with pytest.raises(UnknownName, match="known: a, b"):
            method(additive(), SAMPLE, TARGETS, modalities=[["a"]])
        assert set(method(additive(), SAMPLE, TARGETS, modalities="a")[0].values) == {"a"}


@pytest.mark.parametrize("background", [5, None, "abc", MIXED[1]])
def test_a_background_that_is_no_list_of_samples(background):
    with pytest.raises(BadInput, match="give a list of samples, such as a dataset, not a"):
        crossmodal.dime(toys_towers.Products(), MIXED[0], background, TARGETS)


def test_samples_with_an_empty_modality_are_not_mixed():
    empty = [{**s, "a": torch.zeros(1, 0, 3, dtype=torch.float64)} for s in MIXED]
    for samples, name in ((empty, "sample 0"), ([*MIXED[:2], empty[2]], "sample 2")):
        for mix in (crossmodal.emap, Background):
            with pytest.raises(BadInput, match=f"modality 'a' of {name} is empty"):
                mix(toys_towers.Products(), samples)
