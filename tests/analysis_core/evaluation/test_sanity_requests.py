"""Sanity checks that are asked for nothing, for the impossible, or for some of it: the verdict says for what."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis_core import Logit
from analysis_core.errors import BadInput, MissingCapability
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


def test_requests_that_would_judge_nothing_are_refused_before_anything_is_explained():
    check = functools.partial(sanity.model_randomisation, toys.Lstm(), SAMPLES, Logit(0))
    with pytest.raises(BadInput, match="top must be a share"):
        check(unimodal.gradient, top=2)
    with pytest.raises(BadInput, match="explain must be a function"):
        check("gradient")
    # An array of samples has no truth value.
    found = check(unimodal.gradient, at_most=1, repeats=np.int64(1))
    array = sanity.model_randomisation(
        toys.Lstm(), np.array(SAMPLES), Logit(0), unimodal.gradient, at_most=1, repeats=np.int64(1)
    )
    assert array.parts == found.parts
    with pytest.raises(BadInput, match="at least one sample"):
        sanity.model_randomisation(toys.Lstm(), np.array([]), Logit(0), unimodal.gradient)


def test_the_verdict_names_the_layers_where_not_all_were_randomised():
    check = functools.partial(sanity.model_randomisation, toys.Lstm(), SAMPLES, Logit(0), unimodal.gradient, repeats=1)
    assert ": with all layers re-initialised its" in check().verdict
    assert ": with out re-initialised its" in check(layers=["out"]).verdict
    assert ": with the most influential layer re-init" in check(mode="independent").verdict
    two = check(mode="independent", layers=["out", "lstm"])
    assert ": with the most influential layer of out, lstm re-initialised its" in two.verdict


class Spare(toys.Lstm):
    """A layer that its forward pass does not use."""

    def __init__(self):
        super().__init__()
        self.spare = torch.nn.Linear(3, 3)


@pytest.mark.parametrize("mode", ["cascading", "independent"])
def test_layers_without_influence_are_told_in_both_modes(mode):
    with pytest.raises(MissingCapability, match="spare changed nothing in the model's output"):
        sanity.model_randomisation(Spare(), SAMPLES, Logit(0), unimodal.gradient, mode=mode, layers=["spare"])


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_few_labels_are_never_permuted_into_their_own_order(kind):
    model, given = toys.Lstm(), []

    def fit(labels):
        given.append([int(label) for label in labels])
        return model

    for seed in range(8):
        sanity.data_randomisation(model, fit, kind([0, 1]), SAMPLES, Logit(0), unimodal.gradient, seed=seed)
    assert given == [[1, 0]] * 8


def test_a_column_of_pandas_is_permuted_by_place_and_keeps_its_index():
    pandas = pytest.importorskip("pandas")
    labels, given = pandas.Series(["red", "blue", "blue"], index=[7, 8, 9]), []
    sanity.data_randomisation(
        toys.Lstm(), lambda y: given.append(y) or toys.Lstm(), labels, SAMPLES, Logit(0), unimodal.gradient
    )
    assert given[0].index.tolist() == [7, 8, 9]
    assert given[0].tolist() != labels.tolist()
    assert sorted(given[0]) == ["blue", "blue", "red"]
    # With the plain index 0, 1, 2 as well: fit gets a column, not a list.
    sanity.data_randomisation(
        toys.Lstm(), lambda y: given.append(y) or toys.Lstm(), labels.reset_index(drop=True), SAMPLES, Logit(0),
        unimodal.gradient,
    )  # fmt: skip
    assert isinstance(given[1], pandas.Series)


def test_labels_by_name_and_a_fit_that_is_none_are_told():
    check = functools.partial(sanity.data_randomisation, toys.Lstm())
    with pytest.raises(BadInput, match="there are no labels to permute"):
        check(lambda y: toys.Lstm(), {"a": 1, "b": 2}, SAMPLES, Logit(0), unimodal.gradient)
    with pytest.raises(BadInput, match="fit must be a function"):
        check(None, [0, 1], SAMPLES, Logit(0), unimodal.gradient)


def test_samples_may_have_parts_of_their_own():
    def explain(model, sample, target):
        found = unimodal.gradient(model, sample, target)
        return replace(found, values={m: v for m, v in found.values.items() if m in sample["shown"]})

    samples = [{**SAMPLES[0], "shown": shown} for shown in ("b", "ab")]
    found = sanity.model_randomisation(toys.Lstm(), samples, Logit(0), explain, layers=["lstm"], repeats=1)
    assert found.parts == ("values/b", "values/a")
    assert not found.spearman.isnan().any()
    (alone,) = sanity.model_randomisation(
        toys.Lstm(), samples[1:], Logit(0), explain, layers=["lstm"], repeats=1
    ).spearman
    # The second sample's figure for a is not diluted by the first's, which has none.
    assert float(found.spearman[0, 1]) == float(alone[0])
