"""What a second derivative of 0 means: nothing to find, a direction that says nothing, or kinks that hide it."""

import pytest
import torch
from torch.nn import functional

from analysis_core import Logit
from analysis_core.errors import BadInput, NotDifferentiableTwice, NullDirection
from analysis_core.stages import crossmodal
from tests.analysis_core import toys

DIRECTIONS = ("norm", "hutchinson", "l1", "grad_x_input", "sum")


class Based(toys.Toy):
    """A toy with another baseline than 0; logit 0 is the function's sum."""

    def __init__(self, function, base):
        super().__init__(lambda a, b: function(a, b).unsqueeze(1))
        self.base = base

    def baseline(self, encoded):
        return {m: torch.full_like(t, self.base) for m, t in encoded.x.items()}


def second_order(model, sample, **options):
    return crossmodal.second_order(model, sample, Logit(0), source="a", to="b", **options)


def both(a, b):
    return a.sum((1, 2)) + b.sum((1, 2))


def at(value, n=3, p=2, m=4, q=5, dtype=torch.float64):
    return {"a": torch.full((1, n, p), value, dtype=dtype), "b": torch.full((1, m, q), value, dtype=dtype)}


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_dead_relu_without_a_gradient_is_not_applicable_either(direction):
    model = Based(lambda a, b: torch.relu(both(a, b)), base=1.0)
    with pytest.raises(NotDifferentiableTwice, match="Relu"):
        second_order(model, at(-0.3), direction=direction)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_additive_model_without_a_gradient_is_zero_and_quality_says_what_vouches_for_it(direction):
    # At 0 the gradient of the squares is 0, and so are LayerNorm's shifts.
    def function(a, b):
        return a.square().sum((1, 2)) + functional.layer_norm(b, b.shape[-1:]).sin().sum((1, 2))

    found = second_order(Based(function, base=1.0), {**at(0.0), "b": toys.random(1, 4, 5, seed=2)}, direction=direction)
    assert not found.pairs.any()
    assert found.quality["finite_step_interaction"] <= found.quality["finite_step_round_off"]


@pytest.mark.parametrize("direction", ["sum", "grad_x_input"])
def test_an_additive_model_is_zero_where_layer_norm_annihilates_the_direction(direction):
    def function(a, b):
        return functional.layer_norm(a, a.shape[-1:], eps=0).sin().sum((1, 2)) + b.sin().sum((1, 2))

    found = second_order(Based(function, base=1.0), toys.sample(p=8), direction=direction)
    assert not found.pairs.any()
    assert found.quality["null_atoms"] == [0, 1, 2]


def test_a_bilinear_model_at_zero_is_refused_where_the_direction_is_zero_and_known_elsewhere():
    # f = a'Wb: at b = 0 the gradient of a is 0, and so are norm and l1; grad_x_input is 0 where a is.
    W = toys.random(6, 20, seed=9)
    blocks = W.reshape(3, 2, 4, 5)
    sample = toys.sample()
    empty = {**sample, "b": torch.zeros_like(sample["b"])}
    for direction in ("norm", "l1"):
        with pytest.raises(NullDirection, match=r"gradient is.*hutchinson"):
            second_order(toys.bilinear(W), empty, direction=direction)
    with pytest.raises(NullDirection, match=r"input is.*hutchinson"):
        second_order(toys.bilinear(W), {**sample, "a": torch.zeros_like(sample["a"])}, direction="grad_x_input")
    for direction, v in {"sum": torch.ones(3, 2, dtype=torch.float64), "grad_x_input": sample["a"][0]}.items():
        expected = torch.einsum("ipjq,ip->ijq", blocks, v).norm(dim=2)
        torch.testing.assert_close(second_order(toys.bilinear(W), empty, direction=direction).pairs, expected)


def test_an_atom_without_a_direction_is_named_beside_others_that_have_one():
    # Atom 0 meets b's first row, which is 0: its gradient is 0, though it interacts; atom 1 meets the second.
    model = toys.Toy(lambda a, b: (a[:, :2].sum(2) * b[:, :2].sum(2)).sum(1, keepdim=True))
    sample = toys.sample()
    sample["b"][0, 0] = 0
    found = second_order(model, sample, atoms=[1, 0])
    assert found.pairs[0, 1] > 0
    assert not found.pairs[1].any()
    assert found.quality["null_atoms"] == [0]
    with pytest.raises(NullDirection, match="hutchinson"):
        second_order(model, sample, atoms=[0])


