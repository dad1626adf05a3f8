"""encode(), baseline() and forward() that return other types than the protocol's are told so, in one sentence."""

import math
import re

import numpy as np
import pytest
import torch

from analysis_core import Atoms, Encoded, Logit, Output, capabilities, check_model, explain, leaves
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

SAMPLE, TARGET = toys.sample(), Logit(0)
METHODS = {
    "gradient": lambda model: unimodal.gradient(model, SAMPLE, TARGET),
    "lime": lambda model: unimodal.lime(model, SAMPLE, [TARGET]),
    "integrated_gradients": lambda model: unimodal.integrated_gradients(model, SAMPLE, [TARGET]),
    "second_order": lambda model: crossmodal.second_order(model, SAMPLE, TARGET, source="a", to="b"),
    "emap": lambda model: crossmodal.emap(model, [SAMPLE, SAMPLE]),
    "explain": lambda model: explain(model, SAMPLE),
    "capabilities": lambda model: capabilities(model, SAMPLE),
}
#: Those that ask for no baseline.
WITHOUT_BASELINE = {"gradient", "second_order", "emap", "explain", "capabilities"}


def bilinear():
    return toys.bilinear(toys.random(6, 20))


def encoding(change):
    model = bilinear()
    whole = model.encode
    model.encode = lambda sample: change(whole(sample))
    return model


