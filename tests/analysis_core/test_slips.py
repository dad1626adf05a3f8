"""A list in place of one thing, one thing in place of a list, no result at all: told in a sentence."""

import math

import pytest
import torch
import toys

from analysis_core import Encoded, Logit, check_model, explain, leaves, results, visualizations
from analysis_core.errors import BadData, BadInput, OutOfMemory, UnknownName
from analysis_core.evaluation import faithfulness, sanity
from analysis_core.models.discretised import Discretised, quantile_edges
from analysis_core.stages import crossmodal, methods, unimodal

SAMPLE, TARGET, AB = toys.sample(), Logit(0), {"source": "a", "to": "b"}
MODEL = toys.bilinear(toys.random(6, 20))
ENCODED = MODEL.encode(SAMPLE)
FOUND = crossmodal.removal(MODEL, SAMPLE, TARGET, **AB)
READERS = {
    "phrases": lambda a: crossmodal.phrases(a, [[0]]),
    "box_means": lambda a: crossmodal.box_means(a, [[0, 0, 1, 1]]),
    "agreement": lambda a: crossmodal.agreement(FOUND, a),
    "curves": lambda a: faithfulness.curves(MODEL, SAMPLE, [a]),
    "pairs": lambda a: faithfulness.pairs(MODEL, SAMPLE, a),
    "infidelity": lambda a: faithfulness.infidelity(MODEL, SAMPLE, a),
    "sensitivity": lambda a: faithfulness.max_sensitivity(MODEL, SAMPLE, TARGET, lambda *_: a),
    "sanity": lambda a: sanity.data_randomisation(MODEL, lambda y: MODEL, [0, 1], [SAMPLE], TARGET, lambda *_: a),
    "similarity": lambda a: sanity.similarity(FOUND, a),
    "draw": lambda a: visualizations.draw(a, ENCODED),
    "draw_interaction": lambda a: visualizations.draw_interaction(a, ENCODED, 0),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_list_of_results_or_none_in_place_of_one(reader):
    with pytest.raises(BadInput, match=r"give one Attribution, such as found\[0\], not a list of 1"):
        READERS[reader]([FOUND])
    with pytest.raises(BadInput, match="an Attribution is needed, the result of a method, not None"):
        READERS[reader](None)


@pytest.mark.parametrize("method", methods.GRADIENTS)
def test_a_single_target_in_place_of_a_list(method):
    with pytest.raises(BadInput, match=r"targets must be a list, such as \[Logit\(0\)\], not Logit"):
        getattr(unimodal, method)(MODEL, SAMPLE, TARGET)


def test_a_request_to_explain_that_is_no_list_or_no_options():
    for options, sentence in (
        ({"stages": None}, "stages must be a list"),
        ({"stages": ("Rl",), "features": 3}, "features must be a list"),
        ({"options": 3}, "options must be the method's options by name"),
    ):
        with pytest.raises(BadInput, match=sentence):
            explain(MODEL, SAMPLE, **options)
    for samples in (None, SAMPLE):
        with pytest.raises(BadInput, match="give a list of samples"):
            crossmodal.emap(MODEL, samples)
    with pytest.raises(BadInput, match="modalities must be a list"):
        faithfulness.curves(MODEL, SAMPLE, FOUND, modalities=3)


def test_a_refit_that_returns_no_model_and_shares_that_are_none():
    with pytest.raises(BadInput, match="fit must return a model"):
        sanity.data_randomisation(MODEL, lambda y: None, [0, 1], [SAMPLE], TARGET, unimodal.gradient)
    for top in (0, 7, math.nan):
        with pytest.raises(BadInput, match=r"^top must be"):
            sanity.similarity(FOUND, FOUND, top=top)


@pytest.mark.parametrize("step", [1e-9, 1e-200])
def test_a_finite_step_that_leaves_only_round_off_is_refused(step):
    with pytest.raises(BadInput, match="only round-off is left"):
        crossmodal.finite_step(MODEL, SAMPLE, TARGET, **AB, step=step)
    torch.testing.assert_close(crossmodal.finite_step(MODEL, SAMPLE, TARGET, **AB, step=1e-3).pairs, FOUND.pairs)


@pytest.mark.parametrize("values", [None, ["x"], [[1.0, 2.0], [3.0, 4.0]], "12"])
def test_values_of_a_regression_that_are_no_numbers(values):
    with pytest.raises(BadInput, match=r"^values must be"):
        quantile_edges(values, 2)
    with pytest.raises(BadInput, match=r"^values must be"):
        Discretised(MODEL, [0.0]).bin_of(values)


def test_a_check_that_does_not_exist_has_nearest_names():
    with pytest.raises(UnknownName, match="did you mean towers"):
        check_model(MODEL, SAMPLE)["tower"]


def test_a_damaged_result_is_bad_data():
    whole = results.dumps(FOUND)
    facts, arrays = results.pack(FOUND)
    del facts["modalities"]

    assert results.loads(whole).method == "removal"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "pack", lambda result: (facts, arrays))
        damaged = results.dumps(FOUND)
    with pytest.raises(BadData, match=r"half\.npz: not a whole result: KeyError: 'modalities'"):
        results.loads(damaged, file="half.npz")


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "ask",
    [
        lambda model: unimodal.saliency(model, SAMPLE, [TARGET]),
        lambda model: crossmodal.second_order(model, SAMPLE, TARGET, **AB),
    ],
)
def test_a_single_row_without_room_for_its_gradient_says_what_to_do(ask, backward):
    class Full(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            if not backward:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            raise torch.OutOfMemoryError("CUDA out of memory")

    model = toys.Toy(lambda a, b: Full.apply(a).sum((1, 2))[:, None] * b.sum((1, 2))[:, None].repeat(1, 2))
    with pytest.raises(OutOfMemory, match="take a smaller input or another device"):
        ask(model)


def test_an_encoding_made_in_inference_mode_is_an_ordinary_one():
    with torch.inference_mode():
        found = leaves.encode(MODEL, {m: t.clone() for m, t in SAMPLE.items()})
    assert isinstance(found, Encoded)
    assert not any(t.is_inference() for t in found.x.values())
