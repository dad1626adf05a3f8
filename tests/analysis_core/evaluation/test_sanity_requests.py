"""Sanity checks that are asked for nothing: empty lists, and one thing in place of a list."""

import functools

import pytest
import torch

from analysis_core import Logit
from analysis_core.errors import BadInput
from analysis_core.evaluation import sanity
from analysis_core.stages import unimodal
from tests.analysis_core import toys

SAMPLES = [{"a": torch.randn(1, 3, 4), "b": torch.randn(1, 2, 5)}]


def test_empty_lists_are_told_for_what_they_are():
    check = functools.partial(sanity.model_randomisation, toys.Lstm(), SAMPLES, Logit(0), unimodal.gradient)
    with pytest.raises(BadInput, match="layers is empty"):
        check(layers=[])
    with pytest.raises(BadInput, match="give a list of samples"):
        sanity.model_randomisation(toys.Lstm(), SAMPLES[0], Logit(0), unimodal.gradient)
    for labels in ([], torch.zeros(0), None, 3):
        with pytest.raises(BadInput, match="there are no labels to permute"):
            sanity.data_randomisation(toys.Lstm(), lambda y: toys.Lstm(), labels, SAMPLES, Logit(0), unimodal.gradient)
    # A string is one name: by its letters "out" would be three layers that do not exist.
    assert check(layers="out", repeats=1).steps == ("out",)
