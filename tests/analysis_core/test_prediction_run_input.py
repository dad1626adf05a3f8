"""What a prediction run says of samples and of models that do not keep to the protocol."""

import logging
import math

import pytest
import torch

from analysis_core import Output, prediction_run
from analysis_core.errors import BadFeatures, BadInput, UnknownName
from tests.analysis_core import toys

LAYER = {"doubled": torch.zeros(3, 1)}


def samples(n=3):
    return [{"id": f"s{i}", **toys.sample()} for i in range(n)]


def answering(answer):
    model = toys.additive()
    model.forward = lambda x, aux: answer(len(x["a"]))
    return model


def test_no_samples_are_refused():
    with pytest.raises(BadInput, match="no samples"):
        prediction_run.predict(toys.additive(), [])
    with pytest.raises(BadInput, match="no samples"):
        prediction_run.collate([])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda n: torch.zeros(n, 2), "not Tensor"),
        (lambda n: Output(torch.zeros(n), torch.zeros(n, 3)), r"logits must be \[B, n\]"),
        (lambda n: Output(torch.zeros(n, 2), None), "features must be .* not NoneType"),
        (lambda n: Output(torch.zeros(1, 2), torch.zeros(n, 3), LAYER), "logits of 3 rows for 3 samples, not shape"),
        (
            lambda n: Output(torch.zeros(n, 2), torch.zeros(n + 1, 3), LAYER),
            "features of 3 rows for 3 samples, not shape",
        ),
        (lambda n: Output(torch.zeros(n, 2), torch.zeros(n, 3), {"doubled": [0] * n}), "doubled of 3 rows .* not list"),
        (lambda n: Output(torch.zeros(n, 2), torch.zeros(n, 3), {"doubled": torch.tensor(1.0)}), "doubled of 3 rows"),
    ],
)
def test_a_forward_pass_that_returns_something_else_is_told_what_to_return(answer, told, tmp_path):
    with pytest.raises(BadInput, match=told):
        prediction_run.predict(answering(answer), samples(), layers=["doubled"])
    with pytest.raises(BadInput, match=told):
        prediction_run.run(answering(answer), samples(), tmp_path, key={}, layers=["doubled"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["logits", "features", "doubled"])
def test_a_sample_that_the_model_answers_with_nan_is_named(tmp_path, place, value):
    def answer(n):
        parts = {"logits": torch.zeros(n, 2), "features": torch.zeros(n, 3), "doubled": torch.zeros(n, 4, 2)}
        parts[place][1, 1] = value
        return Output(parts["logits"], parts["features"], {"doubled": parts["doubled"]})

    with pytest.raises(BadFeatures, match=f"{place} of sample 's1' are NaN or infinite"):
        prediction_run.predict(answering(answer), samples(), layers=["doubled"])
    with pytest.raises(BadFeatures, match=f"{place} of sample 's1' are NaN or infinite"):
        prediction_run.run(answering(answer), samples(), tmp_path, key={}, layers=["doubled"])


def test_a_model_that_answers_in_bfloat16_is_stored_in_float32(tmp_path):
    def answer(n):
        return Output(
            torch.ones(n, 2).bfloat16(), torch.full((n, 3), 0.5).bfloat16(), {"doubled": torch.ones(n).bfloat16()}
        )

    store = prediction_run.run(answering(answer), samples(), tmp_path, key={}, layers=["doubled"])
    assert store.features.tolist() == [[0.5] * 3] * 3
    assert store.layer("doubled").tolist() == [[1.0]] * 3


def test_a_run_that_goes_on_with_fewer_samples_says_so_in_the_log(tmp_path, caplog):
    model = toys.additive()
    whole = model.forward

    def forward(x, aux):
        if len(x["a"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(x, aux)

    model.forward = forward
    with caplog.at_level(logging.WARNING, "analysis_core"):
        store = prediction_run.run(model, samples(3), tmp_path, key={}, batch=2)
    assert len(store) == 3
    assert "out of memory: going on with 1 rows at a time" in caplog.messages


@pytest.mark.parametrize("batch", [0, -1, 1.5, None, "8", True])
def test_a_batch_is_a_whole_number_from_1_on(tmp_path, batch):
    with pytest.raises(BadInput, match="batch must be a whole number"):
        prediction_run.run(toys.additive(), samples(), tmp_path / "store", key={}, batch=batch)
    assert not (tmp_path / "store").exists()


def test_layers_are_a_list_and_one_that_is_not_there_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(BadInput, match=r"such as \['doubled'\]"):
        prediction_run.predict(toys.additive(), samples(), layers="doubled")
    with pytest.raises(BadInput, match="list of names"):
        prediction_run.run(toys.additive(), samples(), tmp_path, key={}, layers="doubled")
    with pytest.raises(UnknownName, match="did you mean doubled"):
        prediction_run.predict(toys.additive(), samples(), layers=["doubl"])


def test_encodings_with_different_tensors_are_refused():
    model = toys.additive()
    encoded = [model.encode(s) for s in samples(2)]
    encoded[1].aux["a"]["mask"] = torch.ones(1, 3)
    with pytest.raises(BadInput, match="the same aux for every sample"):
        prediction_run.collate(encoded)


@pytest.mark.parametrize("sample", [None, {"a": toys.sample()["a"]}, {"a": "words", "b": None}])
def test_a_sample_that_cannot_be_encoded_is_refused(sample):
    with pytest.raises(BadInput, match=r"encode\(\) failed on this sample"):
        prediction_run.predict(toys.additive(), [*samples(1), sample])


def test_samples_that_are_no_mappings_are_refused(tmp_path):
    class Sample:
        def __getitem__(self, modality):
            return toys.sample()[modality]

    with pytest.raises(BadInput, match="must be mappings, such as dicts with an id, not Sample"):
        prediction_run.run(toys.additive(), [Sample()], tmp_path, key={})


def test_a_label_that_is_no_plain_number_is_refused(tmp_path):
    with pytest.raises(BadInput, match="facts of point 0 must be a mapping to plain texts and numbers"):
        prediction_run.run(toys.additive(), [{**samples(1)[0], "label": torch.tensor(1)}], tmp_path, key={})
