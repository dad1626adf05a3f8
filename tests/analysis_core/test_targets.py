"""Targets: what they select from a batch, what is refused, how they are described."""

import pytest
import torch

from analysis_core import AllLogits, Feature, Logit, Margin, Output, PredictedLogit
from analysis_core.errors import BadInput, UnknownName
from analysis_core.targets import describe, resolve, select

OUTPUT = Output(
    logits=torch.tensor([[1.0, 5.0, 3.0], [4.0, 0.0, 2.0]]),
    features=torch.tensor([[0.5, -1.0], [2.0, 8.0]]),
    layers={"hop": torch.tensor([[7.0], [9.0]])},
)


def test_each_target_selects_one_figure_per_row():
    assert select(Logit(2), OUTPUT).tolist() == [3, 2]
    assert select(AllLogits(), OUTPUT).tolist() == [9, 6]
    assert select(Margin(0, 1), OUTPUT).tolist() == [-4, 4]
    assert select(Feature(1), OUTPUT).tolist() == [-1, 8]
    assert select(Feature(0, layer="hop"), OUTPUT).tolist() == [7, 9]


def test_the_predicted_logit_is_the_first_rows_arg_max_for_all_rows():
    assert resolve(PredictedLogit(), OUTPUT) == Logit(1)
    with pytest.raises(BadInput, match="resolve"):
        select(PredictedLogit(), OUTPUT)


def test_what_does_not_exist_is_refused_with_what_does():
    for target in (Logit(3), Logit(-1), Margin(0, 3)):
        with pytest.raises(BadInput, match="0 to 2"):
            resolve(target, OUTPUT)
    with pytest.raises(BadInput, match="0 to 1"):
        resolve(Feature(2), OUTPUT)
    with pytest.raises(UnknownName, match="hop"):
        resolve(Feature(0, layer="hops"), OUTPUT)


def test_descriptions_are_plain():
    assert describe(Margin(0, 1)) == {"kind": "Margin", "k": 0, "l": 1}
    assert describe(Feature(3)) == {"kind": "Feature", "j": 3, "layer": "penultimate"}
    assert describe(AllLogits()) == {"kind": "AllLogits"}
