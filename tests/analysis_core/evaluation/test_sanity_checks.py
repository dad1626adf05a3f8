"""Sanity checks: what reads the weights passes, what reads the inputs alone fails, and the model stays as it is."""

import copy
import functools

import numpy as np
import pytest
import torch
from torch import nn

from analysis_core import AllLogits, Attribution, Feature, Logit, PredictedLogit, results
from analysis_core.errors import BadInput, MissingCapability, NullDirection, UnknownName
from analysis_core.evaluation import sanity
from analysis_core.stages import crossmodal, unimodal
from analysis_core.types import Encoded, Output
from tests.analysis_core import toys


class Deep(nn.Module):
    """40 scalar atoms of a and 30 of b through three layers each way, then multiplied: logits [B, 3]."""

    modalities = ("a", "b")

    def __init__(self, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first, self.second = nn.Linear(40, 24), nn.Linear(24, 16)
            self.other, self.out = nn.Linear(30, 16), nn.Linear(16, 3)
        self.double()

    def encode(self, sample):
        return Encoded({m: sample[m] for m in "ab"}, {}, {m: toys.named(sample[m].shape[1]) for m in "ab"})

    def forward(self, x, aux):
        features = torch.tanh(self.second(torch.tanh(self.first(x["a"].squeeze(2)))))
        features = features * torch.tanh(self.other(x["b"].squeeze(2)))
        return Output(self.out(features), features)

    def baseline(self, encoded):
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


class Holding:
    """A model that is no module but holds one, as most users' are."""

    modalities = ("a", "b")

    def __init__(self, net):
        self.net = net
        self.encode, self.baseline = net.encode, net.baseline

    def forward(self, x, aux):
        return self.net.forward(x, aux)


class Weights(nn.Module):
    """Only a parameter: f = a' W b."""

    modalities = ("a", "b")

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(toys.random(40, 30, seed=5))

    def encode(self, sample):
        return Encoded({m: sample[m] for m in "ab"}, {}, {m: toys.named(sample[m].shape[1]) for m in "ab"})

    def forward(self, x, aux):
        f = torch.einsum("bi,ij,bj->b", x["a"].squeeze(2), self.W, x["b"].squeeze(2))
        return Output(torch.stack([f, -f], 1), f[:, None])

    def baseline(self, encoded):
        return {m: torch.zeros_like(t) for m, t in encoded.x.items()}


SAMPLES = [toys.sample(n=40, p=1, m=30, q=1), {"a": toys.random(1, 40, 1, seed=3), "b": toys.random(1, 30, 1, seed=4)}]
SECOND = functools.partial(crossmodal.second_order, source="a", to="b")


def edges(model, sample, target):
    """An "edge detector": sizes of differences of neighbours, whatever the model."""
    values = {m: sample[m][0, :, 0].diff(append=sample[m][0, :1, 0]).abs() for m in "ab"}
    return Attribution(values, {}, "edges", {}, {})


def test_the_gradient_passes_and_an_edge_detector_fails():
    # 40 and 30 unrelated ranks correlate by 0 +- .16 and .19; means over 2 samples x 3 repeats by less.
    found = sanity.model_randomisation(Deep(), SAMPLES, Logit(0), unimodal.gradient)
    assert found.parts == ("values/a", "values/b")
    assert found.passed is True
    assert bool((found.judged.abs() < 0.35).all())
    assert found.verdict.startswith("gradient/saliency passes: with all layers re-initialised its rank correlation")
    blind = sanity.model_randomisation(Deep(), SAMPLES, Logit(0), edges)
    assert blind.passed is False
    assert bool((blind.similarity == 1).all() and (blind.top_overlap == 1).all())
    assert blind.verdict == (
        "edges fails: with all layers re-initialised its rank correlation with the original is values/a 1.00, "
        "values/b 1.00 (limit 0.50), so much of it does not come from the model's weights"
    )


@pytest.mark.parametrize(
    "wrap", [lambda net: net, Holding, crossmodal.smooth, lambda net: crossmodal.smooth(Holding(net))]
)
def test_the_model_is_bit_for_bit_the_same_afterwards_and_so_are_random_numbers(wrap):
    net = Deep()
    model, before = wrap(net), {name: t.clone() for name, t in net.state_dict().items()}
    state = torch.random.get_rng_state()
    for mode in ("cascading", "independent"):
        found = sanity.model_randomisation(model, SAMPLES[:1], Logit(0), unimodal.gradient, mode=mode, repeats=1)
        assert found.passed is not None
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
    assert not net._forward_hooks
    assert torch.equal(state, torch.random.get_rng_state())


def test_layers_are_ordered_by_when_they_run_from_the_output_down():
    found = sanity.model_randomisation(Deep(), SAMPLES[:1], Logit(0), unimodal.gradient, repeats=1)
    assert found.steps == ("out", "other", "second", "first")
    assert str(found).splitlines()[1].startswith("out")


def test_one_layer_alone_changes_only_what_lies_below_it():
    # The gradient towards a feature, an input of `out`, does not read `out`; towards a it reads the others.
    found = sanity.model_randomisation(
        Deep(), SAMPLES, Feature(0), unimodal.gradient, mode="independent", repeats=2, layers=["first", "out"]
    )
    assert found.steps == ("first", "out")
    assert bool((found.similarity[1] == 1).all())
    # One factor of the other modality's gradient is all that `first` changes there: the ranks of b stay.
    assert abs(float(found.similarity[0, 0])) < 0.5
    assert float(found.similarity[0, 1]) > 0.99
    assert found.passed is False
    assert "most influential layer" in found.verdict


def test_a_cascade_keeps_what_was_randomised_before():
    # After `out` alone the gradient towards feature 0 is the same, after `out` and `second` it is not.
    found = sanity.model_randomisation(Deep(), SAMPLES, Feature(0), unimodal.gradient, layers=["out", "second", "out"])
    assert found.steps == ("out", "second")
    assert float(found.similarity[0, 0]) == 1
    assert float(found.similarity[1, 0]) < 0.5


def test_many_layers_are_randomised_in_few_steps():
    found = sanity.model_randomisation(Deep(), SAMPLES[:1], Logit(0), unimodal.gradient, at_most=2, repeats=1)
    assert found.steps == ("out to other", "second to first")
    assert found.config["layers"]["out to other"] == ["out", "other"]


def test_a_bare_parameter_is_drawn_anew_with_its_spread_and_interactions_are_compared_by_pairs():
    # Second order is |W_ij|; two independent draws of 1200 numbers correlate by 0 +- .03.
    found = sanity.model_randomisation(Weights(), SAMPLES, Logit(0), SECOND)
    assert found.parts == ("pairs",)
    assert found.passed is True
    assert abs(float(found.judged[0])) < 0.12
    # The 120 largest of 1200 twice share 12 by chance.
    assert float(found.top_overlap[-1, 0]) == pytest.approx(0.1, abs=0.08)


def test_the_predicted_class_is_that_of_the_model_not_of_its_randomised_copy():
    targets = set()

    def watching(model, sample, target):
        targets.add(target)
        return unimodal.gradient(model, sample, target)

    sanity.model_randomisation(Deep(), SAMPLES[:1], PredictedLogit(), watching)
    assert len(targets) == 1
    assert isinstance(targets.pop(), Logit)


def test_explanations_that_are_refused_on_random_weights_are_left_out_and_counted():
    model, calls = Deep(), []

    def refusing(net, sample, target):
        calls.append(net)
        if net is not model and len(calls) % 2:
            raise NullDirection("only round-off would be drawn")
        return unimodal.gradient(net, sample, target)

    found = sanity.model_randomisation(model, SAMPLES, Logit(0), refusing, layers=["out", "first"], repeats=2)
    assert found.quality["refused"] == 4
    assert found.quality["first_refusal"] == "only round-off would be drawn"
    assert found.passed is not None

    def always(net, sample, target):
        if net is not model:
            raise NullDirection("only round-off would be drawn")
        return unimodal.gradient(net, sample, target)

    nothing = sanity.model_randomisation(model, SAMPLES, Logit(0), always, repeats=1)
    assert nothing.passed is None
    assert "cannot be judged" in nothing.verdict


class Closure(Holding):
    """Holds a network, but runs another one."""

    def __init__(self):
        super().__init__(Deep())
        hidden = Deep(seed=1)
        self.run = lambda x, aux: hidden.forward(x, aux)

    def forward(self, x, aux):
        return self.run(x, aux)


class Uncopied(Holding):
    """Refuses to be copied."""

    def __deepcopy__(self, memo):
        raise TypeError("open file")


class Shallow(Holding):
    """Copies without its network."""

    def __deepcopy__(self, memo):
        return copy.copy(self)


def test_models_that_cannot_be_randomised_are_refused_with_what_is_needed():
    for model, sentence in (
        (toys.bilinear(toys.random(40, 30)), "attribute"),
        (Uncopied(Deep()), "open file"),
        (Shallow(Deep()), "shares its weights"),
        (Closure(), "changed nothing"),
    ):
        with pytest.raises(MissingCapability, match=sentence):
            sanity.model_randomisation(model, SAMPLES, Logit(0), unimodal.gradient)


def test_impossible_requests_are_refused():
    check = functools.partial(sanity.model_randomisation, Deep(), target=Logit(0), explain=unimodal.gradient)
    with pytest.raises(UnknownName, match="did you mean first"):
        check(SAMPLES, layers=["frist"])
    with pytest.raises(UnknownName, match="cascading"):
        check(SAMPLES, mode="cascade")
    with pytest.raises(BadInput, match="at least one sample"):
        check([])
    with pytest.raises(BadInput, match="repeats"):
        check(SAMPLES, repeats=0)


def test_the_same_seed_gives_the_same_bytes_and_reports_are_saved_without_loss():
    one, two, three = (
        sanity.model_randomisation(Deep(), SAMPLES, AllLogits(), unimodal.gradient, repeats=1, seed=s)
        for s in (1, 1, 2)
    )
    assert results.dumps(one) == results.dumps(two)
    assert not torch.equal(one.spearman, three.spearman)
    again = results.loads(results.dumps(one))
    assert (again.verdict, again.steps, again.config, str(again)) == (one.verdict, one.steps, one.config, str(one))


def fit(labels):
    """Least squares of y on the 40 atoms of a, in the words of the library: f = <w, a> b0."""
    x = toys.random(200, 40, seed=8)
    w = torch.linalg.lstsq(x, torch.as_tensor(np.asarray(labels, dtype=float))[:, None]).solution
    return toys.Toy(lambda a, b: (a.squeeze(2) @ w.to(a) * b[:, 0]).repeat(1, 2))


@pytest.mark.parametrize("kind", [lambda y: y, lambda y: y.numpy(), lambda y: y.tolist()])
def test_refitting_on_permuted_labels_changes_what_was_learnt_and_nothing_else(kind):
    true = toys.random(40, 1, seed=9)
    labels = kind((toys.random(200, 40, seed=8) @ true).squeeze(1))
    found = sanity.data_randomisation(fit(labels), fit, labels, SAMPLES, Logit(0), unimodal.gradient, repeats=3)
    assert found.steps == ("labels permuted",)
    # Gradient towards a: the weights, which permuted labels do not give back. Of b one atom matters, learnt or not.
    assert abs(float(found.similarity[0, 0])) < 0.4
    blind = sanity.data_randomisation(fit(labels), fit, labels, SAMPLES, Logit(0), edges)
    assert blind.passed is False
    assert "learnt from its labels" in blind.verdict


def test_the_labels_are_permuted_and_keep_their_kind():
    seen = []

    def watching(labels):
        seen.append(labels)
        return Deep(seed=3)

    labels = np.arange(50, dtype=np.int16)
    sanity.data_randomisation(Deep(), watching, labels, SAMPLES[:1], Logit(0), unimodal.gradient, repeats=2)
    assert all(sorted(drawn) == labels.tolist() and drawn.dtype == labels.dtype for drawn in seen)
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], labels)
    with pytest.raises(BadInput, match="equal"):
        sanity.data_randomisation(Deep(), watching, ["yes"] * 9, SAMPLES[:1], Logit(0), unimodal.gradient)
