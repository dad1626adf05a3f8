"""Measures of similarity: scipy's and scikit-image's, and counts by hand."""

import math

import pytest
import torch
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

from analysis_core import Attribution
from analysis_core.errors import BadInput
from analysis_core.evaluation import sanity
from tests.analysis_core import toys


def shown(values=None, **arrays):
    return Attribution({"a": values} if values is not None else {}, {}, "planted", {}, {}, **arrays)


def test_ranks_are_spearmans_with_and_without_signs():
    one, two = toys.random(50, seed=1), toys.random(50, seed=2)
    found = sanity.similarity(shown(one), shown(two))["values/a"]
    assert found["spearman"] == pytest.approx(spearmanr(one, two).statistic, abs=1e-12)
    assert found["spearman_of_sizes"] == pytest.approx(spearmanr(one.abs(), two.abs()).statistic, abs=1e-12)
    assert math.isnan(found["ssim"])
    turned = sanity.similarity(shown(one), shown(-one))["values/a"]
    assert turned["spearman"] == pytest.approx(-1)
    assert turned["spearman_of_sizes"] == pytest.approx(1)


def test_the_share_of_common_top_atoms_is_counted():
    # The top 3 of 10: {9, 8, 7} against {9, 8, 0}.
    one = torch.arange(10.0)
    two = one.clone()
    two[0], two[7] = 20, -1
    assert sanity.similarity(shown(one), shown(two), top=0.3)["values/a"]["top_overlap"] == pytest.approx(2 / 3)


def test_maps_are_compared_as_pictures_scaled_to_their_maximum():
    one, two = toys.random(2, 12, 9, seed=1).abs(), toys.random(2, 12, 9, seed=2).abs()
    found = sanity.similarity(shown(pixels=one, pairs=one[:, 0]), shown(pixels=two, pairs=two[:, 0]))
    known = [
        structural_similarity((x / x.max()).numpy(), (y / y.max()).numpy(), data_range=1.0, win_size=7)
        for x, y in zip(one, two, strict=True)
    ]
    assert found["pixels"]["ssim"] == pytest.approx(sum(known) / 2)
    assert math.isnan(found["pairs"]["ssim"])
    assert sanity.similarity(shown(pixels=one), shown(pixels=3 * one))["pixels"]["ssim"] == pytest.approx(1)


def test_small_maps_take_a_smaller_window_and_the_smallest_none():
    one, two = toys.random(1, 4, 9, seed=1).abs(), toys.random(1, 4, 9, seed=2).abs()
    known = structural_similarity(
        (one[0] / one.max()).numpy(), (two[0] / two.max()).numpy(), data_range=1.0, win_size=3
    )
    assert sanity.similarity(shown(pixels=one), shown(pixels=two))["pixels"]["ssim"] == pytest.approx(known)
    flat = sanity.similarity(shown(pixels=one[:, :2]), shown(pixels=two[:, :2]))["pixels"]
    assert math.isnan(flat["ssim"])
    assert not math.isnan(flat["spearman"])


def test_equal_explanations_are_alike_even_where_they_are_constant_and_one_constant_is_undefined():
    flat, other = torch.ones(5), torch.arange(5.0)
    assert sanity.similarity(shown(flat), shown(flat.clone()))["values/a"]["spearman"] == 1
    assert math.isnan(sanity.similarity(shown(flat), shown(other))["values/a"]["spearman"])
    broken = other.clone()
    broken[0] = math.nan
    assert all(math.isnan(v) for v in sanity.similarity(shown(broken), shown(other))["values/a"].values())


def test_explanations_of_different_atoms_are_not_compared():
    with pytest.raises(BadInput, match="different atoms"):
        sanity.similarity(shown(torch.ones(4)), shown(torch.ones(5)))
    with pytest.raises(BadInput, match="different atoms"):
        sanity.similarity(shown(torch.ones(4)), shown(pairs=torch.ones(2, 2)))