ENCODINGS = {
    "a dict": (lambda e: e.x, r"encode\(\) must return Encoded\(x, aux, atoms\), not dict"),
    "nothing": (lambda e: None, r"Encoded\(x, aux, atoms\), not NoneType"),
    "a list of x": (
        lambda e: Encoded(list(e.x.values()), e.aux, e.atoms),
        "its x must be a dict by modality, not list",
    ),
    "no aux": (lambda e: Encoded(e.x, None, e.atoms), "its aux must be a dict by modality, not NoneType"),
    "no atoms": (lambda e: Encoded(e.x, e.aux, None), "its atoms must be a dict by modality, not NoneType"),
    "no aux of a": (
        lambda e: Encoded(e.x, {"a": None}, e.atoms),
        "its aux of 'a' must be a dict of tensors, not NoneT",
    ),
    "a number": (lambda e: Encoded(e.x, {"a": {"n": 3}}, e.atoms), "its aux of 'a' holds 'n' as int, not as a tensor"),
    "numpy": (lambda e: Encoded({m: t.numpy() for m, t in e.x.items()}, e.aux, e.atoms), "'a' as .* not ndarray"),
    "lists of names": (
        lambda e: Encoded(e.x, e.aux, {m: list(a.names) for m, a in e.atoms.items()}),
        r"the atoms of 'a' as Atoms\(names, kind\), not list",
    ),
    "groups in a list": (
        lambda e: Encoded(e.x, e.aux, {**e.atoms, "b": Atoms(e.atoms["b"].names, "word", groups=[0, 1, 2, 3])}),
        "groups of 'b' must be an int64 tensor, or None, not list",
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", ENCODINGS)
def test_an_encoding_of_other_types(what, method):
    change, told = ENCODINGS[what]
    with pytest.raises(BadInput, match=told):
        METHODS[method](encoding(change))


@pytest.mark.parametrize("what", ENCODINGS)
def test_check_model_says_it_of_an_encoding_too(what):
    change, told = ENCODINGS[what]
    report = check_model(encoding(change), SAMPLE)
    assert [c.name for c in report.checks] == ["atoms"]
    assert re.search(told, report["atoms"].sentence)


BASELINES = {
    "nothing": (lambda e: None, r"baseline\(\) must return a dict of tensors by modality, not NoneType"),
    "a tensor": (lambda e: e.x["a"], "a dict of tensors by modality, not Tensor"),
    "numpy": (lambda e: {m: t.numpy() for m, t in e.x.items()}, r"'a' in the shape .*, \(1, 3, 2\), not ndarray"),
    "one modality": (lambda e: {"a": e.x["a"]}, r"'b' in the shape of the input, \(1, 4, 5\), not NoneType"),
    "another shape": (lambda e: {m: t[0] for m, t in e.x.items()}, r"\(1, 3, 2\), not shape \(3, 2\)"),
}


@pytest.mark.parametrize("method", sorted(METHODS.keys() - WITHOUT_BASELINE))
@pytest.mark.parametrize("what", BASELINES)
def test_a_baseline_of_another_type(what, method):
    model = bilinear()
    model.baseline, told = BASELINES[what]
    with pytest.raises(BadInput, match=told):
        METHODS[method](model)
    for other in WITHOUT_BASELINE:
        METHODS[other](model)


ANSWERS = {
    "no class": (
        lambda o: Output(o.logits[:, :0], o.features),
        r"its logits must be of at least one class, .*\(1, 0\)",
    ),
    "no layers": (
        lambda o: Output(o.logits, o.features, None),
        "its layers must be a dict of tensors by name, not None",
    ),
    "a list": (
        lambda o: Output(o.logits, o.features, [o.logits]),
        "its layers must be a dict of tensors by name, not l",
    ),
    "numpy": (lambda o: Output(o.logits, o.features, {"h": np.ones((1, 2))}), "h of 1 row .* not ndarray"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_of_other_types(what, method):
    model = bilinear()
    change, told = ANSWERS[what]
    whole = model.forward
    model.forward = lambda x, aux: change(whole(x, aux))
    with pytest.raises(BadInput, match=r"forward\(\) must return .*" + told):
        METHODS[method](model)


@pytest.mark.parametrize("member", ["encode", "baseline"])
@pytest.mark.parametrize("error", [KeyError("x"), AttributeError("x"), AssertionError("x"), ZeroDivisionError("x")])
def test_an_error_of_the_models_own_is_the_cause(member, error):
    with pytest.raises(BadInput, match=rf"^{member}\(\) failed on this sample \({type(error).__name__}: '?x") as caught:
        unimodal.lime(raising(member, error), SAMPLE, [TARGET])
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("member", ["encode", "baseline", "forward"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), BadInput("its own sentence")])
def test_interrupts_and_sentences_of_the_models_own_pass(member, error):
    with pytest.raises(type(error)) as caught:
        unimodal.lime(raising(member, error), SAMPLE, [TARGET])
    assert caught.value is error


def test_lack_of_memory_in_a_baseline_is_not_renamed():
    error = torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(torch.OutOfMemoryError) as caught:
        leaves.encode_baseline(raising("baseline", error), bilinear().encode(SAMPLE))
    assert caught.value is error


def raising(member, error):
    def fail(*given):
        raise error

    model = bilinear()
    setattr(model, member, fail)
    return model


def test_what_the_protocol_leaves_open_stays_open():
    class Plain(toys.Toy):
        def encode(self, sample):
            e = super().encode(sample)
            # No aux at all, a number shared by all rows, groups, and names in a list.
            names = Atoms(list(e.atoms["b"].names), "word", groups=torch.tensor([0, 1, 2, -1]))
            return Encoded(e.x, {"b": {"scale": torch.tensor(2.0)}, "c": 3}, {**e.atoms, "b": names})

        def forward(self, x, aux):
            o = super().forward(x, {})
            return Output(o.logits[:, :1] * aux["b"]["scale"], o.features)

    model = Plain(bilinear().function)
    for method in METHODS.values():
        method(model)
    found = unimodal.integrated_gradients(model, SAMPLE, [TARGET])[0]
    assert math.isfinite(float(found.values["a"].sum()))
    assert capabilities(model, SAMPLE).layers == ()
    for aux in ({}, {"a": {}}):
        assert leaves.encode(encoding(lambda e, aux=aux: Encoded(e.x, aux, e.atoms)), SAMPLE).aux == {"a": {}, "b": {}}
