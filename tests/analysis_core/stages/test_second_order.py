"""Second-order gradients against models whose mixed derivative is known by hand."""

import pytest
import torch

from analysis_core import AllLogits, Atoms, Logit, Margin, PredictedLogit, leaves
from analysis_core.errors import BadInput, NotDifferentiableTwice, NullDirection, UnknownName
from analysis_core.stages import crossmodal
from analysis_core.stages.curvature import Curvature
from tests.analysis_core import toys

DIRECTIONS = ("norm", "hutchinson", "l1", "grad_x_input", "sum")


def second_order(model, sample, target=Logit(0), source="a", to="b", **options):  # noqa: B008
    return crossmodal.second_order(model, sample, target, source=source, to=to, **options)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_additive_model_gives_exactly_zero_and_no_exception(direction):
    result = second_order(toys.additive(), toys.sample(), direction=direction)
    assert result.pairs.shape == (3, 4)
    assert result.pairs.dtype == torch.float64
    assert not result.pairs.any()


def test_bilinear_with_one_component_per_source_atom_gives_the_norms_of_w():
    # f = a' W b with scalar atoms a_i: g_i = (W b)_i, v_i = sign g_i, d(g_i v_i)/db_j = +-W[i, j-block]: norm |W_ij|.
    W = toys.random(3, 4, seed=9)
    result = second_order(toys.bilinear(W), toys.sample(p=1, q=1))
    torch.testing.assert_close(result.pairs, W.abs(), rtol=1e-12, atol=1e-14)


def test_bilinear_with_blocks_gives_the_norm_of_the_projected_block_in_every_direction():
    # d<g_i, v_i>/db_j = W_ij' v_i with W_ij the [p, q] block, g_i = sum_j W_ij b_j.
    n, p, m, q = 3, 2, 4, 5
    W, sample = toys.random(n * p, m * q, seed=9), toys.sample(n, p, m, q)
    blocks = W.reshape(n, p, m, q)
    g = torch.einsum("ipjq,jq->ip", blocks, sample["b"][0])
    for direction, v in {
        "norm": g / g.norm(dim=1, keepdim=True),
        "l1": g.sign(),
        "grad_x_input": sample["a"][0],
        "sum": torch.ones_like(g),
    }.items():
        expected = torch.einsum("ipjq,ip->ijq", blocks, v).norm(dim=2)
        result = second_order(toys.bilinear(W), sample, direction=direction)
        torch.testing.assert_close(result.pairs, expected, rtol=1e-12, atol=1e-14)


def test_hutchinson_approaches_the_frobenius_norm_of_the_block():
    # E |W_ij' v|^2 = |W_ij|_F^2 for v ~ N(0, I). With 4000 draws the standard error of the mean square is about 2 %.
    W = toys.random(6, 20, seed=9)
    result = second_order(toys.bilinear(W), toys.sample(), direction="hutchinson", projections=4000)
    expected = W.reshape(3, 2, 4, 5).transpose(1, 2).flatten(2).norm(dim=2)
    torch.testing.assert_close(result.pairs, expected, rtol=0.06, atol=0)


def test_vision_is_not_audio_source_and_target_are_not_swapped():
    W = toys.random(3, 4, seed=9)
    forth = second_order(toys.bilinear(W), toys.sample(p=1, q=1))
    back = second_order(toys.bilinear(W), toys.sample(p=1, q=1), source="b", to="a")
    assert back.pairs.shape == (4, 3)
    torch.testing.assert_close(back.pairs, forth.pairs.T)
    assert set(back.values) == {"a"}


def test_chosen_atoms_are_rows_in_the_order_given():
    W = toys.random(6, 20, seed=9)
    whole = second_order(toys.bilinear(W), toys.sample()).pairs
    some = second_order(toys.bilinear(W), toys.sample(), atoms=[2, 0])
    torch.testing.assert_close(some.pairs, whole[[2, 0]])
    torch.testing.assert_close(some.values["b"], whole[[2, 0]].sum(0))


