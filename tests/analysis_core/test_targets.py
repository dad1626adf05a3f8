"""Targets: what they select from a batch, what is refused, how they are described."""

import json

import numpy as np
import pytest
import torch

from analysis_core import AllLogits, Feature, Logit, Margin, Output, PredictedLogit
from analysis_core.errors import BadInput, UnknownName
from analysis_core.evaluation.faithfulness_game import target_of
from analysis_core.targets import describe, of, resolve, resolve_all, select
from analysis_core.types import Attribution

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


@pytest.mark.parametrize("k", [1.0, 0.5, "cat", None, True, torch.tensor([1, 2])])
def test_class_ids_and_feature_numbers_are_whole_numbers(k):
    for target in (Logit(k), Margin(k, 0), Margin(0, k)):
        with pytest.raises(BadInput, match="a class id must be a whole number"):
            resolve(target, OUTPUT)
    with pytest.raises(BadInput, match="a feature number must be a whole number"):
        resolve(Feature(k), OUTPUT)


def test_numpys_whole_numbers_become_plain_ones():
    margin, feature = resolve(Margin(np.int64(2), np.uint8(0)), OUTPUT), resolve(Feature(np.int32(1)), OUTPUT)
    assert select(margin, OUTPUT).tolist() == [2, -2]
    assert json.dumps(describe(margin)) == '{"kind": "Margin", "k": 2, "l": 0}'
    assert json.dumps(describe(feature)) == '{"kind": "Feature", "j": 1, "layer": "penultimate"}'


def test_a_layer_of_more_than_one_row_per_sample_is_refused_with_its_shape():
    output = Output(OUTPUT.logits, OUTPUT.features, {"seq": torch.zeros(2, 5, 8), "flat": torch.zeros(2)})
    with pytest.raises(BadInput, match=r"layer 'seq' is \[B, 5, 8\]; targets need \[B, d\]"):
        resolve(Feature(0, "seq"), output)
    with pytest.raises(BadInput, match=r"layer 'flat' is \[B\]"):
        resolve(Feature(0, "flat"), output)


def test_a_single_target_is_no_list_of_targets():
    assert resolve_all([Logit(0), PredictedLogit()], OUTPUT) == [Logit(0), Logit(1)]
    with pytest.raises(BadInput, match="list of targets"):
        resolve_all(Logit(0), OUTPUT)


class Labelled:
    labels = ("gray+blue", "red", "no")


def test_classes_are_found_by_their_labels_which_the_description_keeps():
    red, margin = Logit.named(Labelled, "red"), Margin.named(Labelled, "no", "red")
    assert (red, margin) == (Logit(1), Margin(2, 1))
    assert describe(resolve(red, OUTPUT)) == {"kind": "Logit", "k": 1, "label": "red"}
    assert describe(margin) == {"kind": "Margin", "k": 2, "l": 1, "k_label": "no", "l_label": "red"}
    assert select(resolve(margin, OUTPUT), OUTPUT).tolist() == [-2, 2]
    assert of(Labelled, "red") == of(Labelled, Logit("red")) == red
    assert describe(of(Labelled, Margin(0, "red"))) == {"kind": "Margin", "k": 0, "l": 1, "l_label": "red"}
    for target in (Logit(1), Margin(0, 1), AllLogits(), PredictedLogit(), Feature(0)):
        assert of(Labelled, target) is target
    # A description that went through JSON gives the same target again.
    for target in (red, margin):
        facts = json.loads(json.dumps(describe(target)))
        assert describe(target_of(Attribution({}, facts, "m", {}, {}))) == describe(target)


def test_numbers_stay_as_they_were():
    assert repr(Logit(3)) == "Logit(k=3)"
    assert repr(Margin(0, 1)) == "Margin(k=0, l=1)"
    assert hash(Logit(1)) == hash(Logit.named(Labelled, "red"))


def test_labels_that_do_not_exist_are_refused_with_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown class 'gray\+bleu'; did you mean gray\+blue"):
        Logit.named(Labelled, "gray+bleu")
    with pytest.raises(UnknownName, match="unknown class 'rad'; did you mean red"):
        Margin.named(Labelled, "no", "rad")
    with pytest.raises(BadInput, match="the model has no labels to look 'red' up in: give the class by its number"):
        Logit.named(object(), "red")
    twice = type("Twice", (), {"labels": ("a", "a")})
    with pytest.raises(BadInput, match="2 classes have the label 'a'"):
        Logit.named(twice, "a")


def test_a_label_where_no_model_is_at_hand_is_sent_to_where_one_is():
    with pytest.raises(BadInput, match=r"not 'gray\+blue': a class by its label is Logit.named\(model, 'a label'\)"):
        resolve(Logit("gray+blue"), OUTPUT)
    with pytest.raises(BadInput, match=r"Margin.named\(model, 'a label', 'another'\)"):
        resolve(Margin(0, "red"), OUTPUT)
    with pytest.raises(BadInput, match=r"'red' is no target: use Logit.named\(model, label\)"):
        resolve("red", OUTPUT)
