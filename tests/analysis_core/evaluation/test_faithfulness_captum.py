"""Infidelity and maximal sensitivity: values by hand, and captum called on the same model directly."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from analysis_core import Attribution, Logit, PredictedLogit, results
from analysis_core.errors import BadInput
from analysis_core.evaluation import faithfulness
from analysis_core.stages import crossmodal, unimodal
from tests.analysis_core import toys

WA, WB = toys.random(3, 1, seed=7), toys.random(4, 1, seed=8)
SAMPLE = toys.sample(p=1, q=1)


def attribution(scale=1.0, **changes):
    values = {"a": (WA * SAMPLE["a"][0]).sum(1), "b": (WB * SAMPLE["b"][0]).sum(1)}
    values = {m: scale * v + changes.get(m, 0) for m, v in values.items()}
    return Attribution(values, {"kind": "Logit", "k": 0}, "planted", {}, {})


def test_the_true_values_of_a_linear_model_have_no_infidelity():
    model = toys.linear(WA, WB)
    assert faithfulness.infidelity(model, SAMPLE, attribution()).value == pytest.approx(0, abs=1e-25)
    lime = unimodal.lime(model, SAMPLE, [Logit(0)])[0]
    assert faithfulness.infidelity(model, SAMPLE, lime).value < 1e-8


def test_one_wrong_value_costs_its_square_in_half_of_the_sets():
    # Atom 0 of a is 2 too high: the error is 2 where it is removed, half of the time: 4 / 2, give or take
    # 4 x sqrt(1/4 / 4000) = .03 by the draws.
    wrong = attribution(a=torch.tensor([2.0, 0, 0]).double())
    found = faithfulness.infidelity(toys.linear(WA, WB), SAMPLE, wrong, samples=4000)
    assert found.value == pytest.approx(2, abs=0.13)
    assert found.quality["forwards"] <= 2**7


def test_proportions_alone_are_judged_when_normalised():
    tripled = attribution(scale=3.0)
    model = toys.linear(WA, WB)
    assert faithfulness.infidelity(model, SAMPLE, tripled).value > 0.1
    assert faithfulness.infidelity(model, SAMPLE, tripled, normalise=True).value == pytest.approx(0, abs=1e-20)


def test_only_the_modalities_asked_for_are_removed():
    wrong = attribution(a=torch.ones(3).double())
    model = toys.linear(WA, WB)
    assert faithfulness.infidelity(model, SAMPLE, wrong, modalities=["b"]).value == pytest.approx(0, abs=1e-25)
    assert faithfulness.infidelity(model, SAMPLE, wrong, modalities=["a"]).value > 0.1


def test_infidelity_equals_captum_called_on_the_inputs_themselves():
    # Ours removes atoms of a mask; captum on the inputs subtracts I = removed * x, with values per unit of input.
    from captum.metrics import infidelity

    model = toys.relu_late_fusion(torch.tanh)
    sample = toys.sample(p=1, q=1)
    values = {"a": toys.random(3, seed=1), "b": toys.random(4, seed=2)}
    shown = Attribution(values, {"kind": "Logit", "k": 1}, "planted", {}, {})
    ours = faithfulness.infidelity(model, sample, shown, samples=50, seed=5)

    from analysis_core.seeds import generator

    x = torch.cat([sample["a"], sample["b"]], 1).squeeze(2)
    g = generator(5, "infidelity")

    def removed(inputs):
        gone = (torch.rand(inputs.shape, generator=g) < 0.5).to(inputs)
        return gone * inputs, inputs - gone * inputs

    theirs = infidelity(
        lambda z: model.function(z[:, :3, None], z[:, 3:, None])[:, 1],
        removed,
        x,
        torch.cat([values["a"], values["b"]])[None] / x,
        n_perturb_samples=50,
    )
    assert ours.value == pytest.approx(float(theirs), rel=1e-10)


def test_a_constant_explanation_is_not_sensitive_and_saliency_of_a_square_is_known():
    # f = a^2 / 2 on one atom: saliency |a|; a copy is off by at most radius x spread, of |a| = 3 here.
    model = toys.Toy(lambda a, b: (a.square().sum((1, 2)) / 2 + 0 * b.sum((1, 2))).unsqueeze(1).repeat(1, 2))
    sample = {"a": torch.full((1, 1, 1), 3.0).double(), "b": torch.zeros(1, 1, 1).double()}
    found = faithfulness.max_sensitivity(model, sample, Logit(0), unimodal.gradient, radius=0.3, samples=200)
    # A single number has no spread, so the radius is taken as it is: 200 draws come within 5 % of its end.
    assert 0.95 * 0.1 < found.value <= 0.1
    assert found.method == "gradient/saliency"
    assert found.quality["evaluations"] == 201
    flat = faithfulness.max_sensitivity(toys.linear(WA, WB), SAMPLE, PredictedLogit(), unimodal.gradient)
    assert flat.value == pytest.approx(0, abs=1e-12)


def test_sensitivity_equals_captum_with_the_same_noise():
    from captum.metrics import sensitivity_max

    from analysis_core.seeds import generator

    model, sample = toys.relu_late_fusion(torch.tanh), toys.sample(p=1, q=1)
    ours = faithfulness.max_sensitivity(model, sample, Logit(0), unimodal.gradient, radius=0.1, samples=7, seed=3)
    g = generator(3, "max_sensitivity")

    def noisy(inputs):
        noise = [2 * torch.rand(t.shape, generator=g, dtype=torch.float64) - 1 for t in inputs]
        return tuple(t + 0.1 * float(t[0].std()) * u for t, u in zip(inputs, noise, strict=True))

    def saliency(inputs):
        with torch.enable_grad():
            a, b = (t.detach().clone().requires_grad_() for t in inputs)
            grads = torch.autograd.grad(model.function(a, b)[:, 0].sum(), (a, b))
        return tuple(grad.abs().flatten(1) for grad in grads)

    theirs = sensitivity_max(saliency, (sample["a"], sample["b"]), noisy, n_perturb_samples=7)
    assert ours.value == pytest.approx(float(theirs), rel=1e-6)


def test_interactions_are_compared_by_their_pairs():
    # A bilinear model's pairs do not depend on the inputs, up to signs.
    def explain(model, sample, target):
        return crossmodal.second_order(model, sample, target, source="a", to="b")

    model, sample = toys.bilinear(toys.random(3, 4, seed=9)), toys.sample(p=1, q=1)
    found = faithfulness.max_sensitivity(model, sample, Logit(0), explain, radius=0.01)
    assert found.value == pytest.approx(0, abs=1e-10)


def test_the_same_seed_gives_the_same_bytes_and_scores_are_saved_without_loss():
    model = toys.relu_late_fusion(torch.tanh)
    for score in (
        lambda s: faithfulness.infidelity(model, SAMPLE, attribution(), seed=s),
        lambda s: faithfulness.max_sensitivity(model, SAMPLE, Logit(0), unimodal.gradient, seed=s),
    ):
        one, two, three = score(1), score(1), score(2)
        assert results.dumps(one) == results.dumps(two)
        assert one.value != three.value
        assert results.loads(results.dumps(one)) == one


def test_impossible_requests_are_refused():
    model = toys.linear(WA, WB)
    with pytest.raises(BadInput, match="samples must be a whole number of at least 1, not 0"):
        faithfulness.infidelity(model, SAMPLE, attribution(), samples=0)
    for options in ({"samples": 0}, {"radius": 0.0}, {"radius": float("nan")}):
        with pytest.raises(BadInput, match=f"^{next(iter(options))} must be"):
            faithfulness.max_sensitivity(model, SAMPLE, Logit(0), unimodal.gradient, **options)


def test_nothing_that_is_not_finite_gets_a_score():
    nothing = float("nan")
    model, broken = toys.linear(WA, WB), toys.linear(WA * nothing, WB)
    missing = {**SAMPLE, "a": SAMPLE["a"] * nothing}
    no_baseline = toys.linear(WA, WB)
    no_baseline.baseline = lambda encoded: {m: torch.full_like(x, nothing) for m, x in encoded.x.items()}
    for where, sample in ((broken, SAMPLE), (model, missing), (no_baseline, SAMPLE)):
        with pytest.raises(BadInput, match="not finite"):
            faithfulness.infidelity(where, sample, attribution())
    with pytest.raises(BadInput, match="target is not finite"):
        faithfulness.max_sensitivity(broken, SAMPLE, Logit(0), unimodal.gradient)
    # The gradient of a linear model is the same everywhere, and finite: only the inputs tell.
    with pytest.raises(BadInput, match="inputs of 'a'"):
        faithfulness.max_sensitivity(model, missing, Logit(0), unimodal.gradient)
    with pytest.raises(BadInput, match="planted gives values"):
        faithfulness.max_sensitivity(model, SAMPLE, Logit(0), lambda *given: attribution(scale=nothing))


def test_a_modality_named_twice_is_removed_once_and_a_string_is_one_name():
    # Counted twice, b's values would be twice as high as what removing b changes.
    found = faithfulness.infidelity(toys.linear(WA, WB), SAMPLE, attribution(), modalities=["b", "b"])
    assert found.value == pytest.approx(0, abs=1e-25)
    assert found.config["modalities"] == ["b"]
    alone = faithfulness.infidelity(toys.linear(WA, WB), SAMPLE, attribution(), modalities="b")
    assert results.dumps(alone) == results.dumps(found)


def test_captum_and_matplotlib_are_loaded_only_when_they_are_needed():
    program = (
        "import sys; from analysis_core.evaluation import faithfulness, sanity; import analysis_core.results;"
        "print([m for m in ('captum', 'matplotlib', 'skimage') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("normalise", [True, False])
def test_squares_beyond_the_range_of_numbers_are_no_perfect_score(normalise):
    with pytest.raises(BadInput, match="leave the range of numbers"):
        faithfulness.infidelity(toys.linear(WA, WB), SAMPLE, attribution(scale=1e200), normalise=normalise)


def test_an_explanation_may_ask_the_model_for_what_else_it_has():
    model = toys.Lstm()
    model.labels = ("no", "yes")
    sample = {"a": torch.randn(1, 3, 4), "b": torch.randn(1, 2, 5)}

    def explain(here, sample, target):
        here.eval()
        assert here.labels == ("no", "yes")
        return unimodal.gradient(copy.copy(here), sample, target)

    found = faithfulness.max_sensitivity(model, sample, Logit(1), explain)
    assert found.value == faithfulness.max_sensitivity(model, sample, Logit(1), unimodal.gradient).value > 0
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        faithfulness.max_sensitivity(model, sample, Logit(1), lambda here, *_: here.colour)


def test_a_methods_name_is_no_function():
    with pytest.raises(BadInput, match="explain must be a function"):
        faithfulness.max_sensitivity(toys.linear(WA, WB), SAMPLE, Logit(0), "gradient")