def test_leaves_are_grouped_into_atoms_and_those_of_no_atom_are_left_out():
    # Source leaves 0, 1 make atom 0 (g over both), leaf 2 is padding; target leaves 1, 2 make atom 0, leaf 3 atom 1.
    W = toys.random(3, 4, seed=9)
    sample = toys.sample(p=1, q=1)
    model = toys.bilinear(W)
    model.atoms = {
        "a": Atoms(("red cube",), "word", groups=torch.tensor([0, 0, -1])),
        "b": Atoms(("left", "right"), "region", groups=torch.tensor([-1, 0, 0, 1])),
    }
    g = (W @ sample["b"][0, :, 0])[:2]
    row = (g / g.norm()) @ W[:2]
    expected = torch.stack([row[1:3].norm(), row[3].abs()]).unsqueeze(0)
    torch.testing.assert_close(second_order(model, sample).pairs, expected)


def test_pixels_are_norms_over_channels_and_pairs_group_them_into_superpixels():
    # f = sum (w . x_p)^2 / 2: g_w = sum_p (w . x_p) x_p; d<g_w, v>/dx_p = (v . x_p) w + (w . x_p) v.
    groups = torch.tensor([0, 0, 1, 1, 1, 0, 2, 2, 2, 2, -1, -1])
    sample = {"image": toys.random(1, 3, 3, 4, seed=1), "text": toys.random(1, 2, 3, seed=2)}
    result = second_order(toys.Picture(groups), sample, source="text", to="image", pixels=True)
    x, words = sample["image"][0].flatten(1).T, sample["text"][0]
    for i, w in enumerate(words):
        g = ((x @ w).unsqueeze(1) * x).sum(0)
        v = g / g.norm()
        per_pixel = ((x @ v).unsqueeze(1) * w + (x @ w).unsqueeze(1) * v).norm(dim=1)
        torch.testing.assert_close(result.pixels[i], per_pixel.reshape(3, 4))
        expected = torch.stack([per_pixel[groups == k].norm() for k in range(3)])
        torch.testing.assert_close(result.pairs[i], expected)


def test_a_picture_can_be_the_source():
    groups = torch.tensor([0, 0, 1, 1])
    sample = {"image": toys.random(1, 3, 2, 2, seed=1), "text": toys.random(1, 2, 3, seed=2)}
    result = second_order(toys.Picture(groups), sample, source="image", to="text")
    assert result.pairs.shape == (2, 2)
    assert (result.pairs > 0).all()


def test_the_sum_direction_is_refused_where_layer_norm_annihilates_it():
    for dtype in (torch.float64, torch.float32):
        sample = toys.sample(p=8, dtype=dtype)
        with pytest.raises(NullDirection, match="LayerNorm"):
            second_order(toys.layer_norm_text(), sample, direction="sum")
        assert (second_order(toys.layer_norm_text(), sample).pairs > 1e-6).any()


def test_gradient_x_input_is_refused_where_layer_norm_annihilates_it_and_nowhere_else():
    # f(c a) = f(a) through LayerNorm (but for its epsilon), so <df/da, a> is 0 whatever b is.
    sample = toys.sample(p=8)
    with pytest.raises(NullDirection, match="a vector's length"):
        second_order(toys.layer_norm_text(), sample, direction="grad_x_input")
    bilinear = toys.bilinear(toys.random(24, 20))
    assert (second_order(bilinear, sample, direction="grad_x_input").pairs > 1e-6).all()


def test_relu_late_fusion_is_not_applicable_and_the_operation_is_named():
    with pytest.raises(NotDifferentiableTwice, match="Relu"):
        second_order(toys.relu_late_fusion(), toys.sample())
    softplus = toys.relu_late_fusion(torch.nn.functional.softplus)
    assert (second_order(softplus, toys.sample()).pairs > 0).any()


def test_an_additive_relu_model_is_zero_without_an_exception():
    model = toys.Toy(lambda a, b: torch.stack([a.relu().sum((1, 2)) + b.relu().sum((1, 2))] * 2, dim=1))
    assert not second_order(model, toys.sample()).pairs.any()
    assert not second_order(model, toys.sample(dtype=torch.float32)).pairs.any()


