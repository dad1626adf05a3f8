"""Counts that are fractions, texts and NaN in place of numbers: each is told by its name, wherever it is given."""

import math

import numpy as np
import pytest
import torch
import toys

from analysis_core import Attribution, Logit, explain
from analysis_core.arguments import count, finite, whole
from analysis_core.errors import BadInput
from analysis_core.evaluation import debugging, faithfulness, sanity
from analysis_core.models.discretised import Discretised, quantile_edges
from analysis_core.seeds import generator
from analysis_core.stages import crossmodal, unimodal

SAMPLE = toys.sample()
TARGETS = [Logit(0)]
AB = {"source": "a", "to": "b"}
ROWS = np.arange(12.0).reshape(6, 2)
LAYER = debugging.LastLayer(np.eye(2), np.zeros(2))


def model():
    return toys.bilinear(toys.random(6, 20))


def shown(pairs=None):
    return Attribution({"a": torch.ones(3)}, {"kind": "Logit", "k": 0}, "planted", {**AB}, {}, pairs=pairs)


CALLS = {
    "samples of smoothgrad": ("samples", lambda v: unimodal.smoothgrad(model(), SAMPLE, TARGETS, samples=v)),
    "steps": ("steps", lambda v: unimodal.integrated_gradients(model(), SAMPLE, TARGETS, steps=v)),
    "most_steps": ("most_steps", lambda v: unimodal.integrated_gradients(model(), SAMPLE, TARGETS, most_steps=v)),
    "evaluations of shap": ("evaluations", lambda v: unimodal.shap(model(), SAMPLE, TARGETS, evaluations=v)),
    "exact_up_to of shap": ("exact_up_to", lambda v: unimodal.shap(model(), SAMPLE, TARGETS, exact_up_to=v)),
    "projections": ("projections", lambda v: crossmodal.second_order(model(), SAMPLE, Logit(0), **AB, projections=v)),
    "atoms of second_order": (
        "the number of an atom",
        lambda v: crossmodal.second_order(model(), SAMPLE, Logit(0), **AB, atoms=[v]),
    ),
    "samples of pairs": ("samples", lambda v: crossmodal.lime(model(), SAMPLE, Logit(0), **AB, samples=v)),
    "preselect": ("preselect", lambda v: crossmodal.lime(model(), SAMPLE, Logit(0), **AB, preselect=v)),
    "evaluations of pairs": ("evaluations", lambda v: crossmodal.shap(model(), SAMPLE, Logit(0), **AB, evaluations=v)),
    "exact_up_to of pairs": ("exact_up_to", lambda v: crossmodal.shap(model(), SAMPLE, Logit(0), **AB, exact_up_to=v)),
    "partners": ("partners", lambda v: crossmodal.emap(model(), [SAMPLE] * 4, partners=v)),
    "atoms of explain": ("atoms", lambda v: explain(model(), SAMPLE, atoms=v)),
    "features of explain": ("a feature number", lambda v: explain(model(), SAMPLE, stages=("Rl",), features=[v])),
    "points": ("points", lambda v: faithfulness.curves(model(), SAMPLE, shown(), points=v)),
    "random": ("random", lambda v: faithfulness.curves(model(), SAMPLE, shown(), random=v)),
    "samples of infidelity": ("samples", lambda v: faithfulness.infidelity(model(), SAMPLE, shown(), samples=v)),
    "samples of sensitivity": (
        "samples",
        lambda v: faithfulness.max_sensitivity(model(), SAMPLE, Logit(0), unimodal.gradient, samples=v),
    ),
    "top": ("top", lambda v: faithfulness.pairs(model(), SAMPLE, shown(torch.ones(3, 4)), top=v)),
    "permutations": (
        "permutations",
        lambda v: faithfulness.pairs(model(), SAMPLE, shown(torch.ones(3, 4)), permutations=v),
    ),
    "repeats": (
        "repeats",
        lambda v: sanity.model_randomisation(toys.Lstm(), [SAMPLE], Logit(0), unimodal.gradient, repeats=v),
    ),
    "at_most": (
        "at_most",
        lambda v: sanity.model_randomisation(toys.Lstm(), [SAMPLE], Logit(0), unimodal.gradient, at_most=v),
    ),
    "n": ("n", lambda v: debugging.error_features(ROWS, [True, False] * 3, n=v)),
    "resamples": ("resamples", lambda v: debugging.error_features(ROWS, [True, False] * 3, resamples=v)),
    "budget": ("budget", lambda v: debugging.choose("random", features=ROWS, logits=ROWS, budget=v)),
    "voted": (
        "a feature's number",
        lambda v: debugging.choose("two_voted", features=ROWS, logits=ROWS, budget=2, voted=[v, 0]),
    ),
    "epochs": ("epochs", lambda v: debugging.fine_tune(LAYER, ROWS, [0, 1] * 3, learning_rate=0.1, epochs=v)),
    "batch": ("batch", lambda v: debugging.fine_tune(LAYER, ROWS, [0, 1] * 3, learning_rate=0.1, batch=v)),
    "output": ("output", lambda v: Discretised(model(), [0.0], output=v)),
    "bins": ("bins", lambda v: quantile_edges([1.0, 2.0, 3.0], v)),
    "seed": ("seed", lambda v: generator(v, "anything")),
}