def _bypassed(a, b):
    """Words through LayerNorm meet b; word 0 also goes past it, word 2 goes nowhere."""
    text = functional.layer_norm(a, a.shape[-1:])[:, :2] @ toys.random(a.shape[-1], 6, seed=5).to(a)
    past = a[:, :1] @ toys.random(a.shape[-1], 6, seed=7).to(a)
    scores = torch.cat([text[:, :1] + past, text[:, 1:]], 1).tanh() @ torch.tanh(
        b @ toys.random(b.shape[-1], 6, seed=6).to(b)
    ).transpose(1, 2)
    return torch.logsumexp(scores.flatten(1), dim=1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_word_whose_sum_is_annihilated_is_zero_and_named_in_the_company_of_others(dtype):
    model, sample = Based(_bypassed, base=0.0), toys.sample(p=8, dtype=dtype)
    found = second_order(model, sample, direction="sum")
    assert (found.pairs[0] > 1e-4).all()
    assert not found.pairs[1:].any()
    assert found.quality["null_atoms"] == [1]
    torch.testing.assert_close(found.values["b"], found.pairs[0])
    for atoms in ([1], [1, 2]):
        with pytest.raises(NullDirection, match="LayerNorm"):
            second_order(model, sample, direction="sum", atoms=atoms)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_word_whose_length_is_ignored_is_zero_and_named_in_the_company_of_others(dtype):
    model, sample = Based(_bypassed, base=0.0), toys.sample(p=8, dtype=dtype)
    sample["a"] = sample["a"] * 10  # so that LayerNorm's epsilon is small beside the variance
    found = second_order(model, sample, direction="grad_x_input")
    assert (found.pairs[0] > 1e-5).all()
    assert not found.pairs[1:].any()
    assert found.quality["null_atoms"] == [1]
    with pytest.raises(NullDirection, match="a vector's length"):
        second_order(model, sample, direction="grad_x_input", atoms=[1])


@pytest.mark.parametrize(("n", "p", "m", "q"), [(3, 2, 4, 5), (5, 3, 4, 2), (2, 2, 2, 2)])
def test_finite_steps_that_leave_the_models_domain_do_not_hide_the_interaction(n, p, m, q):
    # log(sum a) is NaN wherever a is removed whole.
    model = Based(lambda a, b: torch.relu(both(a, b)) + a.sum((1, 2)).log(), base=-1.0)
    with pytest.raises(NotDifferentiableTwice, match="Relu"):
        second_order(model, at(1.0, n, p, m, q))
    additive = Based(lambda a, b: torch.relu(b.sum((1, 2))) + a.sum((1, 2)).log(), base=-1.0)
    assert not second_order(additive, at(1.0, n, p, m, q)).pairs.any()


def test_a_model_that_no_finite_step_leaves_finite_is_refused_with_a_sentence():
    here = at(1.0)
    model = Based(
        lambda a, b: torch.where((a - here["a"]).flatten(1).any(1), torch.nan, torch.relu(both(a, b))), base=-1.0
    )
    with pytest.raises(BadInput, match="after every finite step"):
        second_order(model, here)


def test_quality_names_the_kinks_that_hide_part_of_a_mixed_model():
    # The pairs hold the product alone; removal finds what the ReLU does between all of them.
    model = Based(lambda a, b: torch.relu(both(a, b)) + 1e-4 * a[:, 0, 0] * b[:, 0, 0], base=-1.0)
    found = second_order(model, at(0.05))
    assert found.quality["joint_kinks"] == ["Relu"]
    assert int((found.pairs > 0).sum()) == 1
    removed = crossmodal.removal(model, at(0.05), Logit(0), source="a", to="b")
    assert (removed.pairs.abs() > 0.1).all()


def test_kinks_are_those_on_the_way_from_the_source_and_joint_where_the_other_passes_too():
    def function(a, b):
        return torch.relu(a).sum((1, 2)) * b.abs().sum((1, 2)) + a.sum((1, 2)).tanh() * b.sum((1, 2)).clamp(max=2)

    def of(source, to, model):
        quality = crossmodal.second_order(model, toys.sample(), Logit(0), source=source, to=to).quality
        return quality["kinks"], quality["joint_kinks"]

    model = Based(function, base=0.0)
    assert of("a", "b", model) == (["Relu"], [])
    assert of("b", "a", model) == (["Abs", "Clamp"], [])
    late = Based(lambda a, b: functional.leaky_relu(function(a, b)), base=0.0)
    assert of("a", "b", late) == (["LeakyRelu", "Relu"], ["LeakyRelu"])
    assert of("b", "a", toys.bilinear(toys.random(6, 20))) == ([], [])


def test_an_atom_named_twice_is_refused():
    with pytest.raises(BadInput, match="once"):
        second_order(toys.bilinear(toys.random(6, 20)), toys.sample(), atoms=[1, 1])