def test_a_word_that_only_adds_is_zero_although_another_interacts():
    model = toys.Toy(lambda a, b: torch.stack([a[:, 0].sum(1) + a[:, 1].sum(1) * b.sum((1, 2))] * 2, dim=1))
    pairs = second_order(model, toys.sample()).pairs
    assert not pairs[0].any()
    assert (pairs[1] > 0).all()
    assert not second_order(model, toys.sample(), atoms=[0]).pairs.any()


def test_a_source_that_the_target_ignores_is_zero():
    model = toys.Toy(lambda a, b: torch.stack([b.sum((1, 2)), b.square().sum((1, 2))], dim=1))
    result = second_order(model, toys.sample())
    assert not result.pairs.any()
    assert result.quality["sum_ratio"] is None


def test_lstm_and_fused_attention_have_second_derivatives():
    sample = toys.sample(p=4, dtype=torch.float32)
    for model in (toys.Lstm().eval(), toys.Attention().eval()):
        result = second_order(model, sample)
        assert (result.pairs > 0).all()
        assert result.quality["engine"] == "double_backward"
        exact = second_order(model.double(), {m: t.double() for m, t in sample.items()})
        torch.testing.assert_close(result.pairs, exact.pairs, rtol=1e-3, atol=1e-6)


def test_central_differences_stand_in_where_an_operation_has_no_second_derivative():
    # f = (a'Wb)^2 / 2 by an operation with a first derivative only; the same in plain operations is the oracle.
    W, sample = toys.random(6, 20, seed=9), toys.sample()
    result = second_order(toys.once_differentiable(W), sample)
    assert result.quality["engine"] == "central_differences"
    plain = toys.Toy(lambda a, b: toys.bilinear(W).function(a, b).square() / 2)
    torch.testing.assert_close(result.pairs, second_order(plain, sample).pairs, rtol=1e-8, atol=1e-10)


def test_logits_add_up_and_a_margin_with_itself_is_zero():
    W = toys.random(6, 20, seed=9)
    model = toys.Toy(lambda a, b: toys.bilinear(W).function(a, b)[:, :1].repeat(1, 2))
    one = second_order(model, toys.sample(), Logit(0)).pairs
    torch.testing.assert_close(second_order(model, toys.sample(), AllLogits()).pairs, 2 * one)
    assert not second_order(model, toys.sample(), Margin(0, 1)).pairs.any()


def test_the_same_seed_gives_the_same_bytes_and_the_global_generator_is_untouched():
    W = toys.random(6, 20, seed=9)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    a, b, c = (second_order(toys.bilinear(W), toys.sample(), direction="hutchinson", seed=s).pairs for s in (3, 3, 4))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_predicted_class_is_resolved_and_recorded():
    W = toys.random(6, 20, seed=9)
    assert second_order(toys.bilinear(W), toys.sample(), PredictedLogit()).target["kind"] == "Logit"


def test_impossible_requests_are_refused_with_a_sentence():
    model, sample = toys.bilinear(toys.random(6, 20)), toys.sample()
    with pytest.raises(UnknownName, match="norm"):
        second_order(model, sample, direction="nrm")
    with pytest.raises(UnknownName):
        second_order(model, sample, source="audio")
    with pytest.raises(BadInput, match="both"):
        second_order(model, sample, to="a")
    with pytest.raises(BadInput, match="0 to 2"):
        second_order(model, sample, atoms=[3])
    with pytest.raises(BadInput, match="pixels"):
        second_order(model, sample, pixels=True)
    with pytest.raises(BadInput, match="class 7"):
        second_order(model, sample, Logit(7))


class _Silent(torch.autograd.Function):
    """The square of x, halved, whose backward hides its dependence on x from torch."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square() / 2

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].detach()


def test_disagreement_with_finite_differences_shows_a_second_derivative_that_is_missing_in_silence():
    W, sample = toys.random(6, 20, seed=9), toys.sample()
    gaps = []
    for square in (lambda f: f.square() / 2, _Silent.apply):
        model = toys.Toy(lambda a, b, square=square: square(toys.bilinear(W).function(a, b)))
        curvature = Curvature(model, leaves.encode(model, sample), Logit(0), source="a", to="b")
        gaps.append(curvature.disagreement(sample["a"]))
    assert gaps[0] < 1e-6
    assert gaps[1] > 0.1