@pytest.mark.parametrize("value", [2.5, "3", math.nan, True, [2]])
@pytest.mark.parametrize("call", CALLS)
def test_a_count_that_is_no_whole_number_is_named(call, value):
    name, ask = CALLS[call]
    with pytest.raises(BadInput, match=f"^{name}.* must be a whole number.*, not "):
        ask(value)


NUMBERS = {
    "noise": ("noise", lambda v: unimodal.smoothgrad(model(), SAMPLE, TARGETS, noise=v)),
    "tolerance": ("tolerance", lambda v: unimodal.integrated_gradients(model(), SAMPLE, TARGETS, tolerance=v)),
    "step of perturbation": ("step", lambda v: unimodal.perturbation(model(), SAMPLE, TARGETS, step=v)),
    "step of finite_step": ("step", lambda v: crossmodal.finite_step(model(), SAMPLE, Logit(0), **AB, step=v)),
    "beta": ("beta", lambda v: crossmodal.smooth(model(), beta=v)),
    "fractions": ("a fraction", lambda v: faithfulness.curves(model(), SAMPLE, shown(), fractions=[v])),
    "radius": (
        "radius",
        lambda v: faithfulness.max_sensitivity(model(), SAMPLE, Logit(0), unimodal.gradient, radius=v),
    ),
    "margin": ("margin", lambda v: faithfulness.boxes(torch.ones(4, 4), torch.tensor([[0, 0, 2, 2.0]]), margin=v)),
    "share": ("share", lambda v: faithfulness.boxes(torch.ones(4, 4), torch.tensor([[0, 0, 2, 2.0]]), share=v)),
    "limit": (
        "limit",
        lambda v: sanity.model_randomisation(toys.Lstm(), [SAMPLE], Logit(0), unimodal.gradient, limit=v),
    ),
    "confidence": (
        "confidence",
        lambda v: debugging.error_features(ROWS, [True, False] * 3, confidence=v),
    ),
    "learning_rate": ("learning_rate", lambda v: debugging.fine_tune(LAYER, ROWS, [0, 1] * 3, learning_rate=v)),
    "edges": ("an edge", lambda v: Discretised(model(), [v])),
    "softness": ("softness", lambda v: Discretised(model(), [0.0], softness=v)),
}


@pytest.mark.parametrize("value", ["0.5", math.nan, math.inf, [0.5, 0.5]])
@pytest.mark.parametrize("call", NUMBERS)
def test_a_number_that_is_none_is_named(call, value):
    name, ask = NUMBERS[call]
    with pytest.raises(BadInput, match=f"^{name} must be a finite number, not "):
        ask(value)


def test_whole_numbers_of_any_library_are_taken():
    for value in (3, np.int64(3), np.uint8(3), torch.tensor(3)):
        assert whole("n", value) == count("n", value) == 3
        assert type(count("n", value)) is int
    assert finite("x", np.float32(0.5)) == finite("x", torch.tensor(0.5)) == 0.5
    assert generator(np.int64(3), "x").initial_seed() == generator(3, "x").initial_seed()
    assert count("n", 0, least=0) == 0
    with pytest.raises(BadInput, match="at least 1, not -1"):
        count("n", -1)


def test_negative_counts_of_atoms_are_refused_and_a_string_is_one_stage():
    with pytest.raises(BadInput, match="atoms must be a whole number of at least 1, not -1"):
        explain(model(), SAMPLE, atoms=-1)
    assert list(explain(model(), SAMPLE, stages="C")) == ["C"]
    with pytest.raises(BadInput, match="atoms must be a list of numbers"):
        crossmodal.second_order(model(), SAMPLE, Logit(0), **AB, atoms=3)
