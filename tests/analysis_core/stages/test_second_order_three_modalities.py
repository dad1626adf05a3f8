"""Second order among three modalities, towards features and layers, and on patches and boxes."""

import pytest
import torch

from analysis_core import Attribution, Feature, Logit
from analysis_core.errors import BadInput
from analysis_core.stages import crossmodal
from analysis_core.types import Atoms, Encoded
from tests.analysis_core import toys
from tests.analysis_core.toys_trilinear import mixed, trilinear

DIRECTIONS = ("norm", "hutchinson", "l1", "grad_x_input", "sum")
PAIRS = [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("b", "c"), ("c", "b")]


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_any_two_of_three_modalities_show_their_own_mixed_derivative(source, to):
    # Scalar atoms: v_i is +-1 (norm, l1), 1 (sum) or x_i (grad_x_input); pairs are |v_i| |d2f / dx_i dy_j|.
    model, sample = trilinear()
    known = mixed(model, sample, source, to).abs()
    for direction in ("norm", "l1", "sum"):
        found = crossmodal.second_order(model, sample, Logit(0), source=source, to=to, direction=direction).pairs
        torch.testing.assert_close(found, known, rtol=1e-12, atol=1e-14)
    found = crossmodal.second_order(model, sample, Logit(0), source=source, to=to, direction="grad_x_input").pairs
    torch.testing.assert_close(found, known * sample[source][0].abs(), rtol=1e-12, atol=1e-14)
    found = crossmodal.second_order(model, sample, Logit(0), source=source, to=to, direction="hutchinson").pairs
    # One random factor per source atom, the root mean square of its draws: the same for all target atoms.
    factors = found / known
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), rtol=1e-9, atol=0)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_an_additive_model_of_three_modalities_is_exactly_zero(direction):
    model, sample = trilinear()
    for source, to in PAIRS:
        found = crossmodal.second_order(model, sample, Logit(1), source=source, to=to, direction=direction)
        assert not found.pairs.any()


def test_interactions_towards_a_feature_and_towards_a_named_layer():
    model, sample = trilinear()
    options = {"source": "a", "to": "b"}
    two = crossmodal.second_order(model, sample, Feature(0), **options)
    torch.testing.assert_close(two.pairs, model.U.abs(), rtol=1e-12, atol=1e-14)
    assert two.target == {"kind": "Feature", "j": 0, "layer": "penultimate"}
    three = crossmodal.second_order(model, sample, Feature(1, layer="doubled"), **options)
    known = 2 * torch.einsum("ijk,k->ij", model.T, sample["c"].flatten()).abs()
    torch.testing.assert_close(three.pairs, known, rtol=1e-12, atol=1e-14)


def test_the_standard_error_of_random_projections_shrinks_with_their_number():
    # One component per atom: a draw's square is chi-square (mean 1, variance 2), so the root's relative standard error
    # is sqrt(2 / n) / 2: .354 for 4, .035 for 400 draws.
    model, sample = trilinear()
    few, many = (
        crossmodal.second_order(model, sample, Logit(0), source="a", to="b", direction="hutchinson", projections=n)
        for n in (4, 400)
    )
    assert many.quality["relative_standard_error"] == pytest.approx(0.035, rel=0.3)
    assert few.quality["relative_standard_error"] > 3 * many.quality["relative_standard_error"]
    with pytest.raises(BadInput, match="at least 1"):
        crossmodal.second_order(model, sample, Logit(0), source="a", to="b", direction="hutchinson", projections=0)


class Patches(toys.Picture):
    """toys.Picture in square patches of 2 x 2 pixels."""

    def encode(self, sample):
        encoded = super().encode(sample)
        names = tuple(f"patch {i}" for i in range(int(self.groups.max()) + 1))
        return Encoded(encoded.x, {}, {**encoded.atoms, "image": Atoms(names, "patch", groups=self.groups)})


def test_a_picture_in_patches_has_a_pixel_map_which_boxes_read_in_its_own_coordinates():
    # 4 x 6 pixels in patches of 2 x 2. f = sum (w . x_p)^2 / 2, so |d<g_w, v>/dx_p| = |(v . x_p) w + (w . x_p) v|.
    groups = torch.arange(6).reshape(2, 3).repeat_interleave(2, 0).repeat_interleave(2, 1).flatten()
    sample = {"image": toys.random(1, 3, 4, 6, seed=1), "text": toys.random(1, 2, 3, seed=2)}
    found = crossmodal.second_order(Patches(groups), sample, Logit(0), source="text", to="image", pixels=True)
    x, w = sample["image"][0].flatten(1).T, sample["text"][0][1]
    g = ((x @ w).unsqueeze(1) * x).sum(0)
    v = g / g.norm()
    known = ((x @ v).unsqueeze(1) * w + (x @ w).unsqueeze(1) * v).norm(dim=1).reshape(4, 6)
    torch.testing.assert_close(found.pixels[1], known)
    torch.testing.assert_close(found.pairs[1, 4], known[2:, 2:4].norm())
    read = crossmodal.box_means(found, torch.tensor([[2, 2, 4, 4], [0, 0, 6, 1]]))
    torch.testing.assert_close(read.pairs[1], torch.stack([known[2:, 2:4].mean(), known[0].mean()]))
    # The same boxes as drawn on a picture of twice the height and three times the width.
    large = torch.tensor([[6, 4, 12, 8], [0, 0, 18, 2]])
    again = crossmodal.box_means(found, large, picture=(8, 18))
    torch.testing.assert_close(again.pairs, read.pairs)
    assert again.config["boxes"] == [[2, 2, 4, 4], [0, 0, 6, 1]]


def maps(*rows):
    pixels = torch.tensor([rows], dtype=torch.float64)
    return Attribution(
        {"image": pixels.flatten()}, {"kind": "Logit", "k": 0}, "second_order", {"to": "image"}, {}, None, pixels
    )


def test_a_pixel_that_a_box_cuts_counts_by_its_share():
    # x from .5 to 1.5 takes half of the first two columns: the mean of 1, 2, 4, 5; what lies outside is cut off.
    found = crossmodal.box_means(maps([1, 2, 3], [4, 5, 6]), torch.tensor([[0.5, 0, 1.5, 2], [2, -7, 9, 1]]))
    assert found.pairs.tolist() == [[3.0, 3.0]]
    assert found.values["image"].tolist() == [3.0, 3.0]


@pytest.mark.parametrize("box", [[1.0, 0, 1, 2], [2, 0, 1, 2], [3, 0, 4, 2]])
def test_a_box_that_covers_nothing_of_the_map_is_refused(box):
    with pytest.raises(BadInput, match="covers nothing"):
        crossmodal.box_means(maps([1, 2, 3], [4, 5, 6]), torch.tensor([box]))


def test_boxes_need_pixel_maps_and_four_numbers_each():
    model, sample = trilinear()
    plain = crossmodal.second_order(model, sample, Logit(0), source="a", to="b")
    with pytest.raises(BadInput, match="pixels=True"):
        crossmodal.box_means(plain, torch.ones(1, 4))
    with pytest.raises(BadInput, match=r"\[k, 4\]"):
        crossmodal.box_means(maps([1, 2]), torch.ones(4))
